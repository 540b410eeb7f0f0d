import numpy as np
import pytest
import torch

from islesnet.errors import InputError
from islesnet.transforms import NormalizeInBraind


def normalized(image, **arguments):
    return NormalizeInBraind(keys="dwi", **arguments)({"dwi": image})["dwi"]


def test_image_without_contrast_is_refused_by_name():
    with pytest.raises(ValueError, match="'t2' has no contrast"):
        NormalizeInBraind(keys="t2")({"t2": torch.full((1, 2, 2, 2), 7.0)})


def test_brain_of_one_value_is_refused_as_the_users_to_mend(stripped, tissue):
    with pytest.raises(InputError, match="'dwi' has no contrast: its foreground is 9 throughout"):
        normalized(stripped(0.0, np.full_like(tissue, 9.0)))


def test_hand_checked_values():
    # Brain of 1..5 in a field of zeros: median 3, quartiles 2 and 4, so one deviation is 2 / 1.349.
    image = torch.zeros(1, 1, 5, 2)
    image[0, 0, :, 0] = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    brain = normalized(image)[0, 0, :, 0]
    torch.testing.assert_close(brain, torch.tensor([-1.349, -0.6745, 0.0, 0.6745, 1.349]))


def test_brain_has_median_0_and_robust_deviation_1(stripped, head):
    low, median, high = np.percentile(normalized(stripped())[0].numpy()[head], [25, 50, 75])
    assert abs(median) < 1e-4
    assert abs((high - low) / 1.349 - 1) < 1e-3


@pytest.mark.parametrize("background", [-0.005, 5000.0, -1024.0])
def test_brain_comes_out_the_same_whatever_the_value_around_it(stripped, head, background):
    image = normalized(stripped(background))[0].numpy()
    np.testing.assert_allclose(image[head], normalized(stripped(0.0))[0].numpy()[head], atol=1e-4)


def test_brain_in_a_field_of_its_own_mean_comes_out_the_same_but_for_a_few_specks(stripped, head):
    image = normalized(stripped(400.0))[0].numpy()
    moved = np.abs(image - normalized(stripped(0.0))[0].numpy())[head]
    assert (moved > 0.02).mean() < 0.01


@pytest.mark.parametrize("background", [0.0, -0.005, 400.0, 5000.0])
def test_space_around_the_brain_is_put_on_the_lower_bound(stripped, head, background):
    assert bool((normalized(stripped(background))[0][torch.as_tensor(~head)] == -5.0).all())
    assert bool((normalized(stripped(background), bounds=(-3.0, 9.0))[0][torch.as_tensor(~head)] == -3.0).all())


def test_negative_intensities_are_legal(stripped, head, tissue):
    shifted = normalized(stripped(0.0, tissue - 500.0))[0].numpy()
    np.testing.assert_allclose(shifted[head], normalized(stripped(0.0))[0].numpy()[head], atol=1e-3)


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (3.7, 0.0), (1e4, 0.0), (1.0, -1000.0), (0.02, 50.0)])
def test_scale_and_shift_of_the_scanner_do_not_matter(stripped, scale, shift):
    image = stripped(-0.005)
    torch.testing.assert_close(normalized(image * scale + shift), normalized(image), atol=2e-3, rtol=1e-3)


def test_bright_lesion_does_not_move_the_rest_of_the_brain(stripped, head, tissue):
    lesion = np.zeros_like(head)
    lesion[8:12, 8:12, 4:8] = True  # 2.5 % of the brain
    healthy = normalized(stripped())[0].numpy()
    diseased = normalized(stripped(0.0, np.where(lesion, 5000.0, tissue)))[0].numpy()
    np.testing.assert_allclose(diseased[head & ~lesion], healthy[head & ~lesion], atol=0.15)
    assert bool((diseased[lesion] == 10.0).all())


def test_size_of_the_field_of_view_does_not_matter(stripped):
    image = stripped()
    wide = torch.nn.functional.pad(image, [10] * 6)
    torch.testing.assert_close(normalized(wide)[:, 10:-10, 10:-10, 10:-10], normalized(image))


def test_values_are_clipped_to_the_bounds(stripped, tissue):
    outlier = tissue.copy()
    outlier[12, 14, 6], outlier[12, 14, 7] = 1e6, -1e6
    image = normalized(stripped(0.0, outlier), bounds=(-2.0, 4.0))
    assert float(image[0, 12, 14, 6]) == 4.0
    assert float(image[0, 12, 14, 7]) == -2.0
    assert float(image.min()) >= -2.0


def test_each_sequence_is_normalised_on_its_own(stripped):
    item = {"dwi": stripped(), "flair": stripped() * 9 + 4}
    both = NormalizeInBraind(keys=["dwi", "flair"])(item)
    torch.testing.assert_close(both["dwi"], both["flair"], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float64])
def test_result_is_float32_whatever_comes_in(stripped, dtype):
    image = normalized((stripped() / 4).to(dtype))
    assert image.dtype == torch.float32
    assert image.shape == (1, 24, 28, 12)


def test_absent_sequence_is_passed_over_on_request_only(stripped):
    assert set(NormalizeInBraind(keys=["dwi", "t1"], allow_missing_keys=True)({"dwi": stripped()})) == {"dwi"}
    with pytest.raises(KeyError, match="t1"):
        NormalizeInBraind(keys=["dwi", "t1"])({"dwi": stripped()})


def test_input_is_left_as_it_was(stripped):
    item = {"dwi": stripped(), "patient": "p"}
    NormalizeInBraind(keys="dwi")(item)
    assert torch.equal(item["dwi"], stripped())
    assert set(item) == {"dwi", "patient"}
