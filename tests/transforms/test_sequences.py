from itertools import combinations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from islesnet.errors import InputError
from islesnet.transforms import ChooseReferenced, FillAbsentd, MarkHeadd, RandDropSequencesd

ORDER = ("dwi", "flair", "t2", "t1")
VALUE = {"dwi": 1.0, "flair": 2.0, "t2": 3.0, "t1": 4.0}


def patient(*sequences):
    affine = torch.diag(torch.tensor([2.0, 2.0, 5.0, 1.0]))
    return {"patient": "p"} | {
        name: MetaTensor(torch.full((1, 3, 4, 2), VALUE[name]), affine, meta={"filename_or_obj": f"{name}.nii"})
        for name in sequences
    }


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_reference_is_the_first_present_sequence_of_the_order(count):
    for present in combinations(ORDER, count):
        reference = ChooseReferenced(keys=ORDER)(patient(*reversed(present)))["reference"]
        assert bool((reference == VALUE[present[0]]).all())
        assert reference.meta["filename_or_obj"] == f"{present[0]}.nii"


def test_reference_is_a_copy_whose_change_leaves_the_sequence_alone():
    chosen = ChooseReferenced(keys=ORDER, reference_key="grid")(patient("flair"))
    chosen["grid"][:] = 0.0
    chosen["grid"].affine[0, 0] = 9.0
    assert bool((chosen["flair"] == 2.0).all())
    assert float(chosen["flair"].affine[0, 0]) == 2.0


def test_patient_without_any_sequence_is_refused_by_name():
    with pytest.raises(InputError, match="patient 'p' has none of the sequences dwi, flair, t2, t1"):
        ChooseReferenced(keys=ORDER)({"patient": "p", "adc": torch.zeros(1, 2, 2, 2)})


def test_absent_sequences_become_zeros_on_the_grid_of_the_reference():
    item = ChooseReferenced(keys=ORDER)(patient("t2"))
    filled = FillAbsentd(keys=ORDER)(item)
    assert set(filled) == {"patient", "reference", *ORDER}
    for name in ("dwi", "flair", "t1"):
        assert filled[name].shape == (1, 3, 4, 2)
        assert not bool(filled[name].any())
        assert torch.equal(filled[name].affine, item["t2"].affine)


def test_present_sequences_are_not_filled():
    item = ChooseReferenced(keys=ORDER)(patient(*ORDER))
    filled = FillAbsentd(keys=ORDER)(item)
    assert all(filled[name] is item[name] for name in ORDER)


def test_filling_without_a_reference_names_it():
    with pytest.raises(KeyError, match="reference"):
        FillAbsentd(keys=ORDER)(patient("dwi"))


@pytest.mark.parametrize("transform", [ChooseReferenced(keys=ORDER), FillAbsentd(keys=ORDER, reference_key="t1")])
def test_input_is_left_as_it_was(transform):
    item = patient("t1")
    transform(item)
    assert set(item) == {"patient", "t1"}
    assert bool((item["t1"] == 4.0).all())


def test_head_is_where_a_sequence_that_is_there_is_above_the_air():
    image = torch.zeros(3, 1, 1, 4)  # the second sequence is absent
    image[0, 0, 0] = torch.tensor([-5.0, -5.0, 1.0, 0.0])
    image[2, 0, 0] = torch.tensor([-5.0, 2.0, -5.0, 0.0])
    item = {"image": image}

    marked = MarkHeadd(keys="image", threshold=-4.9, mask_key="head")(item)

    assert marked["head"].tolist() == [[[[False, True, True, True]]]]
    assert marked["image"] is image and set(item) == {"image"}


def test_image_without_any_sequence_has_no_head():
    assert not MarkHeadd("image", threshold=-4.9, mask_key="head")({"image": torch.zeros(2, 3, 3, 2)})["head"].any()


def draws(image, prob, count=200):
    drop = RandDropSequencesd(keys="image", prob=prob).set_random_state(seed=0)
    return [drop({"image": image})["image"] for _ in range(count)]


def kept_channels(image):
    return image.flatten(1).any(dim=1).tolist()


def test_at_least_one_sequence_always_stays():
    image = torch.rand(4, 3, 3, 2) + 0.1
    for prob in (0.2, 0.9, 1.0):
        assert all(any(kept_channels(dropped)) for dropped in draws(image, prob))


def test_the_only_present_sequence_always_stays():
    image = torch.zeros(4, 3, 3, 2)
    image[2] = 1.0
    assert all(torch.equal(dropped, image) for dropped in draws(image, prob=1.0))


def test_where_all_were_to_go_every_sequence_is_the_one_that_stays_now_and_then():
    image = torch.ones(4, 2, 2, 2)
    kept = [kept_channels(dropped) for dropped in draws(image, prob=1.0)]
    assert all(sum(channels) == 1 for channels in kept)
    assert np.array(kept).mean(axis=0).min() > 0.1


def test_each_sequence_goes_with_the_given_probability():
    image = torch.ones(4, 2, 2, 2)
    kept = np.array([kept_channels(dropped) for dropped in draws(image, prob=0.2, count=1000)])
    np.testing.assert_allclose(1 - kept.mean(axis=0), 0.2, atol=0.04)


def test_dropped_sequence_is_all_zeros_and_a_kept_one_unchanged():
    image = torch.rand(4, 3, 3, 2) + 0.1
    for dropped in draws(image, prob=0.5, count=20):
        for channel, original in zip(dropped, image, strict=True):
            assert torch.equal(channel, original) or not bool(channel.any())


def test_nothing_is_dropped_at_probability_0():
    image = torch.rand(4, 3, 3, 2)
    assert all(torch.equal(dropped, image) for dropped in draws(image, prob=0.0, count=20))


def test_image_of_zeros_stays_one():
    assert not bool(draws(torch.zeros(4, 2, 2, 2), prob=0.5, count=1)[0].any())


def test_seed_decides_what_is_dropped():
    image = torch.rand(4, 2, 2, 2) + 0.1
    assert all(torch.equal(a, b) for a, b in zip(draws(image, 0.5), draws(image, 0.5), strict=True))


def test_dropping_leaves_its_input_as_it_was_and_keeps_the_grid():
    image = MetaTensor(torch.ones(4, 2, 2, 2), torch.diag(torch.tensor([2.0, 2.0, 5.0, 1.0])))
    item = {"image": image, "label": torch.ones(1, 2, 2, 2)}
    dropped = RandDropSequencesd(keys="image", prob=1.0)(item)
    assert int(dropped["image"].sum()) == 8
    assert torch.equal(dropped["image"].affine, image.affine)
    assert bool((item["image"] == 1).all())
    assert dropped["label"] is item["label"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_dropping_keeps_the_number_type(dtype):
    dropped = RandDropSequencesd(keys="image", prob=0.5)({"image": torch.ones(4, 2, 2, 2, dtype=dtype)})
    assert dropped["image"].dtype == dtype


def test_each_sequence_may_have_a_probability_of_its_own():
    image = torch.ones(3, 2, 2, 2)

    kept = np.array([kept_channels(dropped) for dropped in draws(image, prob=(0.0, 0.5, 1.0), count=400)])

    assert kept.mean(axis=0) == pytest.approx([1, 0.5, 0], abs=0.1)
