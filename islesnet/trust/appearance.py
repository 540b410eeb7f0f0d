"""How a sequence's image looks, and whether the network was trained on images that look so."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from islesnet.errors import InputError
from islesnet.files import whole_file
from islesnet.trust.finding import Finding

PERCENTILES = (1, 5, 25, 75, 95, 99)  # the median is 0 in every normalised image
# Statistic -> what it is called in a sentence.
STATISTICS = {f"p{percent:02d}": f"percentile {percent} of the brightness" for percent in PERCENTILES} | {
    "head_share": "share of head in its box",
    "sharpness": "contrast between neighbours in a slice",
    "sharpness_through": "contrast between slices",
}
FEWEST_IMAGES = 10
# The fewer images a range comes from, the narrower it is by chance. Of 60 phantoms drawn alike, ranges of 10, 20 and 40
# flagged 44, 15 and 6 % of the others at a tolerance of half a width; at this number over that of images, 1 to 4 %.
IMAGES_FOR_ONE_WIDTH = 30
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
    values = channel[inside] if inside.any() else np.array([math.nan])
    percentiles = np.percentile(values[:: max(1, values.size // SAMPLE)], PERCENTILES)
    return {
        **{f"p{percent:02d}": float(value) for percent, value in zip(PERCENTILES, percentiles, strict=True)},
        "head_share": float(inside.mean()),
        "sharpness": (_contrast(channel, inside, 0) + _contrast(channel, inside, 1)) / 2,
        "sharpness_through": _contrast(channel, inside, 2),
    }


def _contrast(channel: np.ndarray, inside: np.ndarray, axis: int) -> float:
    """Give the mean absolute difference of neighbours within the head along an axis, in the image's unit."""
    channel, inside = np.moveaxis(channel, axis, 0), np.moveaxis(inside, axis, 0)
    both = inside[1:] & inside[:-1]
    return float(np.abs(np.diff(channel, axis=0)[both]).mean()) if both.any() else math.nan


@dataclass(frozen=True)
class AppearanceRanges:
    """How the images of a training look: for each sequence, the range of each statistic.

    Args:
        ranges: sequence -> statistic -> low and high.
        images: sequence -> how many images they come from.
    """

    ranges: Mapping[str, Mapping[str, tuple[float, float]]]
    images: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def fit(cls, descriptions: Iterable[Description]) -> "AppearanceRanges":
        """Take the percentiles 1 and 99 of each statistic over what `describe_appearance` says of training images.

        Raises:
            InputError: for fewer than ten images of a sequence.
        """
        by_sequence: dict[str, list[Mapping[str, float]]] = {}
        for description in descriptions:
            for sequence, statistics in description.items():
                by_sequence.setdefault(sequence, []).append(statistics)
        if not by_sequence:
            raise InputError("There are no images whose appearance could be described.")
        for sequence, images in by_sequence.items():
            if len(images) < FEWEST_IMAGES:
                raise InputError(
                    f"{len(images)} images of {sequence} are too few for a range; at least {FEWEST_IMAGES} are needed."
                )
        ranges = {
            sequence: {name: _range([image[name] for image in images]) for name in STATISTICS}
            for sequence, images in by_sequence.items()
        }
        return cls(ranges, {sequence: len(images) for sequence, images in by_sequence.items()})

    def write(self, path: Path) -> None:
        """Write the ranges as JSON."""
        with whole_file(path) as part:
            part.write_text(json.dumps({"images": self.images, "ranges": self.ranges}, indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "AppearanceRanges":
        """Read what `write` wrote.

        Raises:
            InputError: for another or a damaged file.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            ranges = {
                str(sequence): {name: (float(known[name][0]), float(known[name][1])) for name in STATISTICS}
                for sequence, known in stored["ranges"].items()
            }
            return cls(ranges, dict(stored["images"]))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise InputError(f"{path} does not hold the appearance of a training's images ({error!r}).") from error

    def check(self, description: Description, tolerance: float) -> list[Finding]:
        """Find the sequences that look unlike the training's.

        Args:
            description: of a patient's image, by `describe_appearance`.
            tolerance: how far outside of its range a statistic may lie, in widths of the range; where the range comes
                from few images, 30 over their number if that is more.
        """
        return [
            finding
            for sequence, statistics in description.items()
            if sequence in self.ranges
            for finding in _compare(sequence, statistics, self.ranges[sequence], self._tolerance(sequence, tolerance))
        ]

    def _tolerance(self, sequence: str, asked: float) -> float:
        images = self.images.get(sequence)
        return max(asked, IMAGES_FOR_ONE_WIDTH / images) if images else asked


def read_appearance(weights: str | Path) -> AppearanceRanges | None:
    """Read the ranges that lie beside a network's weights (``model.pt``: ``model_appearance.json``); None without."""
    path = appearance_file(weights)
    return AppearanceRanges.read(path) if path.is_file() else None


def appearance_file(weights: str | Path) -> Path:
    """Name the file of the ranges that belong to a network's weights."""
    weights = Path(weights)
    return weights.with_name(f"{weights.stem}_appearance.json")


def _range(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return (-math.inf, math.inf)
    low, high = np.percentile(known, [1, 99])
    return (float(low), float(high))


def _compare(
    sequence: str, statistics: Mapping[str, float], ranges: Mapping[str, tuple[float, float]], tolerance: float
) -> list[Finding]:
    excess = {name: _widths_outside(statistics[name], *ranges[name]) for name in STATISTICS}
    far = sorted((name for name in STATISTICS if excess[name] > tolerance), key=lambda name: -excess[name])
    if not far:
        return []
    worst, (low, high) = far[0], ranges[far[0]]
    others = f"; so are {len(far) - 1} more of {len(STATISTICS)} measures" if len(far) > 1 else ""
    return [
        Finding(
            f"{sequence.upper()} unusual",
            f"{sequence.upper()} looks unlike the network's training: {STATISTICS[worst]} is {statistics[worst]:.2f}, "
            f"there {low:.2f} to {high:.2f}{others}.",
        )
    ]


def _widths_outside(value: float, low: float, high: float) -> float:
    """Say how far outside of a range a value lies, in widths of the range; 0 inside, and for what is not known."""
    if math.isnan(value) or math.isinf(high):
        return 0.0
    return max(low - value, value - high, 0.0) / max(high - low, 1e-3)
