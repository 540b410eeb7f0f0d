"""Take the coil's shading out of an image: N4, at low resolution and in a fixed number of steps, so in bounded time."""

import SimpleITK as sitk  # noqa: N813

from islesnet.scanner.levels import bright_part, shrink

# Shading is smooth: 4 mm show all of it. A larger field of view is looked at more coarsely still.
SPACING_MM = 4.0
MOST_VOXELS = 250_000
STEPS = (40, 30, 20)


def correct_bias(image: sitk.Image, mask: sitk.Image | None = None) -> sitk.Image:
    """Divide an image by its bias field (N4: Tustison et al., IEEE TMI 29:1310, 2010).

    Args:
        image: values of 0 and more; float32 comes out.
        mask: where the field is found, best the brain; the bright part of the image where none is given.
    """
    image = sitk.Cast(image, sitk.sitkFloat32)
    spacing = SPACING_MM
    coarse = shrink(image, spacing)
    while coarse.GetNumberOfPixels() > MOST_VOXELS:
        spacing *= 1.25
        coarse = shrink(image, spacing)
    if mask is None:
        where = bright_part(coarse)
    else:
        where = sitk.Resample(mask, coarse, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8) > 0
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(STEPS)
    correction.Execute(sitk.Maximum(coarse, 0.0), where)
    return image / sitk.Exp(sitk.Cast(correction.GetLogBiasFieldAsImage(image), sitk.sitkFloat32))
