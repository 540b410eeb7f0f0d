"""What any trained network has to beat: a threshold on the DWI."""

from collections.abc import Iterable

import numpy as np

THRESHOLDS = tuple(float(step) for step in np.arange(1.0, 6.01, 0.25))


def threshold_dwi(dwi: np.ndarray, deviations: float) -> np.ndarray:
    """Mark what is brighter on DWI than the brain's median by so many robust standard deviations.

    Args:
        dwi: skull-stripped, background near 0.
        deviations: 1.4826 times the median absolute deviation is one.

    Shapes:
        ``(X, Y, Z)`` -> the same, bool.
    """
    brain = dwi[dwi > 0.02 * np.percentile(dwi, 99.5)]
    if brain.size == 0:
        return np.zeros(dwi.shape, dtype=bool)
    median = np.median(brain)
    deviation = 1.4826 * np.median(np.abs(brain - median))
    return np.asarray(dwi > median + deviations * deviation)


def best_threshold(scans: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Choose the number of deviations with the highest mean Dice, on patients the result is not reported for.

    Args:
        scans: DWI and truth of each patient.
    """
    dice = []
    for dwi, truth in scans:
        lesion = truth > 0.5
        size = int(lesion.sum())
        masks = (threshold_dwi(dwi, deviations) for deviations in THRESHOLDS)
        dice.append([2 * int((mask & lesion).sum()) / max(int(mask.sum()) + size, 1) for mask in masks])
    return THRESHOLDS[int(np.mean(dice, axis=0).argmax())]
