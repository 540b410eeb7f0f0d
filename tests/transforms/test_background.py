import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from islesnet.transforms import ZeroBackgroundd


def head(offset=0.0):
    values = np.zeros((20, 20, 10), np.float32)
    values[5:-5, 5:-5, 2:-2] = np.random.default_rng(0).normal(400, 50, (10, 10, 6))
    return MetaTensor(torch.from_numpy(values + np.float32(offset))[None], affine=np.diag([2.0, 2, 5, 1]))


@pytest.mark.parametrize("offset", [-1024.0, 500.0])
def test_space_around_the_head_becomes_0(offset):
    item = {"dwi": head(offset), "patient": "anna"}

    shifted = ZeroBackgroundd(["dwi", "flair"])(item)

    torch.testing.assert_close(shifted["dwi"].as_tensor(), head().as_tensor(), atol=1e-3, rtol=0)
    assert torch.equal(shifted["dwi"].affine, item["dwi"].affine)
    assert torch.equal(item["dwi"], head(offset)) and set(shifted) == {"dwi", "patient"}


def test_scan_whose_background_is_0_stays_as_it_is():
    image = head()
    assert ZeroBackgroundd("dwi")({"dwi": image})["dwi"] is image
