"""Weights as they are shipped: half precision, with a checksum beside them."""

import hashlib
from pathlib import Path

from islesnet.files import whole_file
from islesnet.networks.trained_with import trained_with, write_trained_with
from islesnet.networks.weight_files import read_state_dict, save_tensors


def write_half_precision(weights: Path, target: Path) -> Path:
    """Write a state dict in half the size, its SHA-256 beside it in the format of sha256sum, and what is said of it.

    Convolutions' weights become float16; biases and the statistics of batch normalisation, a thousandth of the
    file, stay as they are. Loading turns all into the network's own precision.

    Args:
        weights: a state dict in a file.
        target: where to.

    Returns:
        `target`.
    """
    state = read_state_dict(weights, "weights")
    write_trained_with(target, trained_with(weights, state))
    halved = {name: value.half() if value.ndim > 1 else value for name, value in state.items()}
    save_tensors(halved, target)
    checksum = hashlib.sha256(target.read_bytes()).hexdigest()
    with whole_file(target.with_name(f"{target.name}.sha256")) as part:
        part.write_text(f"{checksum}  {target.name}\n")
    return target
