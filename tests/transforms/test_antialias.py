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
    values = np.random.default_rng(3).normal(100, 10, (8, 8, 1)).astype(np.float32)
    given = image(values, (1.0, 1.0, 1.0))

    smooth = Antialiasd(["dwi", "t1"], (3.0, 3.0, 3.0))({"dwi": given})

    assert smooth.keys() == {"dwi"}
    np.testing.assert_array_equal(given[0], values)
    assert torch.equal(smooth["dwi"].affine, given.affine) and smooth["dwi"].dtype == torch.float32


def test_turned_axes_are_measured_as_they_lie():
    turned = np.array([[0, 0.5, 0, 0], [2.0, 0, 0, 0], [0, 0, 2.0, 0], [0, 0, 0, 1]])
    noise = np.random.default_rng(2).normal(100, 10, (32, 64, 24))

    smooth = Antialiasd("t2", (2.0, 2.0, 2.0))({"t2": MetaTensor(torch.as_tensor(noise)[None], affine=turned)})["t2"][0]

    along = [np.abs(np.diff(np.asarray(smooth), axis=axis)).mean() for axis in range(3)]
    assert along[1] < 0.5 * along[0] and along[1] < 0.5 * along[2]


def test_no_halo_grows_around_a_stripped_brain():
    x, y, z = np.ogrid[:80, :80, :12]
    brain = ((x - 40) ** 2 + (y - 40) ** 2 < 30**2) & (z > 0)
    values = np.where(brain, 100 + np.random.default_rng(1).normal(0, 10, brain.shape), 0)

    smooth = np.asarray(Antialiasd("t1", (2.0, 2.0, 2.0))({"t1": image(values, (0.5, 0.5, 4.0))})["t1"][0])

    assert (smooth[~brain] == 0).all()
    assert smooth[brain].min() > 80
