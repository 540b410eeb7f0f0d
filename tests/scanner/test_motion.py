import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.scanner import slice_zigzag_mm


def ellipsoid(shifts_mm, spacing=(2.0, 1.5, 5.0)):
    """A head of 24 slices, each shifted along x by so many mm."""
    z, y, x = np.indices((24, 120, 90)).astype(float)
    x = (x - 45) * spacing[0] - np.asarray(shifts_mm)[:, None, None]
    y, z = (y - 60) * spacing[1], (z - 12) * spacing[2]
    image = sitk.GetImageFromArray(np.float32(100) * ((x / 65) ** 2 + (y / 75) ** 2 + (z / 80) ** 2 < 1))
    image.SetSpacing(spacing)
    return image


def test_a_still_head_has_no_zigzag():
    assert slice_zigzag_mm(ellipsoid(np.zeros(24))) == pytest.approx(0, abs=0.05)


def test_a_head_that_leans_has_no_zigzag():
    assert slice_zigzag_mm(ellipsoid(np.arange(24) * 0.8)) == pytest.approx(0, abs=0.15)


@pytest.mark.parametrize("shift_mm", [2.0, 5.0])
def test_size_of_a_zigzag_is_told_in_mm(shift_mm):
    found = slice_zigzag_mm(ellipsoid(np.arange(24) % 2 * shift_mm))
    assert found == pytest.approx(shift_mm, rel=0.15)


def test_one_slice_out_of_place_is_no_zigzag():
    shifts = np.zeros(24)
    shifts[10] = 5.0
    assert slice_zigzag_mm(ellipsoid(shifts)) == pytest.approx(0, abs=0.05)


def test_too_few_slices_say_nothing():
    assert slice_zigzag_mm(ellipsoid(np.zeros(24))[:, :, 8:14]) is None


def test_real_still_scans_have_no_zigzag(real_data):
    image = sitk.ReadImage(str(real_data / "isles22-mca" / "dwi.mha"), sitk.sitkFloat32)
    assert slice_zigzag_mm(image) < 0.3
