"""Distances between the surfaces of two masks, in mm."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

# Up to this many pairs of surface voxels per voxel of the box, the tree is never slower than the transform.
_PAIRS_A_VOXEL = 32
# A leaf is searched voxel by voxel; with the default of 10 the tree takes three times as long where many voxels are
# about equally far away.
_LEAF_VOXELS = 64


@dataclass(frozen=True)
class SurfaceDistances:
    """How far the surfaces of mask and truth lie apart, in mm.

    A surface is the voxels of a mask that have a face in common with its background; what lies beyond the grid is
    background. A distance goes from the centre of a surface voxel to that of the nearest one of the other surface.

    Args:
        hd: Hausdorff distance, the largest of all.
        hd95: 95th percentile (linear between ranks) of the distances of both directions together, as medpy's. MONAI
            takes the larger of the two directions' percentiles; surface-distance does so too, and weighs by area.
        assd: average symmetric surface distance, the mean of both directions together, as medpy's and MONAI's.
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
    first, second = _surface(marked[box]), _surface(lesion[box])
    spacing = np.array(spacing_mm, dtype=float)
    with ThreadPoolExecutor(2) as threads:  # scipy computes both directions at once
        there, back = threads.map(_to_nearest, (first, second), (second, first), (spacing, spacing))
    both = np.concatenate([there, back])
    return SurfaceDistances(hd=float(both.max()), hd95=float(np.percentile(both, 95)), assd=float(both.mean()))


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)


def _to_nearest(surface: np.ndarray, other: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Measure from every voxel of a surface to the nearest of the other: ``(X, Y, Z)`` -> ``(voxels,)``."""
    # The tree is quick however large the box is, but slow where many voxels are about equally far away, as from the
    # middle of a ball to its surface; the transform's time depends on the size of the box alone.
    if np.count_nonzero(surface) * np.count_nonzero(other) <= _PAIRS_A_VOXEL * surface.size:
        distances, _ = KDTree(np.argwhere(other) * spacing, leafsize=_LEAF_VOXELS).query(np.argwhere(surface) * spacing)
        return np.asarray(distances)
    return _transform(surface, other, spacing)


def _transform(surface: np.ndarray, other: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Measure as `_to_nearest` by a distance transform of the whole box."""
    nearest = ndimage.distance_transform_edt(~other, sampling=spacing, return_distances=False, return_indices=True)
    voxels = np.nonzero(surface)
    squared_mm = np.zeros(len(voxels[0]))
    for here, there, length in zip(voxels, nearest, spacing, strict=True):  # axis by axis
        squared_mm += ((here - there[voxels]) * length) ** 2
    return np.sqrt(squared_mm)
