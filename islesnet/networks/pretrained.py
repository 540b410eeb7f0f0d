"""Public ResNet50 weights (ImageNet, MedicalNet) into an encoder of any number of channels."""

import logging
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from urllib.error import URLError

import torch

from islesnet.errors import InputError
from islesnet.networks.encoder import ResNet50Encoder
from islesnet.networks.weight_files import read_state_dict

logger = logging.getLogger(__name__)

# torchvision's ResNet50_Weights.IMAGENET1K_V2; the last part of the name begins the file's SHA-256.
IMAGENET_URL = "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"


def load_pretrained_encoder(encoder: ResNet50Encoder, source: str | PathLike[str] | bool) -> None:
    """Load public ResNet50 weights into an encoder, inflating the stem to its channels.

    Args:
        encoder: receives the weights; 2D for torchvision's format, 3D for MedicalNet's.
        source: "imagenet", or a file: a state dict in torchvision's ``resnet50`` naming, or MedicalNet's
            ``resnet_50*.pth`` (inside ``state_dict``, names led by ``module.``). Classifier layers are ignored.

    Raises:
        InputError: when the file cannot be read, is no ResNet50, has another number of spatial dimensions, or
            cannot be downloaded.
    """
    if isinstance(source, bool):
        raise InputError("pretrained is True; name where the weights are, 'imagenet' or a file.")
    dimensions = encoder.conv1.weight.ndim - 2
    if str(source) == "imagenet":
        if dimensions != 2:
            raise InputError("pretrained 'imagenet' is for 2D networks; for 3D name a MedicalNet ResNet50 file.")
        found = _download_imagenet()
    else:
        found = read_state_dict(Path(source), "pretrained")
    weights = {name.removeprefix("module."): value for name, value in found.items()}
    own = encoder.state_dict()
    if "conv1.weight" in weights and weights["conv1.weight"].ndim == own["conv1.weight"].ndim:
        weights["conv1.weight"] = inflate_stem(weights["conv1.weight"], own["conv1.weight"].shape[1])
    _refuse_misfits(weights, own, source)
    encoder.load_state_dict({name: weights.get(name, value) for name, value in own.items()})
    logger.info("Encoder weights from %s; stem of %d channels", source, own["conv1.weight"].shape[1])


def inflate_stem(kernel: torch.Tensor, channels: int) -> torch.Tensor:
    """Spread a stem kernel over another number of input channels so that its activations keep their scale.

    The new channels take the old kernels in turn, and channels with the same kernel share it: a grey picture in
    every channel gives exactly the old stem's activations (after Carreira and Zisserman, "Quo Vadis, Action
    Recognition?", CVPR 2017, section 2.4.1, who do so over time).

    Args:
        kernel: ``(out, old, *size)``.
        channels: the new number of input channels, 1 or more.

    Returns:
        ``(out, channels, *size)``; the kernel itself when the number is unchanged.
    """
    old = kernel.shape[1]
    if channels == old:
        return kernel
    if channels < old:
        # Fewer channels cannot hold the old kernels in turn; each holds their mean.
        return kernel.mean(dim=1, keepdim=True).expand(-1, channels, *kernel.shape[2:]) * (old / channels)
    turns = torch.arange(channels) % old
    # Each old kernel is shared out among the new channels that took it.
    takers = torch.bincount(turns)[turns]
    return kernel[:, turns] / takers.view(1, -1, *[1] * (kernel.ndim - 2))


def _download_imagenet() -> Mapping[str, torch.Tensor]:
    try:
        weights: Mapping[str, torch.Tensor] = torch.hub.load_state_dict_from_url(
            IMAGENET_URL, map_location="cpu", check_hash=True, weights_only=True
        )
    except (URLError, OSError, RuntimeError) as error:
        raise InputError(
            f"The ImageNet weights could not be downloaded from {IMAGENET_URL} ({error}). Without a network: fetch "
            "that file elsewhere and give its path, e.g. --pretrained /path/to/resnet50-11ad3fa6.pth. To do without "
            "them: --pretrained False, in the workflows --pretrained none."
        ) from error
    return weights


def _refuse_misfits(weights: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], source: object) -> None:
    # Files from before PyTorch 0.4.1 lack the counters of batches seen.
    missing = [name for name in own if name not in weights and not name.endswith("num_batches_tracked")]
    if missing:
        raise InputError(
            f"pretrained: {source} is no ResNet50: {len(missing)} of {len(own)} entries are missing, "
            f"the first is {missing[0]!r}."
        )
    # ResNet101 and 152 have all of these entries, and further blocks.
    parts = {name.partition(".")[0] for name in own}
    further = [name for name in weights if name not in own and name.partition(".")[0] in parts]
    if further:
        raise InputError(
            f"pretrained: {source} is no ResNet50: it has {len(further)} entries too many, the first is {further[0]!r}."
        )
    for name, value in own.items():
        if name in weights and weights[name].shape != value.shape:
            raise InputError(
                f"pretrained: in {source} {name!r} has shape {tuple(weights[name].shape)}, the encoder needs "
                f"{tuple(value.shape)} ({value.ndim - 2 if value.ndim > 2 else ''}D ResNet50)."
            )
