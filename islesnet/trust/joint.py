"""How far an image lies from a training's by all measures together, where each alone may be within its range."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Fewer images say too little about how a dozen measures go together.
FEWEST_TOGETHER = 30
# Correlations of few images are unsteady, so they are reduced by this share (after Friedman, "Regularized Discriminant
# Analysis", JASA 84, 1989).
SHRINKAGE = 0.1
LIMIT_PERCENTILE = 99
SMALLEST_DEVIATION = 1e-3  # of a measure that all images have alike


@dataclass(frozen=True)
class JointRange:
    """The measures of a training's images of one sequence as a cloud, and how far from its middle they lie.

    The distance is Mahalanobis's (Proc. Nat. Inst. Sci. India 2, 1936): in standard deviations, each combination of
    measures by its own.

    Args:
        measures: their names.
        mean: of each.
        deviation: of each, standard.
        correlation: of each with each, shrunk.
        limit: the percentile 99 of the images' distances, each from the cloud of the others.
        images: how many they are.
    """

    measures: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    correlation: tuple[tuple[float, ...], ...]
    limit: float
    images: int

    @classmethod
    def fit(cls, images: Sequence[Mapping[str, float]], measures: Sequence[str]) -> "JointRange | None":
        """Take the cloud of the images that all measures are known of; None for fewer than 30."""
        values = np.array([[image[name] for name in measures] for image in images], dtype=float)
        values = values[~np.isnan(values).any(axis=1)]
        if len(values) < FEWEST_TOGETHER:
            return None
        left_out = [cls._of(np.delete(values, i, axis=0), measures) for i in range(len(values))]
        distances = [
            cloud.distance(dict(zip(measures, image, strict=True)))
            for cloud, image in zip(left_out, values, strict=True)
        ]
        return cls._of(values, measures, float(np.percentile(distances, LIMIT_PERCENTILE)))

    @classmethod
    def _of(cls, values: NDArray[np.float64], measures: Sequence[str], limit: float = math.inf) -> "JointRange":
        mean, deviation = values.mean(axis=0), np.maximum(values.std(axis=0, ddof=1), SMALLEST_DEVIATION)
        standard = (values - mean) / deviation
        correlation = (1 - SHRINKAGE) * standard.T @ standard / (len(values) - 1)
        np.fill_diagonal(correlation, 1.0)
        rows = tuple(tuple(row) for row in correlation.tolist())
        return cls(tuple(measures), tuple(mean.tolist()), tuple(deviation.tolist()), rows, limit, len(values))

    def distance(self, image: Mapping[str, float]) -> float:
        """Give an image's distance from the middle, by those of its measures that are known."""
        standard = np.array(list(self.standard(image).values()))
        known = ~np.isnan(standard)
        correlation = np.array(self.correlation)[np.ix_(known, known)]
        return math.sqrt(max(float(standard[known] @ np.linalg.solve(correlation, standard[known])), 0.0))

    def standard(self, image: Mapping[str, float]) -> dict[str, float]:
        """Give each of an image's measures in standard deviations from the mean."""
        return {
            name: (image[name] - mean) / deviation
            for name, mean, deviation in zip(self.measures, self.mean, self.deviation, strict=True)
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "JointRange":
        """Take what ``dataclasses.asdict`` and JSON made of a cloud.

        Raises:
            ValueError: where the sizes do not fit each other.
            KeyError: where a part is missing.
            TypeError: where a part is something else.
        """
        measures = tuple(str(name) for name in stored["measures"])
        mean, deviation = (tuple(float(value) for value in stored[part]) for part in ("mean", "deviation"))
        correlation = tuple(tuple(float(value) for value in row) for row in stored["correlation"])
        if {len(mean), len(deviation), len(correlation), *map(len, correlation)} != {len(measures)}:
            raise ValueError("the measures and their correlations are not equally many")
        return cls(measures, mean, deviation, correlation, float(stored["limit"]), int(stored["images"]))
