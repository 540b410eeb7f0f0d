"""What of an image is head, and what is the empty space around it."""

import torch

from islesnet.volumes.background import LOUDEST_NOISE, SKULL_STRIPPED_SHARE

# Noise around a raw head reaches a few percent of its brightness; few voxels of a stripped brain are that close to the
# one value around it.
NEARBY = 0.05
NEARBY_SHARE = 0.3


def foreground(image: torch.Tensor) -> torch.Tensor:
    """Tell the head (or the brain, where the image is skull-stripped) from the space around it.

    A skull-stripped volume is one value over most of its field of view, be it 0, -0.005 or a mean: everything else
    is brain. A raw volume has noise there, far below the bright tissue: everything above a tenth of the way from
    the darkest to the brightest percent is head. Noise that is rounded to a few whole numbers, or padded with
    zeros, has a most frequent value too, but many voxels lie close to it.

    Args:
        image: finite intensities of any scale.

    Shapes:
        any -> the same, bool.
    """
    brain = stripped_brain(image)
    if brain is not None:
        return brain
    sample = _sample(image)
    low, high = torch.quantile(sample, torch.tensor([0.01, 0.99]).to(sample)).tolist()
    return image > low + LOUDEST_NOISE * (high - low)


def stripped_brain(image: torch.Tensor) -> torch.Tensor | None:
    """Tell the brain from the one value around it, where the image is skull-stripped; None where it is not.

    Args:
        image: finite intensities of any scale.

    Shapes:
        any -> the same, bool.
    """
    sample = _sample(image)
    commonest, share, step = _commonest_value(sample)
    distances = (sample - commonest).abs()
    others = distances[distances > step]
    reach = float(others.quantile(0.99)) if others.numel() else 0.0
    nearby = int((others < NEARBY * reach).sum()) / sample.numel()
    if share >= SKULL_STRIPPED_SHARE and nearby < NEARBY_SHARE * share:
        return (image - commonest).abs() > max(1e-3 * reach, step)
    return None


def _sample(image: torch.Tensor) -> torch.Tensor:
    values = image.flatten()
    return values[:: max(1, values.numel() // 500_000)].float()


def _commonest_value(sample: torch.Tensor) -> tuple[float, float, float]:
    """Find the most frequent value, its share, and the millionth of the range that tells values apart."""
    step = float(sample.max() - sample.min()) / 1e6
    if step == 0.0:
        return float(sample[0]), 1.0, 0.0
    values, counts = torch.unique((sample / step).round(), return_counts=True)
    most = int(counts.argmax())
    return float(values[most]) * step, float(counts[most]) / sample.numel(), step
