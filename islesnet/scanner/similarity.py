"""How alike two scans of different contrast are as they lie, and whether every small move makes them less alike."""

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from islesnet.scanner.rigid import turned
from islesnet.volumes.levels import bright_part, points_of, robust, shrink, widened

BINS = 32
SPACING_MM = 4.0
NUDGE_MM = 4.0
NUDGE_DEGREES = 4.0


class Likeness:
    """Measure the normalised mutual information of two scans around the head of the first, at 4 mm.

    (H(A) + H(B)) / H(A, B), Studholme et al., Pattern Recognition 32:71, 1999: 1 for scans that have nothing to do
    with each other, 2 for scans of which each determines the other.

    Args:
        fixed: scan whose head is looked at.
        moving: the other scan.
    """

    def __init__(self, fixed: sitk.Image, moving: sitk.Image) -> None:
        self._fixed = shrink(robust(fixed), SPACING_MM)
        self._moving = shrink(robust(moving), SPACING_MM)
        head = bright_part(self._fixed)
        self._around = sitk.GetArrayFromImage(widened(head, 6.0)).astype(bool)
        self._bins = _to_bins(sitk.GetArrayFromImage(self._fixed)[self._around])
        self._centre = points_of(head).mean(axis=0)

    def under(self, transform: sitk.Transform) -> float:
        """Measure with a transform that takes points of the fixed scan to points of the moving one."""
        there = sitk.Resample(self._moving, self._fixed, transform, sitk.sitkLinear, 0.0)
        bins = _to_bins(sitk.GetArrayViewFromImage(there)[self._around])
        joint = np.bincount(self._bins * BINS + bins, minlength=BINS**2).reshape(BINS, BINS)
        both = _entropy(joint.ravel())
        return (_entropy(joint.sum(0)) + _entropy(joint.sum(1))) / both if both > 0 else 1.0

    def is_peak_at(self, transform: sitk.Euler3DTransform) -> bool:
        """Tell whether nudging the transform, along or about any axis, makes the scans less alike."""
        step = max(NUDGE_MM, *self._moving.GetSpacing())
        best = self.under(transform)
        for axis, sign in np.ndindex(3, 2):
            unit = np.eye(3)[axis] * (2 * sign - 1)
            for degrees, shift in ((NUDGE_DEGREES * unit, np.zeros(3)), (np.zeros(3), step * unit)):
                nudged = sitk.CompositeTransform([transform, turned(degrees, self._centre, shift)])
                if self.under(nudged) >= best:
                    return False
        return True


def _to_bins(values: NDArray[np.float32]) -> NDArray[np.int64]:
    highest = max(float(values.max(initial=0)), 1e-6)
    return np.clip(values * (BINS / highest), 0, BINS - 1).astype(np.int64)  # smoothing undershoots 0


def _entropy(counts: NDArray[np.int64]) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
