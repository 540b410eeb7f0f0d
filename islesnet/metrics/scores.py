"""All scores of one patient's mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from islesnet.metrics.distances import surface_distances
from islesnet.metrics.lesions import LesionCounts
from islesnet.metrics.overlap import VoxelCounts

# These depend on which slices are neighbours: for a stack of slices that were apart in the head they mean nothing.
NEIGHBOUR_SCORES = (
    "true_lesions",
    "predicted_lesions",
    "lesion_count_difference",
    "lesion_f1",
    "lesion_precision",
    "lesion_recall",
    "hd95_mm",
    "hd_mm",
    "assd_mm",
)


@dataclass(frozen=True)
class MaskScores:
    """How well a mask agrees with the truth; of the lesion class, in 3D, in ml and mm.

    The rules for empty masks are those of `VoxelCounts`, `LesionCounts` and `SurfaceDistances`.

    Args:
        dice: 2 TP / (2 TP + FP + FN).
        precision: TP / (TP + FP).
        sensitivity: TP / (TP + FN), also called recall.
        specificity: TN / (TN + FP).
        accuracy: (TP + TN) / all voxels of the grid.
        empty_mask_accuracy: the accuracy of a mask that marks nothing, without which the accuracy says little.
        brain_accuracy: accuracy over the voxels of the brain; NaN where the brain is not known.
        brain_empty_mask_accuracy: likewise of the empty mask.
        micro_precision: precision micro-averaged over lesion and background, which is the accuracy under another name.
        slice_dice: mean Dice of the axial slices that mask or truth marks; 1 where none is.
        slice_dice_all_slices: mean Dice of all axial slices, those empty in both as 1.
        true_ml: volume of the truth.
        predicted_ml: volume of the mask.
        volume_error_ml: mask minus truth.
        volume_difference_ml: its absolute value.
        true_lesions: 26-connected components of the truth.
        predicted_lesions: likewise of the mask.
        lesion_count_difference: absolute.
        lesion_f1: lesion-wise F1.
        lesion_precision: share of the marked lesions that meet a true one.
        lesion_recall: share of the true lesions that are met.
        hd95_mm: 95th percentile of the surface distances.
        hd_mm: Hausdorff distance.
        assd_mm: average symmetric surface distance.
        true_positives: voxels.
        false_positives: voxels.
        false_negatives: voxels.
        true_negatives: voxels.
    """

    dice: float
    precision: float
    sensitivity: float
    specificity: float
    accuracy: float
    empty_mask_accuracy: float
    brain_accuracy: float
    brain_empty_mask_accuracy: float
    micro_precision: float
    slice_dice: float
    slice_dice_all_slices: float
    true_ml: float
    predicted_ml: float
    volume_error_ml: float
    volume_difference_ml: float
    true_lesions: int
    predicted_lesions: int
    lesion_count_difference: int
    lesion_f1: float
    lesion_precision: float
    lesion_recall: float
    hd95_mm: float
    hd_mm: float
    assd_mm: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def score_mask(
    prediction: np.ndarray, truth: np.ndarray, spacing_mm: Sequence[float], brain: np.ndarray | None = None
) -> MaskScores:
    """Score a mask against the truth.

    Args:
        prediction: lesion where > 0.5; NaN is background.
        truth: likewise.
        spacing_mm: size of a voxel along each axis.
        brain: True inside the brain, where it is known.

    Shapes:
        all ``(X, Y, Z)``, Z across axial slices.

    Raises:
        ValueError: for different shapes, other than three axes, or a spacing that is not three lengths above 0.
    """
    _check(prediction, truth, spacing_mm, brain)
    marked, lesion = prediction > 0.5, truth > 0.5
    voxels, lesions = VoxelCounts.of(marked, lesion), LesionCounts.of(marked, lesion)
    distances = surface_distances(marked, lesion, spacing_mm)
    inside = VoxelCounts(0, 0, 0, 0) if brain is None else VoxelCounts.of(marked[brain > 0], lesion[brain > 0])
    slice_dice, slice_dice_all_slices = _slice_dice(marked, lesion)
    voxel_ml = float(np.prod(np.array(spacing_mm, dtype=float))) / 1000.0
    true_ml, predicted_ml = (voxels.both + voxels.missed) * voxel_ml, (voxels.both + voxels.wrong) * voxel_ml
    return MaskScores(
        dice=voxels.dice,
        precision=voxels.precision,
        sensitivity=voxels.sensitivity,
        specificity=voxels.specificity,
        accuracy=voxels.accuracy,
        empty_mask_accuracy=voxels.empty_mask_accuracy,
        brain_accuracy=inside.accuracy,
        brain_empty_mask_accuracy=inside.empty_mask_accuracy,
        micro_precision=voxels.micro_precision,
        slice_dice=slice_dice,
        slice_dice_all_slices=slice_dice_all_slices,
        true_ml=true_ml,
        predicted_ml=predicted_ml,
        volume_error_ml=predicted_ml - true_ml,
        volume_difference_ml=abs(predicted_ml - true_ml),
        true_lesions=lesions.true,
        predicted_lesions=lesions.marked,
        lesion_count_difference=abs(lesions.marked - lesions.true),
        lesion_f1=lesions.f1,
        lesion_precision=lesions.precision,
        lesion_recall=lesions.recall,
        hd95_mm=distances.hd95,
        hd_mm=distances.hd,
        assd_mm=distances.assd,
        true_positives=voxels.both,
        false_positives=voxels.wrong,
        false_negatives=voxels.missed,
        true_negatives=voxels.neither,
    )


def _check(prediction: np.ndarray, truth: np.ndarray, spacing_mm: Sequence[float], brain: np.ndarray | None) -> None:
    if prediction.shape != truth.shape:
        raise ValueError(f"the mask has shape {prediction.shape}, the truth {truth.shape}; score them on one grid.")
    if truth.ndim != 3 or truth.size == 0:
        raise ValueError(f"the masks have shape {truth.shape}; voxels along three axes (X, Y, Z) are needed.")
    if brain is not None and brain.shape != truth.shape:
        raise ValueError(f"the brain has shape {brain.shape}, the truth {truth.shape}; give it on the same grid.")
    if len(spacing_mm) != 3 or not all(0 < length < float("inf") for length in spacing_mm):
        lengths = [float(length) for length in spacing_mm]
        raise ValueError(f"the spacing is {lengths}; three lengths in mm, all above 0, are needed.")


def _slice_dice(marked: np.ndarray, lesion: np.ndarray) -> tuple[float, float]:
    """Give the mean Dice of the slices that mask or truth marks, and that of all."""
    both, of_mask, of_truth = (np.count_nonzero(mask, axis=(0, 1)) for mask in (marked & lesion, marked, lesion))
    seen = of_mask + of_truth > 0
    dice = np.ones(len(seen))
    dice[seen] = 2 * both[seen] / (of_mask + of_truth)[seen]
    return (float(dice[seen].mean()) if seen.any() else 1.0), float(dice.mean())
