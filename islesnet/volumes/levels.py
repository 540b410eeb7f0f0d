"""Smoothed and shrunk copies of an image for work from coarse to fine, whatever the shape of its voxels."""

import math

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from islesnet.volumes.background import on_zero

# A scanner's voxel averages about as much as a normal density of this share of its edge.
SIGMA_OF_EDGE = 0.45
FEWEST_SMOOTHED = 4  # voxels along an axis, for a recursive filter
ROUNDING = 1e-6  # of a voxel: without it, rounding can add a last one that lies half outside of the image


def image_on_zero(image: sitk.Image) -> sitk.Image:
    """Give the image as float32 with a background of 0, as `islesnet.volumes.background.on_zero`."""
    image = sitk.Cast(image, sitk.sitkFloat32)
    values = sitk.GetArrayViewFromImage(image)
    zeroed = on_zero(values)
    if zeroed is values:
        return image
    shifted = sitk.GetImageFromArray(zeroed)
    shifted.CopyInformation(image)
    return shifted


def robust(image: sitk.Image) -> sitk.Image:
    """Give the image as float32 with a background of 0, cut off there and at the 99.5th percentile of what is above."""
    image = image_on_zero(image)
    above = _above_zero(image)
    return sitk.Clamp(image, sitk.sitkFloat32, 0.0, float(np.percentile(above, 99.5)) if above.size else 1.0)


def shrink(image: sitk.Image, spacing_mm: float) -> sitk.Image:
    """Resample to voxels of at least `spacing_mm`, smoothed first; an axis whose voxels are larger stays as it is.

    So 5 mm slices are never averaged where their pixels are, which one factor for all axes would do. One axis after the
    other: both steps are separable, and the second and third have less to do.
    """
    image = sitk.Cast(image, sitk.sitkFloat32)
    for axis, edge in enumerate(image.GetSpacing()):
        if edge < 0.75 * spacing_mm and image.GetSize()[axis] >= FEWEST_SMOOTHED:
            sigma = SIGMA_OF_EDGE * float(np.sqrt(spacing_mm**2 - edge**2))
            image = sitk.RecursiveGaussian(image, sigma, False, sitk.RecursiveGaussianImageFilter.ZeroOrder, axis)
        if edge < spacing_mm:
            image = _shrunk_along(axis, image, spacing_mm)
    return image


def bright_part(image: sitk.Image) -> sitk.Image:
    """Mark what is brighter than an eighth of the bright tissue: the head, or the brain where it is extracted.

    Args:
        image: its background is 0, as that of `robust` is.
    """
    above = _above_zero(image)
    threshold = 0.12 * float(np.percentile(above, 98)) if above.size else 1.0
    return sitk.BinaryThreshold(image, threshold, float(np.finfo(np.float32).max), 1, 0)


def widened(mask: sitk.Image, margin_mm: float) -> sitk.Image:
    """Widen a mask by a margin, at least one voxel along each axis."""
    return sitk.BinaryDilate(mask, [max(1, round(margin_mm / edge)) for edge in mask.GetSpacing()])


def points_of(mask: sitk.Image) -> NDArray[np.float64]:
    """Give the places of a mask's voxels in mm, ``(N, 3)``."""
    indices = np.argwhere(sitk.GetArrayViewFromImage(mask))[:, ::-1]
    direction = np.array(mask.GetDirection()).reshape(3, 3)
    offsets: NDArray[np.float64] = (indices * np.array(mask.GetSpacing())) @ direction.T
    return offsets + np.array(mask.GetOrigin())


def _shrunk_along(axis: int, image: sitk.Image, coarse_mm: float) -> sitk.Image:
    """Interpolate along one axis to larger voxels; both grids have the same centre."""
    size, spacing = list(image.GetSize()), list(image.GetSpacing())
    old_size, fine_mm = size[axis], spacing[axis]
    size[axis], spacing[axis] = max(math.ceil(old_size * fine_mm / coarse_mm - ROUNDING), 1), coarse_mm
    along = np.array(image.GetDirection()).reshape(3, 3)[:, axis]
    origin = np.array(image.GetOrigin()) + along * ((old_size - 1) * fine_mm - (size[axis] - 1) * coarse_mm) / 2
    transform, direction = sitk.Transform(), image.GetDirection()
    return sitk.Resample(
        image, size, transform, sitk.sitkLinear, origin.tolist(), spacing, direction, 0.0, sitk.sitkFloat32
    )


def _above_zero(image: sitk.Image) -> NDArray[np.float32]:
    array = sitk.GetArrayViewFromImage(image)
    return array[array > 0]
