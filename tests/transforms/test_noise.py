import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from monai.utils import convert_data_type

from islesnet.transforms import RandDropSequencesd, RandNoisePresentd


def image():
    """DWI and FLAIR are there, T1 and T2 are not."""
    values = torch.zeros(4, 6, 5, 4)
    values[0], values[3] = 1.0, -2.0
    return MetaTensor(values, affine=torch.diag(torch.tensor([2.0, 2.0, 4.0, 1.0])))


@pytest.mark.parametrize("kind", [np.ndarray, torch.Tensor, MetaTensor])
def test_noise_is_added_to_what_is_there_and_absent_sequences_stay_absent(kind):
    data = {"image": image() if kind is MetaTensor else convert_data_type(image(), kind)[0]}

    noisy = RandNoisePresentd("image", prob=1.0, std=0.5).set_random_state(0)(data)["image"]

    assert (noisy[1:3] == 0).all()
    assert 0.2 < float((noisy[0] - 1.0).std()) < 0.6 and 0.2 < float((noisy[3] + 2.0).std()) < 0.6
    np.testing.assert_array_equal(data["image"], image())
    if kind is MetaTensor:
        torch.testing.assert_close(noisy.affine, image().affine)


def test_without_the_luck_nothing_changes():
    noisy = RandNoisePresentd("image", prob=0.0, std=0.5)({"image": image()})["image"]
    assert torch.equal(noisy.as_tensor(), image().as_tensor())


def test_a_sequence_that_is_there_is_left_after_noise_and_dropping():
    noise, drop = RandNoisePresentd("image", prob=1.0, std=0.5), RandDropSequencesd("image", prob=0.9)
    for seed in range(50):
        noise.set_random_state(seed)
        drop.set_random_state(seed)
        kept = drop(noise({"image": image()}))["image"].as_tensor().flatten(1).any(dim=1)
        assert kept[0] or kept[3]
