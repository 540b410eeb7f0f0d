import json
from types import SimpleNamespace

import numpy as np
import torch
from monai.data import MetaTensor

from islesnet.trust import AssessTrustd, NetworkRecord, SubsetScores
from tests.trust.conftest import AFFINE, LIMITS, SEQUENCES, SIZE, SPACING


def assess(image, mask=None, reference=None, preparation=None, limits=LIMITS, flip_inferer=None, **known):
    mask = torch.zeros(1, *SIZE) if mask is None else mask
    record = NetworkRecord(**known)
    transform = AssessTrustd("pred", SEQUENCES, SEQUENCES, limits, record, flip_inferer)
    data = {"pred": MetaTensor(mask, AFFINE), "image": image}
    if reference is not None:
        data["reference"] = reference
    if preparation is not None:
        data["preparation"] = json.dumps(preparation)
    assessed = transform(data)
    assert "trust" not in data and assessed["pred"] is data["pred"]
    return assessed["trust"]


def test_sound_patient_is_trusted(make_image, ranges):
    found = assess(make_image(3), appearance=ranges)
    assert found == {"is_trusted": True, "reasons": [], "notes": [], "in_short": "ok"}


def test_every_reason_is_a_sentence_and_a_word_for_the_table(make_image, ranges, head):
    image = make_image(3)
    image[0] = torch.where(image[0] > -5, image[0] * 0.2, image[0])
    everything = torch.as_tensor(head[None], dtype=torch.float32)

    found = assess(image[:, :, :, :18], everything, appearance=ranges, flip_inferer=SimpleNamespace(agreement=0.31))

    assert found["is_trusted"] is False
    for topic in ("DWI unusual", "head cut", "low scan", "volume", "flips disagree"):
        assert topic in found["in_short"]
    assert any("mean Dice 0.31, at least 0.7 is expected" in reason for reason in found["reasons"])
    assert all(sentence.endswith(".") for sentence in (*found["reasons"], *found["notes"]))
    assert json.loads(json.dumps(found)) == found


def test_absent_dwi_is_a_note_that_warns_of_an_empty_mask(make_image, ranges):
    found = assess(make_image(3, dwi=False), appearance=ranges)
    assert found["is_trusted"] is True
    assert "an empty mask does not exclude one" in found["notes"][0]
    assert found["in_short"] == "note: no DWI"


def test_other_absent_sequence_is_a_mere_note(make_image, ranges):
    found = assess(make_image(3, flair=False), appearance=ranges)
    assert (found["in_short"], found["notes"]) == ("ok", ["Absent, and done without: FLAIR."])


def test_side_that_is_left_open_is_a_reason(make_image, ranges):
    found = assess(make_image(3), appearance=ranges, preparation={"doubtful_sides": ["dwi", "t1"]})

    assert not found["is_trusted"]
    assert found["in_short"] == "left or right?"
    assert found["reasons"] == [
        "The header of DWI, T1 leaves open which side is left: sides may be exchanged, check them on the scan."
    ]


def test_damaged_dwi_is_a_reason_and_any_other_damage_stands_in_the_table(make_image, ranges):
    lost = assess(make_image(3, dwi=False), appearance=ranges, preparation={"damaged": ["dwi"]})
    assert lost["is_trusted"] is False
    assert lost["reasons"] == ["There is a DWI, and it could not be read: what it shows was not looked at."]
    assert lost["in_short"] == "DWI damaged, no DWI"

    other = assess(make_image(3, flair=False), appearance=ranges, preparation={"damaged": ["flair"]})
    assert (other["is_trusted"], other["in_short"]) == (True, "note: FLAIR damaged")


def test_sequence_whose_registration_failed_stands_in_the_table(make_image, ranges):
    registration = {"flair": {"used": False}, "t1": {"used": True}}
    found = assess(make_image(3), appearance=ranges, preparation={"registration": registration})
    assert (found["is_trusted"], found["in_short"]) == (True, "note: FLAIR left out")


def test_skipped_comparison_is_said(make_image):
    found = assess(make_image(3))
    assert found["is_trusted"] is True
    assert found["notes"] == ["Not compared with the training's images, of which nothing is known: DWI, FLAIR."]


def test_flips_that_agree_or_were_not_made_are_no_reason(make_image, ranges):
    for agreement in (None, 0.7, 1.0):
        assert assess(make_image(3), appearance=ranges, flip_inferer=SimpleNamespace(agreement=agreement))["is_trusted"]


def test_agreement_is_told_wherever_it_was_measured(make_image, ranges):
    for agreement, told in ((0.98765, 0.988), (0.3, 0.3), (None, None)):
        found = assess(make_image(3), appearance=ranges, flip_inferer=SimpleNamespace(agreement=agreement))
        assert found.get("agreement") == told


def test_sequences_that_the_network_finds_nothing_with_are_a_reason_and_little_a_note(make_image, ranges):
    subsets = SubsetScores({"flair": 0.097, "dwi": 0.17, "dwi+flair": 0.3}, {"flair": 24, "dwi": 21, "dwi+flair": 21})
    nothing, little, enough = (
        assess(image, appearance=ranges, subsets=subsets)
        for image in (make_image(3, dwi=False), make_image(3, flair=False), make_image(3))
    )

    assert (nothing["is_trusted"], nothing["in_short"]) == (False, "too few sequences, no DWI")
    assert "With FLAIR alone this network reaches a mean Dice of 0.10 on 24 synthetic patients" in nothing["reasons"][0]
    assert (little["is_trusted"], little["in_short"]) == (True, "note: few sequences")
    assert "which is little: much is missed" in little["notes"][-1]
    assert (enough["in_short"], enough["notes"]) == ("ok", [])
    assert enough["measured"] == "With DWI + FLAIR this network reaches a mean Dice of 0.30 on 21 synthetic patients."
    assert "measured" not in assess(make_image(3), appearance=ranges, subsets=SubsetScores({"t1": 0.1}, {"t1": 24}))


def test_volume_is_that_of_the_mask_on_its_own_grid(make_image, ranges):
    mask = torch.zeros(1, *SIZE)
    mask[0, 10:20, 10:20, 10:20] = 1  # 1000 voxels of 0.125 ml
    assert assess(make_image(3), mask, appearance=ranges)["is_trusted"]
    mask[0, 5:30, 10:30, 10:20] = 1  # 625 ml
    assert "625 ml of lesion" in assess(make_image(3), mask, appearance=ranges)["reasons"][0]


def test_head_is_looked_at_where_the_file_of_the_reference_ends(make_image, ranges, head):
    stored = AFFINE.numpy().copy()
    stored[2, 2] = -SPACING  # from the top down, to the 25th of the 32 planes that the grid has
    stored[2, 3] = 24 * SPACING
    meta = {"original_affine": stored, "spatial_shape": np.array([SIZE[0], SIZE[1], 25])}
    seen = torch.as_tensor(head[None], dtype=torch.float32) * 100
    seen[..., 25:] = 0
    image = make_image(3)
    image[..., 22:] = -5.0  # the brain mask ends three planes earlier

    reference = MetaTensor(seen, AFFINE, meta=meta)
    assert assess(image, appearance=None)["in_short"] == "note: not compared"
    assert assess(image, appearance=None, reference=reference)["in_short"] == "head cut, not compared"
