import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.volumes.levels import bright_part, robust, shrink


def ramp(size, spacing):
    """An image whose values are the sum of its voxels' indices, in mm."""
    places = np.indices(size).T * spacing  # (X, Y, Z) -> (Z, Y, X, 3)
    image = sitk.GetImageFromArray(places.sum(axis=-1).astype(np.float32))
    image.SetSpacing(spacing)
    image.SetDirection([0, 1, 0, 1, 0, 0, 0, 0, -1])
    return image


def middle_of(image):
    return np.array(image.TransformContinuousIndexToPhysicalPoint([(size - 1) / 2 for size in image.GetSize()]))


def test_shrunk_image_has_larger_voxels_in_the_same_place_and_thick_slices_stay():
    image = ramp((40, 30, 10), (1.0, 1.0, 5.0))

    small = shrink(image, 3.0)

    assert small.GetSpacing() == (3.0, 3.0, 5.0)
    assert small.GetSize() == (14, 10, 10)
    assert middle_of(small) == pytest.approx(middle_of(image))
    there = image.TransformPhysicalPointToContinuousIndex(small.TransformIndexToPhysicalPoint((7, 5, 4)))
    assert small.GetPixel(7, 5, 4) == pytest.approx(np.dot(there, image.GetSpacing()), rel=1e-3)  # a ramp stays one


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_slab_too_thin_to_be_smoothed_is_shrunk(slices):
    small = shrink(ramp((40, 30, slices), (1.0, 1.0, 1.0)), 3.0)

    assert small.GetSize() == (14, 10, 1)
    assert np.isfinite(sitk.GetArrayViewFromImage(small)).all()


@pytest.mark.parametrize("sequence", ["dwi", "t1", "t2", "flair"])
@pytest.mark.parametrize("offset", [-1024.0, 500.0])
def test_head_is_the_same_whatever_value_the_background_has(head, sequence, offset):
    image, shifted = robust(head[sequence]), robust(head[sequence] + offset)
    parts = [sitk.GetArrayFromImage(bright_part(scan)) for scan in (image, shifted)]
    brightest = float(sitk.GetArrayViewFromImage(image).max())
    assert sitk.GetArrayFromImage(shifted - image) == pytest.approx(0, abs=0.03 * brightest)
    assert np.mean(parts[0] != parts[1]) < 0.01


def test_no_voxel_is_added_by_rounding():
    assert shrink(ramp((100, 100, 4), (1.1, 1.1, 5.0)), 2.0).GetSize()[:2] == (55, 55)
