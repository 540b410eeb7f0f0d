"""Lesions as connected components of a mask."""

import numpy as np
from scipy import ndimage

# Voxels that share a face, an edge or a corner belong together, as in ISLES 2022's lesion count.
TOUCHING = np.ones((3, 3, 3), dtype=bool)


def label_lesions(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the lesions of a mask, 26-connected.

    Shapes:
        ``(X, Y, Z)`` bool -> the same, integers.

    Returns:
        an array with 0 for background and 1..n for the lesions, and n.
    """
    lesions, count = ndimage.label(mask, structure=TOUCHING)
    return lesions, int(count)
