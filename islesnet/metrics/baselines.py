"""What any trained network has to beat: a threshold on the DWI."""

from collections.abc import Iterable

import numpy as np

from islesnet.metrics.overlap import VoxelCounts

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
        scans: DWI and truth of each patient, one at least.

    Raises:
        ValueError: for no patient.
    """
    dice = [
        [VoxelCounts.of(threshold_dwi(dwi, deviations), truth > 0.5).dice for deviations in THRESHOLDS]
        for dwi, truth in scans
    ]
    if not dice:
        raise ValueError("there is no patient to choose the threshold on.")
    return THRESHOLDS[int(np.mean(dice, axis=0).argmax())]
