"""Lesion by lesion: how many of the true ones are found, and how many of the marked ones are true."""

from dataclasses import dataclass

import numpy as np

from islesnet.components import label_lesions

# More than a patient's infarcts have together: the largest of the 28 training patients of ISLES 2015 SISS has 233.5 ml.
LARGEST_LESION_ML = 400.0


@dataclass(frozen=True)
class LesionCounts:
    """Lesions of mask and truth, 26-connected.

    A true lesion is found when the mask has one voxel in common with it, and a marked one is right likewise: the rules
    of ISLES 2022 (github.com/ezequieldlrosa/isles22, utils/eval_utils.py).

    Args:
        true: lesions of the truth.
        found: of these, those that the mask meets.
        marked: lesions of the mask.
        right: of these, those that meet the truth.
    """

    true: int
    found: int
    marked: int
    right: int

    @classmethod
    def of(cls, marked: np.ndarray, lesion: np.ndarray) -> "LesionCounts":
        """Count the lesions of two masks of bool, ``(X, Y, Z)``."""
        true_lesions, true = label_lesions(lesion)
        marked_lesions, count = label_lesions(marked)
        both = marked & lesion
        found, right = (len(np.unique(labels[both])) for labels in (true_lesions, marked_lesions))
        return cls(true, found, count, right)

    @property
    def recall(self) -> float:
        """Found / true; 1 where there is no true lesion."""
        return self.found / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """Right / marked; where nothing is marked 1 if nothing is there, else 0."""
        if self.marked:
            return self.right / self.marked
        return 1.0 if self.true == 0 else 0.0

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN) with TP the found, FN the true not found, FP the marked that are not right.

        1 where both masks are empty. A marked lesion over two true ones finds both, so found and right may differ; TP
        are the found, so this is not the harmonic mean of recall and precision.
        """
        wrong, missed = self.marked - self.right, self.true - self.found
        if self.true == 0 and self.marked == 0:
            return 1.0
        return 2 * self.found / (2 * self.found + wrong + missed)
