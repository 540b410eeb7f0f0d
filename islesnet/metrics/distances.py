"""Distances between the surfaces of two masks, in mm."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

# Below so many border voxels a tree of them is quicker than a distance transform of the box around them.
TREE_VOXELS = 150_000


@dataclass(frozen=True)
class SurfaceDistances:
    """How far the surfaces of mask and truth lie apart, in mm.

    A surface is the voxels of a mask that have a face in common with its background; what lies beyond the grid is
    background. A distance goes from the centre of a surface voxel to that of the nearest surface voxel of the other mask.

    Args:
        hd: Hausdorff distance, the largest of all.
        hd95: 95th percentile (numpy's linear one) of the distances of both directions together, as medpy's. MONAI takes
            the larger of the two directions' percentiles, surface-distance weighs each voxel by its area.
        assd: average symmetric surface distance: mean of the two directions' means, as medpy's.
    """

    hd: float
    hd95: float
    assd: float


def surface_distances(marked: np.ndarray, lesion: np.ndarray, spacing_mm: Sequence[float]) -> SurfaceDistances:
    """Measure the distances between two masks.

    Both empty: 0. One empty: the diagonal of the image, which no distance in it exceeds.

    Args:
        marked: mask.
        lesion: truth.
        spacing_mm: size of a voxel along each axis.

    Shapes:
        both ``(X, Y, Z)`` bool.
    """
    if not marked.any() and not lesion.any():
        return SurfaceDistances(0.0, 0.0, 0.0)
    if not marked.any() or not lesion.any():
        diagonal = float(np.linalg.norm(np.array(marked.shape) * np.array(spacing_mm)))
        return SurfaceDistances(diagonal, diagonal, diagonal)
    box = ndimage.find_objects((marked | lesion).astype(np.uint8))[0]
    spacing = np.array(spacing_mm, dtype=float)
    surfaces = [_surface(mask[box]) for mask in (marked, lesion)]
    if max(np.count_nonzero(surface) for surface in surfaces) <= TREE_VOXELS:
        there, back = _by_tree(*surfaces, spacing)
    else:
        there, back = _by_transform(*surfaces, spacing)
    both = np.concatenate([there, back])
    return SurfaceDistances(
        hd=float(both.max()),
        hd95=float(np.percentile(both, 95)),
        assd=float((there.mean() + back.mean()) / 2),
    )


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)


def _by_tree(first: np.ndarray, second: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one, other = (np.argwhere(surface) * spacing for surface in (first, second))
    there, _ = KDTree(other).query(one, workers=-1)
    back, _ = KDTree(one).query(other, workers=-1)
    return there, back


def _by_transform(first: np.ndarray, second: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    to_first, to_second = (ndimage.distance_transform_edt(~surface, sampling=spacing) for surface in (first, second))
    return to_second[first], to_first[second]
