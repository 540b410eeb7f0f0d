"""How a sequence's image looks, in a few robust numbers of its head."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

PERCENTILES = (1, 5, 25, 75, 95, 99)  # the median is 0 in every normalised image
# Deep in the head lie the ventricles: fluid beside white matter, whose order of brightness tells the sequence's kind.
DEEP_PERCENTILES = (5, 50, 95)
DEEP_SHARE = 0.2
# Statistic -> what it is called in a sentence.
STATISTICS = (
    {f"p{percent:02d}": f"percentile {percent} of the brightness" for percent in PERCENTILES}
    | {
        "head_share": "share of head in its box",
        "sharpness": "contrast between neighbours in a slice",
        "sharpness_through": "contrast between slices",
    }
    | {
        f"deep_p{percent:02d}": f"percentile {percent} of the brightness deep in the head"
        for percent in DEEP_PERCENTILES
    }
)
SAMPLE = 500_000
Description = Mapping[str, Mapping[str, float]]


def describe_appearance(image: torch.Tensor, sequences: Sequence[str]) -> dict[str, dict[str, float]]:
    """Describe each present sequence of a preprocessed image by a few robust statistics of its head.

    Args:
        image: as it enters the network: normalised, the space outside the head on the lowest value, an absent
            sequence zero.
        sequences: names of the channels.

    Shapes:
        ``(C, X, Y, Z)``.

    Returns:
        sequence -> statistic -> value; one that cannot be told (no neighbouring slice) is NaN.
    """
    return {
        name: _describe(channel)
        for name, channel in zip(sequences, np.asarray(image.detach().cpu(), dtype=np.float32), strict=True)
        if channel.any()
    }


def _describe(channel: np.ndarray) -> dict[str, float]:
    inside = channel > channel.min()
    return {
        **_percentiles("p", channel[inside], PERCENTILES),
        "head_share": float(inside.mean()),
        "sharpness": (_contrast(channel, inside, 0) + _contrast(channel, inside, 1)) / 2,
        "sharpness_through": _contrast(channel, inside, 2),
        **_percentiles("deep_p", channel[_deep(inside)], DEEP_PERCENTILES),
    }


def _percentiles(prefix: str, values: np.ndarray, asked: Sequence[int]) -> dict[str, float]:
    sample = values[:: max(1, values.size // SAMPLE)] if values.size else np.array([math.nan])
    return {
        f"{prefix}{percent:02d}": float(value)
        for percent, value in zip(asked, np.percentile(sample, asked), strict=True)
    }


def _deep(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the fifth of a head farthest from its surface, ``(X, Y, Z)``; a cut above or below is no surface."""
    head = ndimage.binary_fill_holes(inside)
    if not head.any():
        return inside
    # Beyond the sides of the grid lies air, even where the head reaches them; above and below, the head may go on.
    depth = ndimage.distance_transform_edt(np.pad(head, ((1, 1), (1, 1), (0, 0))))[1:-1, 1:-1]
    deep: NDArray[np.bool_] = depth >= np.percentile(depth[head], 100 * (1 - DEEP_SHARE))
    return deep


def _contrast(channel: np.ndarray, inside: np.ndarray, axis: int) -> float:
    """Give the mean absolute difference of neighbours within the head along an axis, in the image's unit."""
    channel, inside = np.moveaxis(channel, axis, 0), np.moveaxis(inside, axis, 0)
    both = inside[1:] & inside[:-1]
    return float(np.abs(np.diff(channel, axis=0)[both]).mean()) if both.any() else math.nan
