import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.scanner import correct_bias


def shaded_ball():
    places = np.indices((30, 30, 30)) - 14.5
    ball = (places**2).sum(axis=0) < 12**2
    clean = np.where(ball, np.where(places[0] % 6 < 3, 100.0, 160.0), 0.0)
    shading = np.exp(0.5 * places[2] / 15)
    image = sitk.GetImageFromArray((clean * shading).astype(np.float32))
    image.SetSpacing([4.0, 4.0, 4.0])
    return image, ball & (clean == 100), shading


def test_shading_is_taken_out():
    image, tissue, _ = shaded_ball()
    before = sitk.GetArrayFromImage(image)[tissue]
    after = sitk.GetArrayFromImage(correct_bias(image))[tissue]
    assert after.std() / after.mean() < 0.4 * before.std() / before.mean()


def test_grid_and_input_are_left_as_they_were():
    image, *_ = shaded_ball()
    kept = sitk.GetArrayFromImage(image)
    corrected = correct_bias(image)
    assert corrected.GetSize() == image.GetSize()
    assert corrected.GetSpacing() == image.GetSpacing()
    assert np.array_equal(sitk.GetArrayFromImage(image), kept)
