"""Grids of images: made from an affine, told apart, and the sheared ones refused."""

from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from islesnet.errors import InputError
from islesnet.volumes.axes import RAS_TO_LPS
from islesnet.volumes.geometry import SHEAR_DEGREES, shear_degrees


def image_of(array: NDArray[Any], affine: NDArray[np.floating[Any]], name: str = "The image") -> sitk.Image:
    """Make a SimpleITK image of an array and its affine.

    Args:
        array: values, in the order of the affine's axes.
        affine: voxel indices to mm, right-anterior-superior.
        name: what an error calls it.

    Shapes:
        array ``(X, Y, Z)``, affine ``(4, 4)``.

    Raises:
        InputError: the axes do not stand at right angles, which SimpleITK cannot hold.
    """
    lps = RAS_TO_LPS @ np.asarray(affine, float)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    direction = lps[:3, :3] / spacing
    shear = shear_degrees(lps)
    if shear > SHEAR_DEGREES:
        raise InputError(
            f"{name} lies on a grid that is sheared by {shear:.1f} degrees (gantry tilt?); its axes must stand at "
            "right angles: resample it to a straight grid first."
        )
    image = sitk.GetImageFromArray(np.ascontiguousarray(np.asarray(array).T))
    image.SetSpacing(spacing.tolist())
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


def affine_of(image: sitk.Image) -> NDArray[np.float64]:
    """Give an image's affine, voxel indices to mm, right-anterior-superior, ``(4, 4)``."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    ras: NDArray[np.float64] = RAS_TO_LPS @ affine
    return ras


def have_same_grid(first: sitk.Image, second: sitk.Image) -> bool:
    """Tell whether two images have the same voxels: one size, and no corner more than a tenth of a voxel apart."""
    if first.GetSize() != second.GetSize():
        return False
    last = np.array(first.GetSize()) - 1
    corners = [(last * corner).tolist() for corner in np.ndindex(2, 2, 2)]
    places = [
        np.array([image.TransformIndexToPhysicalPoint(corner) for corner in corners]) for image in (first, second)
    ]
    return bool(np.linalg.norm(places[0] - places[1], axis=1).max() < 0.1 * min(first.GetSpacing()))
