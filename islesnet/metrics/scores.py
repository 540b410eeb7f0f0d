"""Voxel-wise scores of one patient's mask."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MaskScores:
    """How well a mask agrees with the truth; the lesion class alone, over all voxels of the grid.

    Args:
        dice: 2 TP / (2 TP + FP + FN); 1 where both masks are empty.
        precision: TP / (TP + FP); 1 where both are empty, 0 where the mask alone is.
        sensitivity: TP / (TP + FN); 1 where the truth is empty.
        specificity: TN / (TN + FP).
        accuracy: (TP + TN) / all.
        empty_mask_accuracy: the accuracy of a mask that marks nothing, without which the accuracy says little.
        predicted_ml: volume of the mask.
        true_ml: volume of the truth.
    """

    dice: float
    precision: float
    sensitivity: float
    specificity: float
    accuracy: float
    empty_mask_accuracy: float
    predicted_ml: float
    true_ml: float


def score_mask(prediction: np.ndarray, truth: np.ndarray, voxel_ml: float) -> MaskScores:
    """Score a mask against the truth.

    Args:
        prediction: lesion where > 0.5.
        truth: lesion where > 0.5.
        voxel_ml: volume of a voxel in ml.

    Shapes:
        both ``(X, Y, Z)``.

    Raises:
        ValueError: for different shapes.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"the mask has shape {prediction.shape}, the truth {truth.shape}; score them on one grid.")
    marked, lesion = prediction > 0.5, truth > 0.5
    both = int(np.count_nonzero(marked & lesion))
    marked_count, lesion_count = int(np.count_nonzero(marked)), int(np.count_nonzero(lesion))
    neither = marked.size - marked_count - lesion_count + both
    return MaskScores(
        dice=_share(2 * both, marked_count + lesion_count, 1.0),
        precision=_share(both, marked_count, 1.0 if lesion_count == 0 else 0.0),
        sensitivity=_share(both, lesion_count, 1.0),
        specificity=_share(neither, marked.size - lesion_count, 1.0),
        accuracy=(both + neither) / marked.size,
        empty_mask_accuracy=1.0 - lesion_count / marked.size,
        predicted_ml=marked_count * voxel_ml,
        true_ml=lesion_count * voxel_ml,
    )


def _share(part: int, whole: int, of_nothing: float) -> float:
    return part / whole if whole else of_nothing
