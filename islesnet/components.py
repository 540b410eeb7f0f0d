"""Connected components of a mask: lesions, and the holes of its slices."""

import numpy as np
from numpy.typing import NDArray
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


def fill_slices(mask: NDArray[np.bool_], axis: int = 0) -> NDArray[np.bool_]:
    """Fill the holes of every slice: what no path of voxels that share an edge joins to the slice's border.

    The same as `scipy.ndimage.binary_fill_holes` of each slice, in less than half of the time.

    Args:
        mask: of bool.
        axis: along which its slices lie.

    Shapes:
        ``(A, B, C)`` -> the same.
    """
    return np.stack([_filled(plane) for plane in np.moveaxis(mask, axis, 0)], axis)


def _filled(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    holes, count = ndimage.label(~plane)
    is_open = np.zeros(count + 1, dtype=bool)
    for border in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        is_open[border] = True
    is_open[0] = False
    return ~is_open[holes]
