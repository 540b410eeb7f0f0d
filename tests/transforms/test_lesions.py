import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from islesnet.errors import InputError
from islesnet.transforms import LesionProbabilityd, RemoveSmallLesionsd, ShiftProbabilityd, voxel_volume_ml

ANISOTROPIC = np.diag([1.0, 2.0, 5.0, 1.0])  # mm: 0.01 ml a voxel


def mask_of(*blocks, affine=ANISOTROPIC):
    mask = torch.zeros(1, 12, 12, 6)
    for block in blocks:
        mask[(0, *block)] = 1.0
    return MetaTensor(mask, torch.as_tensor(affine))


def cleaned(mask, minimum_ml):
    return RemoveSmallLesionsd(keys="pred", minimum_ml=minimum_ml)({"pred": mask})["pred"]


def test_two_channels_give_the_softmax_of_the_second():
    logits = torch.randn(2, 5, 4, 3) * 4
    probability = LesionProbabilityd(keys="pred")({"pred": logits})["pred"]
    assert probability.shape == (1, 5, 4, 3)
    torch.testing.assert_close(probability, logits.softmax(dim=0)[1:])


def test_one_channel_gives_the_sigmoid():
    logits = torch.randn(1, 5, 4, 3) * 4
    torch.testing.assert_close(LesionProbabilityd(keys="pred")({"pred": logits})["pred"], logits.sigmoid())


def test_hand_checked_probability():
    logits = torch.tensor([1.0, 1.0 + np.log(3.0)]).view(2, 1, 1, 1)  # odds of 3 to 1
    assert LesionProbabilityd(keys="pred")({"pred": logits})["pred"].item() == pytest.approx(0.75)


@pytest.mark.parametrize("channels", [1, 2])
def test_temperature_divides_the_logit(channels):
    logits = torch.tensor([0.0, 2 * np.log(3.0)])[-channels:].view(channels, 1, 1, 1)
    assert LesionProbabilityd(keys="pred", temperature=2.0)({"pred": logits})["pred"].item() == pytest.approx(0.75)


def test_offset_is_added_to_the_logit_of_a_probability():
    probability = torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0])
    shifted = ShiftProbabilityd(keys="pred", offset=-1.5)({"pred": probability})["pred"]
    torch.testing.assert_close(shifted, torch.sigmoid(torch.logit(probability) - 1.5))
    assert ShiftProbabilityd(keys="pred")({"pred": probability})["pred"] is probability


def test_offset_must_be_finite():
    with pytest.raises(InputError, match="offset is nan; it must be a finite number"):
        ShiftProbabilityd(keys="pred", offset=float("nan"))


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan"), float("inf")])
def test_temperature_must_be_above_0(temperature):
    with pytest.raises(InputError, match=f"temperature is {temperature}; it must be above 0"):
        LesionProbabilityd(keys="pred", temperature=temperature)


def test_half_precision_logits_give_float32_probabilities_and_extremes_are_finite():
    logits = torch.tensor([[60000.0, -60000.0], [-60000.0, 60000.0]], dtype=torch.float16).view(2, 2, 1, 1)
    probability = LesionProbabilityd(keys="pred")({"pred": logits})["pred"]
    assert probability.dtype == torch.float32
    assert probability.flatten().tolist() == [0.0, 1.0]


def test_probability_stays_on_the_grid_of_the_logits():
    logits = MetaTensor(torch.zeros(2, 2, 2, 2), torch.as_tensor(ANISOTROPIC))
    probability = LesionProbabilityd(keys="pred")({"pred": logits})["pred"]
    assert np.array_equal(probability.affine, ANISOTROPIC)


@pytest.mark.parametrize("channels", [0, 3, 4])
def test_other_numbers_of_channels_are_refused(channels):
    with pytest.raises(ValueError, match=f"'pred' has {channels} channels; lesion logits have 1 .* or 2"):
        LesionProbabilityd(keys="pred")({"pred": torch.zeros(channels, 2, 2, 2)})


def test_lesions_below_the_volume_go_and_the_others_stay():
    large = np.s_[0:2, 0:3, 0:1]  # 6 voxels, 0.06 ml
    small = np.s_[6:8, 6:7, 3:5]  # 4 voxels, 0.04 ml
    assert torch.equal(cleaned(mask_of(large, small), 0.05), mask_of(large))


def test_volume_is_in_ml_so_the_same_voxels_stay_on_a_coarser_grid():
    block = np.s_[0:2, 0:2, 0:1]
    assert not bool(cleaned(mask_of(block, affine=np.eye(4)), 0.05).any())  # 0.004 ml
    assert torch.equal(cleaned(mask_of(block, affine=np.diag([3.0, 3.0, 3.0, 1.0])), 0.05), mask_of(block))  # 0.108 ml


def test_rotation_and_handedness_of_the_grid_do_not_change_a_volume():
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.0, 2.0, 5.0])
    assert voxel_volume_ml(affine) == pytest.approx(0.01)
    block = np.s_[0:2, 0:3, 0:1]
    assert int(cleaned(mask_of(block, affine=affine), 0.05).sum()) == 6
    assert int(cleaned(mask_of(block, affine=affine), 0.07).sum()) == 0


def test_lesion_of_exactly_the_volume_stays():
    block = np.s_[0:5, 0:1, 0:1]
    assert int(cleaned(mask_of(block), 5 * voxel_volume_ml(ANISOTROPIC)).sum()) == 5


def test_voxels_that_share_but_a_corner_are_one_lesion():
    corner_to_corner = mask_of(np.s_[0:2, 0:2, 0:1], np.s_[2:4, 2:4, 1:2])  # 0.04 ml each, 0.08 ml together
    assert torch.equal(cleaned(corner_to_corner, 0.05), corner_to_corner)


def test_minimum_of_0_keeps_every_speck():
    speck = mask_of(np.s_[0:1, 0:1, 0:1])
    assert torch.equal(cleaned(speck, 0.0), speck)


def test_empty_mask_stays_empty():
    assert not bool(cleaned(mask_of(), 0.05).any())


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_cleaned_mask_keeps_type_and_grid(dtype):
    mask = cleaned(mask_of(np.s_[0:3, 0:3, 0:3]).to(dtype), 0.05)
    assert mask.dtype == dtype
    assert np.array_equal(mask.affine, ANISOTROPIC)


@pytest.mark.parametrize("transform", [LesionProbabilityd(keys="pred"), RemoveSmallLesionsd(keys="pred", minimum_ml=9)])
def test_input_is_left_as_it_was(transform):
    item = {"pred": mask_of(np.s_[0:2, 0:3, 0:1]), "patient": "p"}
    transform(item)
    assert torch.equal(item["pred"], mask_of(np.s_[0:2, 0:3, 0:1]))
    assert set(item) == {"pred", "patient"}
