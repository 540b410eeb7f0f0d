"""What any trained network has to beat: a threshold on the DWI."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from islesnet.metrics.overlap import VoxelCounts
from islesnet.volumes.background import on_zero

# What the baselines are called in tables and files.
EMPTY_MASK, DWI_THRESHOLD = "empty mask", "DWI threshold"
THRESHOLDS = tuple(float(step) for step in np.arange(1.0, 6.01, 0.25))


def threshold_dwi(dwi: np.ndarray, deviations: float) -> np.ndarray:
    """Mark what is brighter on DWI than the brain's median by so many robust standard deviations.

    Args:
        dwi: skull-stripped; the background may have any value.
        deviations: 1.4826 times the median absolute deviation is one.

    Shapes:
        ``(X, Y, Z)`` -> the same, bool.
    """
    return np.asarray(_brightness(dwi) > deviations)


def dice_by_threshold(dwi: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """Give the Dice of `threshold_dwi` at each of `THRESHOLDS`; the scan is looked at once.

    Args:
        dwi: as for `threshold_dwi`.
        truth: lesion where > 0.5.

    Shapes:
        both ``(X, Y, Z)``.
    """
    brightness, lesion = _brightness(dwi), truth > 0.5
    # Voxels that no threshold marks count the same at every threshold.
    bright = brightness > THRESHOLDS[0]
    brightness, inside = brightness[bright], lesion[bright]
    outside = int(np.count_nonzero(lesion)) - int(np.count_nonzero(inside))
    dice = []
    for deviations in THRESHOLDS:
        counts = VoxelCounts.of(brightness > deviations, inside)
        dice.append(VoxelCounts(counts.both, counts.wrong, counts.missed + outside, 0).dice)
    return tuple(dice)


def best_threshold(scans: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Choose the number of deviations with the highest mean Dice, on patients the result is not reported for.

    Args:
        scans: DWI and truth of each patient, one at least.

    Raises:
        ValueError: for no patient.
    """
    dice = [dice_by_threshold(dwi, truth) for dwi, truth in scans]
    if not dice:
        raise ValueError("there is no patient to choose the threshold on.")
    return THRESHOLDS[int(np.mean(dice, axis=0).argmax())]


def _brightness(dwi: np.ndarray) -> NDArray[np.float64]:
    """Say how many robust deviations each voxel is above the brain's median; nothing of an empty scan is bright."""
    dwi = on_zero(dwi)
    brain = dwi[dwi > 0.02 * np.percentile(dwi, 99.5)]
    if brain.size == 0:
        return np.zeros(dwi.shape)
    median = np.median(brain)
    deviation = 1.4826 * np.median(np.abs(brain - median))
    with np.errstate(divide="ignore", invalid="ignore"):  # a brain of one value: what is above it is infinitely bright
        return np.asarray((dwi - median) / deviation)
