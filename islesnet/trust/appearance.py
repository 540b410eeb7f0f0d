"""Whether the network was trained on images that look like a patient's."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from islesnet.errors import InputError
from islesnet.files import file_beside, write_json
from islesnet.trust.description import STATISTICS, Description
from islesnet.trust.finding import Finding
from islesnet.trust.joint import JointRange

FEWEST_IMAGES = 10
# The fewer images a range comes from, the narrower it is by chance. Of 60 phantoms drawn alike, ranges of 10, 20 and 40
# flagged 44, 15 and 6 % of the others at a tolerance of half a width; at this number over that of images, 1 to 4 %.
IMAGES_FOR_ONE_WIDTH = 30


@dataclass(frozen=True)
class AppearanceRanges:
    """How the images of a training look: for each sequence, the range of each statistic, and all of them together.

    Args:
        ranges: sequence -> statistic -> low and high.
        images: sequence -> how many images they come from.
        joint: sequence -> the statistics together; none of a sequence with few images, or that an earlier version
            described.
    """

    ranges: Mapping[str, Mapping[str, tuple[float, float]]]
    images: Mapping[str, int] = field(default_factory=dict)
    joint: Mapping[str, JointRange] = field(default_factory=dict)

    @classmethod
    def fit(cls, descriptions: Iterable[Description]) -> "AppearanceRanges":
        """Take the percentiles 1 and 99 of each statistic over what `describe_appearance` says of training images.

        With 30 images of a sequence and more, how its statistics go together is taken too. A sequence of fewer than ten
        images is left out.

        Raises:
            InputError: where no sequence has ten images.
        """
        by_sequence: dict[str, list[Mapping[str, float]]] = {}
        for description in descriptions:
            for sequence, statistics in description.items():
                by_sequence.setdefault(sequence, []).append(statistics)
        by_sequence = {sequence: images for sequence, images in by_sequence.items() if len(images) >= FEWEST_IMAGES}
        if not by_sequence:
            raise InputError(f"No sequence has {FEWEST_IMAGES} images, which a range of their appearance needs.")
        ranges = {
            sequence: {name: _range([image[name] for image in images]) for name in STATISTICS}
            for sequence, images in by_sequence.items()
        }
        clouds = {sequence: JointRange.fit(images, tuple(STATISTICS)) for sequence, images in by_sequence.items()}
        joint = {sequence: cloud for sequence, cloud in clouds.items() if cloud is not None}
        return cls(ranges, {sequence: len(images) for sequence, images in by_sequence.items()}, joint)

    def write(self, path: Path) -> None:
        """Write the ranges as JSON."""
        joint = {sequence: asdict(cloud) for sequence, cloud in self.joint.items()}
        write_json(path, {"images": self.images, "ranges": self.ranges, "joint": joint})

    @classmethod
    def read(cls, path: Path) -> "AppearanceRanges":
        """Read what `write` wrote, in this version or before there were statistics of the depth and a joint part.

        Raises:
            InputError: for another or a damaged file.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            ranges = {
                str(sequence): {name: _stored_range(known, name) for name in STATISTICS}
                for sequence, known in stored["ranges"].items()
            }
            joint = {str(sequence): JointRange.from_json(cloud) for sequence, cloud in stored.get("joint", {}).items()}
            if unknown := {name for cloud in joint.values() for name in cloud.measures} - set(STATISTICS):
                raise ValueError(f"unknown measures: {', '.join(sorted(unknown))}")
            return cls(ranges, dict(stored["images"]), joint)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise InputError(f"{path} does not hold the appearance of a training's images ({error!r}).") from error

    def check(self, description: Description, tolerance: float, joint_tolerance: float = 1.0) -> list[Finding]:
        """Find the sequences that look unlike the training's.

        Args:
            description: of a patient's image, by `describe_appearance`.
            tolerance: how far outside of its range a statistic may lie, in widths of the range; where the range comes
                from few images, 30 over their number if that is more.
            joint_tolerance: how far all statistics together may lie from the middle of the training's, in the distance
                that 99 % of the training's images keep.
        """
        findings = []
        for sequence, statistics in description.items():
            far: list[Finding] = []
            if sequence in self.ranges:
                far = _compare(sequence, statistics, self.ranges[sequence], self._tolerance(sequence, tolerance))
            if not far and sequence in self.joint:
                far = _compare_jointly(sequence, statistics, self.joint[sequence], joint_tolerance)
            findings += far
        return findings

    def _tolerance(self, sequence: str, asked: float) -> float:
        images = self.images.get(sequence)
        return max(asked, IMAGES_FOR_ONE_WIDTH / images) if images else asked


def read_appearance(weights: str | Path) -> AppearanceRanges | None:
    """Read the ranges that lie beside a network's weights (``model.pt``: ``model_appearance.json``); None without."""
    path = appearance_file(weights)
    return AppearanceRanges.read(path) if path.is_file() else None


def appearance_file(weights: str | Path) -> Path:
    """Name the file of the ranges that belong to a network's weights."""
    return file_beside(weights, "appearance")


def _stored_range(known: Mapping[str, Sequence[float]], name: str) -> tuple[float, float]:
    if name.startswith("deep_") and name not in known:
        return (-math.inf, math.inf)
    return (float(known[name][0]), float(known[name][1]))


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


def _compare_jointly(
    sequence: str, statistics: Mapping[str, float], cloud: JointRange, tolerance: float
) -> list[Finding]:
    distance = cloud.distance(statistics)
    if distance <= tolerance * cloud.limit:
        return []
    off = {name: abs(value) for name, value in cloud.standard(statistics).items() if not math.isnan(value)}
    worst = max(off, key=lambda name: off[name])
    usual = cloud.mean[cloud.measures.index(worst)]
    return [
        Finding(
            f"{sequence.upper()} unusual",
            f"{sequence.upper()} looks unlike the network's training: its measures together lie {distance:.1f} from "
            f"the middle, 99 % of the training's within {cloud.limit:.1f}. Farthest off is {STATISTICS[worst]}, "
            f"{statistics[worst]:.2f} where {usual:.2f} is usual. Is it another sequence?",
        )
    ]


def _widths_outside(value: float, low: float, high: float) -> float:
    """Say how far outside of a range a value lies, in widths of the range; 0 inside, and for what is not known."""
    if math.isnan(value) or math.isinf(high):
        return 0.0
    return max(low - value, value - high, 0.0) / max(high - low, 1e-3)
