import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from islesnet.transforms import Antialiasd


def image(values, spacing):
    return MetaTensor(torch.as_tensor(values, dtype=torch.float32)[None], affine=np.diag([*spacing, 1.0]))


def test_noise_is_averaged_along_the_finer_axes_alone():
    noise = np.random.default_rng(0).normal(100, 10, (64, 64, 24))

    smooth = Antialiasd("flair", (2.0, 2.0, 2.0))({"flair": image(noise, (0.5, 0.5, 5.0))})["flair"]

    assert smooth.mean() == pytest.approx(100, abs=0.3)
    assert smooth[:, ::4, ::4].std() < 3
    alone = Antialiasd("flair", (2.0, 2.0, 2.0))({"flair": image(noise, (2.0, 2.0, 5.0))})["flair"]
    np.testing.assert_array_equal(alone[0], noise.astype(np.float32))


def test_absent_images_are_passed_over_and_the_input_stays():
    values = np.eye(8)[:, :, None]
    given = image(values, (1.0, 1.0, 1.0))

    smooth = Antialiasd(["dwi", "t1"], (3.0, 3.0, 3.0))({"dwi": given})

    assert smooth.keys() == {"dwi"}
    np.testing.assert_array_equal(given[0], values)
    assert torch.equal(smooth["dwi"].affine, given.affine) and smooth["dwi"].dtype == torch.float32


def test_turned_axes_are_measured_as_they_lie():
    turned = np.array([[0, 0.5, 0, 0], [2.0, 0, 0, 0], [0, 0, 2.0, 0], [0, 0, 0, 1]])
    values = np.zeros((9, 9, 9))
    values[4, 4, 4] = 1

    smooth = Antialiasd("t2", (2.0, 2.0, 2.0))({"t2": MetaTensor(torch.as_tensor(values)[None], affine=turned)})["t2"][0]

    assert smooth[4, 3, 4] > 0.1 and smooth[3, 4, 4] == smooth[4, 4, 3] == 0
