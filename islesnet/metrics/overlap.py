"""Voxels of a mask and of the truth, counted, and the ratios made of the counts."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class VoxelCounts:
    """How many voxels mask and truth have in common, and how many not; of one patient, or summed over many.

    Every ratio has a rule for 0 / 0, the same everywhere: what is rightly empty counts as right.

    Args:
        both: lesion in mask and truth (true positives).
        wrong: lesion in the mask alone (false positives).
        missed: lesion in the truth alone (false negatives).
        neither: background in both (true negatives).
    """

    both: int
    wrong: int
    missed: int
    neither: int

    @classmethod
    def of(cls, marked: np.ndarray, lesion: np.ndarray) -> "VoxelCounts":
        """Count two masks of bool and one shape."""
        both = int(np.count_nonzero(marked & lesion))
        marked_count, lesion_count = int(np.count_nonzero(marked)), int(np.count_nonzero(lesion))
        return cls(both, marked_count - both, lesion_count - both, marked.size - marked_count - lesion_count + both)

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN); 1 where both masks are empty."""
        return _share(2 * self.both, 2 * self.both + self.wrong + self.missed, 1.0)

    @property
    def precision(self) -> float:
        """TP / (TP + FP); 1 where both masks are empty, 0 where the mask alone is."""
        return _share(self.both, self.both + self.wrong, 1.0 if self.missed == 0 else 0.0)

    @property
    def sensitivity(self) -> float:
        """TP / (TP + FN); 1 where the truth is empty."""
        return _share(self.both, self.both + self.missed, 1.0)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP); 1 where the truth fills everything."""
        return _share(self.neither, self.neither + self.wrong, 1.0)

    @property
    def accuracy(self) -> float:
        """(TP + TN) / all; NaN of no voxels."""
        return _share(self.both + self.neither, self._all, float("nan"))

    @property
    def empty_mask_accuracy(self) -> float:
        """The accuracy of a mask that marks nothing on the same truth, without which the accuracy says little."""
        return _share(self.neither + self.wrong, self._all, float("nan"))

    @property
    def micro_precision(self) -> float:
        """Precision micro-averaged over background and lesion; each voxel is of one class, so it is the accuracy."""
        return self.accuracy

    @property
    def _all(self) -> int:
        return self.both + self.wrong + self.missed + self.neither


def _share(part: int, whole: int, of_nothing: float) -> float:
    return part / whole if whole else of_nothing
