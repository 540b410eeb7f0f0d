import numpy as np
import pytest

from islesnet.metrics import LesionCounts, score_mask

LINE = (24, 3, 3)


def line(*voxels):
    """Mark these voxels of the middle line of a grid."""
    mask = np.zeros(LINE, bool)
    mask[list(voxels), 1, 1] = True
    return mask


# ISLES 2022's compute_lesion_f1_score: tp / (tp + (fp + fn) / 2), where tp are the true lesions that share a voxel with
# the mask, fn those that share none, and fp the lesions of the mask that share none with the truth; 26-connected.
@pytest.mark.parametrize(
    ("marked", "lesion", "tp", "fp", "fn"),
    [
        pytest.param(line(1, 2), line(2, 3), 1, 0, 0, id="one voxel in common"),
        pytest.param(line(1), line(2), 0, 1, 1, id="side by side with none in common"),
        pytest.param(line(1, 2, 3, 4, 5), line(1, 5), 2, 0, 0, id="one mark over two lesions"),
        pytest.param(line(1, 5), line(1, 2, 3, 4, 5), 1, 0, 0, id="two marks in one lesion"),
        pytest.param(line(1, 10), line(1, 5, 15, 20), 1, 1, 3, id="found, wrong and missed"),
        pytest.param(line(1), line(1), 1, 0, 0, id="one voxel"),
        pytest.param(line(), line(1, 5), 0, 0, 2, id="mask empty"),
        pytest.param(line(1, 5, 9), line(), 0, 3, 0, id="truth empty"),
    ],
)
def test_f1_is_that_of_isles_2022(marked, lesion, tp, fp, fn):
    counts = LesionCounts.of(marked, lesion)
    assert (counts.found, counts.marked - counts.right, counts.true - counts.found) == (tp, fp, fn)
    assert counts.f1 == pytest.approx(tp / (tp + (fp + fn) / 2))


def test_f1_of_two_empty_masks_is_1_as_in_isles_2022():
    assert LesionCounts.of(line(), line()) == LesionCounts(true=0, found=0, marked=0, right=0)
    assert LesionCounts.of(line(), line()).f1 == 1.0


def test_hand_checked_recall_and_precision():
    counts = LesionCounts.of(line(1, 10, 12), line(1, 5, 15, 20))
    assert counts.recall == pytest.approx(1 / 4)
    assert counts.precision == pytest.approx(1 / 3)
    assert counts.f1 == pytest.approx(2 / (2 + 2 + 3))


def test_f1_counts_the_lesions_found_not_the_marks_that_are_right():
    counts = LesionCounts.of(line(1, 2, 3, 4, 5, 9), line(1, 5, 12))  # one mark over two lesions, one wrong, one missed
    assert counts == LesionCounts(true=3, found=2, marked=2, right=1)
    assert counts.f1 == pytest.approx(2 / 3)
    harmonic_mean = 2 / (1 / counts.recall + 1 / counts.precision)
    assert harmonic_mean == pytest.approx(4 / 7)


@pytest.mark.parametrize(
    ("marked", "lesion", "recall", "precision"),
    [
        pytest.param(line(), line(), 1.0, 1.0, id="both empty"),
        pytest.param(line(), line(1), 0.0, 0.0, id="mask empty"),
        pytest.param(line(1), line(), 1.0, 0.0, id="truth empty"),
    ],
)
def test_recall_and_precision_of_empty_masks(marked, lesion, recall, precision):
    counts = LesionCounts.of(marked, lesion)
    assert (counts.recall, counts.precision) == (recall, precision)


def test_lesions_that_touch_at_a_corner_are_one():
    corner = np.zeros((4, 4, 4), bool)
    corner[0, 0, 0] = corner[1, 1, 1] = True
    assert LesionCounts.of(corner, corner) == LesionCounts(true=1, found=1, marked=1, right=1)


def test_mask_that_meets_a_lesion_only_at_a_corner_has_not_found_it():
    marked, lesion = np.zeros((2, 4, 4, 4), bool)
    marked[0, 0, 0] = lesion[1, 1, 1] = True
    assert LesionCounts.of(marked, lesion) == LesionCounts(true=1, found=0, marked=1, right=0)


@pytest.mark.parametrize(("marked", "lesion"), [(line(1, 3, 5), line(9)), (line(9), line(1, 3, 5))])
def test_lesion_count_difference_is_absolute_whether_they_meet_or_not(marked, lesion):
    assert score_mask(marked, lesion, (1, 1, 1)).lesion_count_difference == 2
