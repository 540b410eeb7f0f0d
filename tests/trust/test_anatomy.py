import numpy as np
import pytest

from islesnet.trust.anatomy import check_field_of_view, check_volume
from tests.trust.conftest import SPACING


def topics(findings):
    return [finding.topic for finding in findings]


def check(head, spacing=(SPACING,) * 3):
    return check_field_of_view(head, spacing, minimum_height_mm=100)


def test_whole_head_passes(head):
    assert check(head) == []


@pytest.mark.parametrize(
    ("seen", "edge"),
    [
        (np.s_[8:], "left"),
        (np.s_[:-8], "right"),
        (np.s_[:, 10:], "back"),
        (np.s_[:, :-10], "front"),
        (np.s_[:, :, :-8], "top"),
    ],
)
def test_head_that_reaches_an_edge_is_cut_there(head, seen, edge):
    (finding,) = check(head[seen])
    assert finding.topic == "head cut"
    assert f"reaches the edge of the scan ({edge})" in finding.sentence


def test_neck_may_leave_the_volume_below(head):
    assert check(head[:, :, 7:]) == []


def test_nose_or_ear_that_is_cut_is_no_matter(head):
    ear = head.copy()
    ear[:8, 20:24, 14:18] = True  # 2 x 2 cm to the left edge
    assert check(ear) == []


def test_slab_of_a_head_is_too_low_and_says_how_low(head):
    (low,) = [finding for finding in check(head[:, :, 2:18]) if finding.topic == "low scan"]
    assert "shows 80 mm of the head from bottom to top; at least 100 mm are expected" in low.sentence


def test_single_slice_is_cut_and_low_and_an_empty_volume_low(head):
    assert topics(check(head[:, :, 16:17])) == ["head cut", "low scan"]
    assert topics(check(np.zeros_like(head))) == ["low scan"]


@pytest.mark.parametrize(
    ("lesion_ml", "brain_ml", "said"),
    [
        (0.0, 1400.0, None),
        (399.0, 1400.0, None),
        (401.0, 4000.0, "401 ml of lesion are more than an infarct's 400 ml"),
        (350.0, 1000.0, "350 ml of lesion are 35% of the 1000 ml of brain in the scan; more than 33% is implausible"),
        (1.0, 0.0, "implausible"),
    ],
)
def test_lesion_larger_than_an_infarct_is_implausible(lesion_ml, brain_ml, said):
    findings = check_volume(lesion_ml, brain_ml, maximum_ml=400, maximum_share=0.33)
    assert (said is None) == (findings == [])
    assert said is None or said in findings[0].sentence
