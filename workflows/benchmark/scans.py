"""Synthetic patients put through a scanner: thick slices on an oblique grid, the head moved by a known amount."""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

FIELD_OF_VIEW_MM = (230.0, 230.0, 150.0)
VOXEL_MM = {"dwi": (1.8, 1.8, 5.0), "t1": (0.9, 0.9, 5.0), "t2": (0.9, 0.9, 5.0), "flair": (0.9, 0.9, 5.0)}


@dataclass(frozen=True)
class Grid:
    """Where and how finely a scan is taken.

    Args:
        spacing_mm: voxel edges; the last is the slice thickness.
        direction: axes of the grid, ``(3, 3)``.
        centre_mm: middle of the field of view.
    """

    spacing_mm: tuple[float, float, float]
    direction: NDArray[np.float64]
    centre_mm: NDArray[np.float64]

    def empty(self, slices_in_one: int = 1) -> sitk.Image:
        """Make an image without content, each slice cut into thinner ones."""
        spacing = np.array(self.spacing_mm) / [1, 1, slices_in_one]
        size = [round(extent / edge) for extent, edge in zip(FIELD_OF_VIEW_MM, self.spacing_mm, strict=True)]
        size[2] *= slices_in_one
        image = sitk.Image(size, sitk.sitkFloat32)
        image.SetSpacing(spacing.tolist())
        image.SetDirection(self.direction.ravel().tolist())
        image.SetOrigin((self.centre_mm - self.direction @ ((np.array(size) - 1) / 2 * spacing)).tolist())
        return image


def scan(head: sitk.Image, grid: Grid, motion: sitk.Transform) -> sitk.Image:
    """Scan a head that has moved: what is at ``motion(p)`` in the head is seen at p, averaged over the slice."""
    slices_in_one = max(1, round(grid.spacing_mm[2]))
    thin = sitk.Resample(head, grid.empty(slices_in_one), motion, sitk.sitkLinear, 0.0)
    array = sitk.GetArrayFromImage(thin)
    thick = sitk.GetImageFromArray(array.reshape(-1, slices_in_one, *array.shape[1:]).mean(axis=1))
    thick.CopyInformation(grid.empty())
    return thick


def random_turn(rng: np.random.Generator, most_degrees: float) -> NDArray[np.float64]:
    """Draw a rotation about any axis by up to so many degrees, ``(3, 3)``."""
    return Rotation.from_rotvec(_direction(rng) * rng.uniform(0, most_degrees), degrees=True).as_matrix()


def random_shift(rng: np.random.Generator, most_mm: float) -> NDArray[np.float64]:
    """Draw a shift in any direction by up to so many mm, ``(3,)``."""
    return _direction(rng) * rng.uniform(0, most_mm)


def _direction(rng: np.random.Generator) -> NDArray[np.float64]:
    normal = rng.standard_normal(3)
    return normal / np.linalg.norm(normal)
