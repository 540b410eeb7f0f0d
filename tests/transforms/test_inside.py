import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from islesnet.transforms import KeepInsided, WidenMaskd


def volume(array, spacing=(1.0, 1.0, 1.0)):
    return MetaTensor(torch.as_tensor(array)[None], affine=np.diag([*spacing, 1.0]))


def point(shape=(9, 9, 9), value=1.0):
    array = np.zeros(shape, np.float32)
    array[4, 4, 4] = value
    return array


def test_mask_grows_by_the_margin_in_mm_whatever_the_voxels():
    widened = WidenMaskd("brain", 2.0)({"brain": volume(point(), (1.0, 2.0, 3.0))})["brain"]

    marked = widened[0].numpy() > 0
    assert marked.any(axis=(1, 2)).sum() == 5  # 2 mm to both sides in voxels of 1 mm
    assert marked.any(axis=(0, 2)).sum() == 3
    assert marked.any(axis=(0, 1)).sum() == 1


def test_widened_mask_is_of_0_and_1_on_its_own_grid_and_the_input_stays():
    item = {"brain": volume(point(value=0.7), (2.0, 2.0, 2.0)), "dwi": "untouched"}

    widened = WidenMaskd("brain", 0.0)(item)

    assert widened["brain"].dtype == item["brain"].dtype
    assert torch.equal(widened["brain"].as_tensor(), torch.as_tensor(point())[None])
    torch.testing.assert_close(widened["brain"].affine, item["brain"].affine)
    assert float(item["brain"].max()) == pytest.approx(0.7)
    assert widened["dwi"] == "untouched"


def test_half_is_no_part_of_a_mask():
    widened = WidenMaskd("brain", 5.0)({"brain": volume(point(value=0.5))})["brain"]

    assert not widened.any()


def test_empty_mask_stays_empty_and_an_absent_one_absent():
    widened = WidenMaskd(["brain", "head"], 5.0)({"brain": volume(np.zeros((4, 4, 4), np.float32))})

    assert not widened["brain"].any()
    assert "head" not in widened


def test_outside_of_the_mask_is_0_in_every_channel():
    image = MetaTensor(torch.full((2, 9, 9, 9), 7.0))
    item = {"pred": image, "brain": volume(point())}

    kept = KeepInsided(["pred", "absent"], "brain")(item)["pred"]

    assert kept.sum() == 14 and bool((kept[:, 4, 4, 4] == 7).all())
    assert bool((image == 7).all())


def test_not_a_number_outside_of_the_mask_becomes_0():
    image = volume(np.full((9, 9, 9), np.nan, np.float32))

    kept = KeepInsided("dwi", "brain")({"dwi": image, "brain": volume(point())})["dwi"]

    assert int(kept.isnan().sum()) == 1


def test_without_a_mask_nothing_changes():
    item = {"dwi": volume(point())}

    assert KeepInsided("dwi", "brain")(item)["dwi"] is item["dwi"]
