import numpy as np
import pytest
import torch

from islesnet.transforms import foreground


@pytest.mark.parametrize("background", [0.0, -0.005, 123.0, -1024.0, 5000.0])
def test_skull_stripped_brain_is_found_whatever_the_value_around_it(stripped, head, background):
    assert np.array_equal(foreground(stripped(background))[0].numpy(), head)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1e-6, 0.0), (1e5, 0.0), (1.0, -4000.0), (0.01, 7.0)])
def test_scale_and_shift_do_not_matter(stripped, raw, scale, shift):
    for image in (stripped(-0.005), raw(20.0)):
        found, moved = foreground(image), foreground(image * scale + shift)
        assert float((found != moved).float().mean()) < 1e-3


def test_brain_of_negative_and_positive_values_around_zero_is_found(stripped, head, tissue):
    standardised = stripped(0.0, (tissue - 400) / 60)
    found = foreground(standardised)[0].numpy()
    assert not found[~head].any()
    assert found[head].mean() > 0.99


def test_rounding_noise_of_the_background_is_not_brain(stripped, head):
    image = stripped(-0.005)
    noise = torch.as_tensor(np.random.default_rng(2).uniform(-1e-6, 1e-6, image.shape), dtype=torch.float32)
    assert np.array_equal(foreground(image + noise)[0].numpy(), head)


def test_a_very_small_brain_is_found(tissue):
    image = torch.full((1, 24, 28, 12), -0.00537)
    image[0, 10:14, 10:14, 5:7] = torch.as_tensor(tissue[:4, :4, :2], dtype=torch.float32)
    assert int(foreground(image).sum()) == 4 * 4 * 2


@pytest.mark.parametrize(
    ("noise", "whole_numbers", "padded"),
    [(20.0, False, 0), (4.0, True, 0), (1.0, True, 0), (0.5, True, 0), (8.0, True, 3), (8.0, False, 4)],
    ids=["noisy", "rounded", "rounded, quiet", "rounded, very quiet", "rounded, padded", "padded with zeros"],
)
def test_head_is_found_in_the_noise_of_a_raw_scan(raw, head, noise, whole_numbers, padded):
    found = foreground(raw(noise, whole_numbers, padded))[0].numpy()
    inside = head.copy()
    if padded:
        inside[:, :padded] = inside[:, -padded:] = False
    assert found[inside].mean() > 0.99
    assert found[~inside].mean() < 0.05


def test_constant_image_has_no_foreground():
    assert not bool(foreground(torch.full((1, 3, 3, 3), 7.0)).any())


def test_mask_has_the_shape_of_the_image_and_is_bool(stripped):
    found = foreground(stripped())
    assert found.shape == (1, 24, 28, 12)
    assert found.dtype == torch.bool


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float64])
def test_any_number_type_is_legal(dtype):
    image = torch.zeros(1, 4, 4, 4, dtype=dtype)
    image[0, 1:3, 1:3, 1:3] = torch.arange(100, 108).view(2, 2, 2).to(dtype)
    assert int(foreground(image).sum()) == 8
