"""Whether the head moved while its slices were taken, by how neighbouring slices lie to each other."""

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from islesnet.components import fill_slices
from islesnet.volumes.levels import bright_part, robust

LEAST_SLICES = 8
LEAST_CM2 = 40.0  # smaller sections of a head change their middle from slice to slice without any motion


def slice_zigzag_mm(image: sitk.Image) -> float | None:
    """Measure how far slices lie beside the line through their two neighbours.

    Scanners take every second slice first: a head that moves between the two halves stands out as a zigzag of its
    sections' middles, where a still head's run smoothly.

    Args:
        image: 3D, slices along the third axis.

    Returns:
        the median distance in mm between the middle of a slice's section and that of its neighbours' middles, the
        head's own bend taken off; None for fewer than 8 slices of head.
    """
    head = fill_slices(sitk.GetArrayFromImage(bright_part(robust(image))).astype(bool))  # (Z, Y, X)
    across, down, _ = image.GetSpacing()
    areas_cm2 = head.sum(axis=(1, 2)) * across * down / 100
    wanted = np.flatnonzero(areas_cm2 > LEAST_CM2)
    if len(wanted) < LEAST_SLICES:
        return None
    middles = np.array([ndimage.center_of_mass(head[index]) for index in wanted]) * [down, across]
    bends = middles[1:-1] - (middles[:-2] + middles[2:]) / 2
    # A zigzag changes its sign from slice to slice; the head's own shape does not.
    signs = (-1.0) ** np.arange(len(bends))[:, None]
    return float(np.linalg.norm(np.median(bends * signs, axis=0)))
