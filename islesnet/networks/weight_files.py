"""Files of weights: written whole, read without running their code, compared with the checksum beside them."""

import logging
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import torch

from islesnet.errors import InputError
from islesnet.files import sha256_of, whole_file

logger = logging.getLogger(__name__)


def checksum_of(path: Path) -> Path:
    """Name the file beside weights that holds their SHA-256, in the format of sha256sum; it need not exist."""
    return path.with_name(f"{path.name}.sha256")


def read_state_dict(path: str | PathLike[str], purpose: str) -> Mapping[str, torch.Tensor]:
    """Read names and tensors that torch.save wrote, on the CPU, running no code from the file.

    Args:
        path: holds a state dict, perhaps under "state_dict".
        purpose: what the file is for, as an error begins.

    Raises:
        InputError: where there is no such file, or it holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{purpose}: there is no file {path}.")
    try:
        # Mapped, where the format allows it: names and shapes cost no copy.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except OSError:
        raise
    except Exception as error:  # a damaged file can make the unpickler raise anything
        # Its words advise against its own safeguard, and ask for a report to PyTorch.
        logger.debug("%s: torch.load says: %s", path, error)
        raise InputError(f"{purpose}: {path} is not a file of tensors written by torch.save.") from error
    if isinstance(content, Mapping):
        content = content.get("state_dict", content)
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items()
    ):
        is_training = isinstance(content, Mapping) and "objects" in content  # what `ExactResume` writes
        hint = "; a training's own weights are in model.pt beside it" if is_training else ""
        raise InputError(f"{purpose}: {path} holds no state dict (names to tensors){hint}.")
    return content


def save_tensors(content: Mapping[str, object], path: Path) -> None:
    """Write what torch.load reads as a whole file; the same content makes the same bytes, whatever the file's name.

    Raises:
        OSError: as the operating system refuses (no permission, disk full), naming ``path``.
    """
    # Given a name, torch.save would put it, that of the temporary file, into the archive.
    with whole_file(path) as part, part.open("wb") as file:
        torch.save(content, file)


def require_present(path: str | PathLike[str]) -> None:
    """Refuse to go on where there is no file of weights, saying how to come by one.

    Raises:
        InputError: in that case.
    """
    if not Path(path).is_file():
        raise InputError(
            f"There are no weights at {path}. Train them (python -m monai.bundle run training --args_file "
            "recipes/training.yaml --dataset_dir DIR), or name a file: --checkpoint FILE for the bundle, --model FILE "
            "for islesnet segment. Other programs open a bundle from its own folder, or are told its bundle_root."
        )


def require_intact(path: Path) -> None:
    """Refuse weights that differ from those that the ``.sha256`` beside them was made of.

    Where there is no such file, the checksums count that torch.save wrote into the weights and torch.load ignores.

    Raises:
        InputError: where they differ.
    """
    checksum = checksum_of(path)
    if not checksum.is_file():
        _require_own_checksums(path)
        return
    wanted, _, _ = checksum.read_text().partition(" ")
    found = sha256_of(path)
    if found != wanted.strip():
        raise InputError(
            f"The weights at {path} are not those that {checksum.name} was made of: their SHA-256 is {found}, not "
            f"{wanted.strip()}. Fetch the file again. Weights of your own belong elsewhere (what lies beside these is "
            "theirs): name them, --checkpoint FILE for the bundle, --model FILE for islesnet segment."
        )


def _require_own_checksums(path: Path) -> None:
    try:
        if not zipfile.is_zipfile(path):  # of an old torch.save, or no weights at all
            return
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
    except Exception as error:  # damage to a zip file's tables can raise anything
        damaged = str(error) or type(error).__name__
    if damaged is not None:
        raise InputError(f"The weights at {path} are damaged ({damaged}). Fetch or copy the file again.")
