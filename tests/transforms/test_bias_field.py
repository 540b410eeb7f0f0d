"""The coils' shading, taken out before a sequence is normalised."""

import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from islesnet.transforms import CorrectBiasd

AFFINE = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0]))


def shaded_ball(strength=0.5):
    """A ball of two tissues under a shading from its left to its right: the image, and where the darker tissue is."""
    places = np.indices((40, 40, 40)) - 19.5
    ball = (places**2).sum(axis=0) < 16**2
    clean = np.where(ball, np.where(places[2] % 6 < 3, 100.0, 160.0), 0.0)
    shaded = (clean * np.exp(strength * places[0] / 20)).astype(np.float32)
    return MetaTensor(torch.from_numpy(shaded)[None], affine=AFFINE), ball & (clean == 100)


def spread(image, tissue):
    values = np.asarray(image[0])[tissue]
    return values.std() / values.mean()


@pytest.mark.parametrize("has_mask", [True, False])
def test_shading_is_taken_out(has_mask):
    image, tissue = shaded_ball()
    mask = {"brain": (image > 0).float()} if has_mask else {}

    corrected = CorrectBiasd(["dwi", "t1"], "brain")({"dwi": image, **mask})

    assert spread(corrected["dwi"], tissue) < 0.4 * spread(image, tissue)
    assert "t1" not in corrected


def test_geometry_and_input_are_left_as_they_were():
    image, _ = shaded_ball()
    kept = image.clone()

    corrected = CorrectBiasd("dwi", "brain")({"dwi": image})["dwi"]

    assert torch.equal(corrected.affine, image.affine) and corrected.shape == image.shape
    assert torch.equal(image, kept)


def test_field_is_the_same_at_every_call():
    image, _ = shaded_ball()
    first, second = (CorrectBiasd("dwi", "brain")({"dwi": image})["dwi"] for _ in range(2))
    assert torch.equal(first, second)


def test_large_bright_lesion_keeps_its_contrast():
    image, tissue = shaded_ball(strength=0.0)
    places = np.indices((40, 40, 40)) - 19.5
    lesion = ((places - np.array([8.0, 0, 0])[:, None, None, None]) ** 2).sum(axis=0) < 7**2
    image[0] *= torch.from_numpy(np.where(lesion, 2.0, 1.0))

    corrected = np.asarray(CorrectBiasd("dwi", "brain")({"dwi": image})["dwi"][0])

    assert corrected[lesion & tissue].mean() > 1.7 * corrected[~lesion & tissue].mean()


@pytest.mark.parametrize("value", [0.0, 7.0])
@pytest.mark.parametrize("edge", [6, 30])
def test_image_without_anything_to_tell_stays(value, edge):
    image = MetaTensor(torch.full((1, edge, edge, edge), value), affine=AFFINE)
    brain = torch.zeros_like(image)
    brain[:, 2:-2, 2:-2, 2:-2] = 1

    for mask in ({}, {"brain": brain}):
        assert torch.equal(CorrectBiasd("dwi", "brain")({"dwi": image, **mask})["dwi"], image)


@pytest.mark.parametrize("slices", [1, 2, 4, 5])
def test_a_few_slices_are_taken_as_they_come(slices):
    image, _ = shaded_ball()
    middle = image.as_tensor()[..., 20 : 20 + slices].clone()
    thin = MetaTensor(middle, affine=torch.diag(torch.tensor([4.0, 4.0, 1.5, 1.0])))

    corrected = CorrectBiasd("dwi", "brain")({"dwi": thin})["dwi"]

    assert corrected.shape == thin.shape and bool(corrected.isfinite().all())
