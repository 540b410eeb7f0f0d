"""What of an image is head, and what is the empty space around it."""

import torch

SKULL_STRIPPED_SHARE = 0.2
LOUDEST_NOISE = 0.1


def foreground(image: torch.Tensor) -> torch.Tensor:
    """Tell the head (or the brain, where the image is skull-stripped) from the space around it.

    A skull-stripped volume is one value over most of its field of view, be it 0, -0.005 or a mean: everything else
    is brain. A raw volume has noise there, far below the bright tissue: everything above a tenth of the way from
    the darkest to the brightest percent is head.

    Args:
        image: finite intensities of any scale.

    Shapes:
        any -> the same, bool.
    """
    values = image.flatten()
    sample = values[:: max(1, values.numel() // 500_000)].float()
    commonest, share = _commonest_value(sample)
    low, high = torch.quantile(sample, torch.tensor([0.01, 0.99]).to(sample)).tolist()
    if share >= SKULL_STRIPPED_SHARE:
        brightest = sample[sample != commonest]
        reach = float((brightest - commonest).abs().quantile(0.99)) if brightest.numel() else 0.0
        return (image - commonest).abs() > 1e-3 * reach
    return image > low + LOUDEST_NOISE * (high - low)


def _commonest_value(sample: torch.Tensor) -> tuple[float, float]:
    """Find the most frequent value, noise of less than a millionth of the range ignored, and its share."""
    steps = float(sample.max() - sample.min()) / 1e6
    if steps == 0.0:
        return float(sample[0]), 1.0
    values, counts = torch.unique((sample / steps).round(), return_counts=True)
    most = int(counts.argmax())
    return float(values[most]) * steps, float(counts[most]) / sample.numel()
