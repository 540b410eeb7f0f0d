"""The longest diameter of a lesion in an axial slice."""

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

# Voxels of a slice that share an edge or a corner are one cross-section.
_TOUCHING = np.ones((3, 3), dtype=bool)
_CORNERS = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])


def longest_axial_diameter(lesion: np.ndarray, affine: np.ndarray) -> float:
    """Measure the longest straight line, in mm, between two points of one cross-section of a lesion.

    The longest diameter in the axial plane, as RECIST 1.1 measures it (Eisenhauer et al., Eur J Cancer 45, 2009, doi
    10.1016/j.ejca.2008.10.026), over all slices. Points are the voxels' outer corners, so a lesion of one voxel has the
    voxel's diagonal. Parts that do not touch within the slice are measured each by itself.

    Args:
        lesion: of bool, marking at least one voxel.
        affine: voxel index to mm.

    Shapes:
        lesion ``(X, Y, Z)``, slices along the last axis.
    """
    # Lengths within the slice's plane, whatever its obliquity or shear: the first two columns in a basis of their own.
    in_plane = np.linalg.qr(affine[:3, :2])[1]
    return max(_diameter(lesion[..., index], in_plane) for index in np.flatnonzero(lesion.any(axis=(0, 1))))


def _diameter(plane: np.ndarray, in_plane: np.ndarray) -> float:
    labels, count = ndimage.label(plane, structure=_TOUCHING)
    return max(_section_diameter(np.argwhere(labels == number), in_plane) for number in range(1, count + 1))


def _section_diameter(voxels: np.ndarray, in_plane: np.ndarray) -> float:
    # (N, 1, 2) + (4, 2) -> (4 N, 2) in mm
    corners = (voxels[:, None] + _CORNERS).reshape(-1, 2) @ in_plane.T
    return float(pdist(corners[ConvexHull(corners).vertices]).max())
