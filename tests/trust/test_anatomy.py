import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from islesnet.trust.anatomy import check_field_of_view, check_height, check_volume
from tests.trust.conftest import AFFINE, SIZE, SPACING

GRID = AFFINE.numpy().astype(float)


def topics(findings):
    return [finding.topic for finding in findings]


def check(head):
    return check_field_of_view(head, GRID) + check_height(head, (SPACING,) * 3, minimum_height_mm=100)


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


def stack(slices, up_mm=0.0, thickness=6.0, flips=(1, 1, 1), tilt=25):
    """Place a stack, tilted about the ears, on the middle of the head: affine and shape."""
    shape = (90, 120, slices)
    affine = np.eye(4)
    turn = Rotation.from_euler("x", tilt, degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.diag(np.array([2.0, 2.0, thickness]) * flips)
    centre = GRID[0, 0] * (np.array(SIZE) - 1) / 2 + turn @ [0, 0, up_mm]
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine, shape


def seen_in(head, field):
    """Blacken what a stack did not see, as its resampling to a straight grid does."""
    places = np.indices(head.shape).reshape(3, -1).T @ GRID[:3, :3].T
    affine, shape = field
    index = np.linalg.solve(affine[:3, :3], (places - affine[:3, 3]).T).T
    return head & ((index > -0.5) & (index < np.array(shape) - 0.5)).all(axis=1).reshape(head.shape)


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_oblique_stack_that_ends_below_the_vertex_cuts_the_head_on_top(head, flips):
    field = stack(20, up_mm=-20, flips=flips)
    seen = seen_in(head, field)
    assert check_field_of_view(seen, GRID) == []  # no edge of the straight grid is reached
    (finding,) = check_field_of_view(seen, GRID, field)
    assert "reaches the edge of the scan (top)" in finding.sentence


def test_oblique_stack_around_a_whole_head_passes(head):
    field = stack(28)
    assert check_field_of_view(seen_in(head, field), GRID, field) == []


def test_oblique_stack_may_end_at_the_neck(head):
    field = stack(20, up_mm=30)
    assert check_field_of_view(seen_in(head, field), GRID, field) == []


def test_slices_that_run_from_left_to_right_cut_the_head_at_a_side(head):
    affine, shape = stack(28)
    turned = affine[:, [2, 0, 1, 3]]  # the slices' axis first
    narrow = np.diag([1.0, 0.5, 1, 1])
    narrow[1, 3] = 0
    field = (turned @ narrow, (shape[2], shape[0], shape[1]))  # from one side to the middle
    (finding,) = check_field_of_view(seen_in(head, field), GRID, field)
    assert "reaches the edge of the scan (right)" in finding.sentence


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
