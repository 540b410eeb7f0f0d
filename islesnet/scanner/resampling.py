"""Carry images to another grid in one step, and masks back so that their volume stays."""

import numpy as np
import SimpleITK as sitk  # noqa: N813

# Finer than the target by up to this factor along an axis; beyond it averaging gains nothing.
MOST_SAMPLES = 8
HALF = 0.5


def resample(
    image: sitk.Image, grid: sitk.Image, transform: sitk.Transform | None = None, outside: float = 0.0
) -> sitk.Image:
    """Carry an image to a grid in one interpolation, linear; where the grid's voxels are larger, averaged over them.

    Args:
        image: values of any kind; float32 comes out.
        grid: an image whose grid is taken.
        transform: takes points of the grid to points of the image (`Alignment.transform`); none where the headers
            say it already.
        outside: the value where the image shows nothing.
    """
    transform = transform or sitk.Transform()
    samples = [min(max(1, round(spanned)), MOST_SAMPLES) for spanned in _voxels_spanned(image, grid, transform)]
    thin = np.array(grid.GetSpacing()) / samples
    direction = np.array(grid.GetDirection()).reshape(3, 3)
    # The first of the samples that share a voxel lies before the voxel's centre.
    first = np.array(grid.GetOrigin()) - direction @ ((np.array(samples) - 1) / 2 * thin)
    fine = sitk.Resample(
        image,
        [length * count for length, count in zip(grid.GetSize(), samples, strict=True)],
        transform,
        sitk.sitkLinear,
        first.tolist(),
        thin.tolist(),
        grid.GetDirection(),
        outside,
        sitk.sitkFloat32,
    )
    averaged = sitk.BinShrink(fine, samples) if max(samples) > 1 else fine
    averaged.CopyInformation(grid)
    return averaged


def mask_on(grid: sitk.Image, soft_mask: sitk.Image, transform: sitk.Transform | None = None) -> sitk.Image:
    """Carry a mask, or better the probabilities that it comes from, to a grid: uint8, 1 from a half upwards.

    Args:
        grid: for example any sequence as it came from the scanner.
        soft_mask: values 0 to 1.
        transform: takes points of the grid to points of the mask; none where the headers say it already. For the
            grid of a sequence that was registered it is the inverse of `Alignment.transform`.
    """
    return sitk.Cast(resample(soft_mask, grid, transform) >= HALF, sitk.sitkUInt8)


def _voxels_spanned(image: sitk.Image, grid: sitk.Image, transform: sitk.Transform) -> list[float]:
    """Give how many of an image's voxels one voxel of the grid spans, along each axis of the grid.

    Where the axes are turned against the image's, an edge crosses steps of several of them, and the most count. Slices
    that coincide are one step apart, however fine the image is within them.
    """
    centre = [(length - 1) / 2 for length in grid.GetSize()]
    ends = [[place + (axis == own) for axis, place in enumerate(centre)] for own in range(3)]
    places = [transform.TransformPoint(grid.TransformContinuousIndexToPhysicalPoint(end)) for end in (centre, *ends)]
    start, *others = (np.array(image.TransformPhysicalPointToContinuousIndex(place)) for place in places)
    return [float(np.abs(other - start).max()) for other in others]
