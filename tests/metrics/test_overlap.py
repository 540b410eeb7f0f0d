import math

import numpy as np
import pytest

from islesnet.metrics import VoxelCounts


def test_hand_checked_counts():
    marked = np.array([1, 1, 1, 0, 0, 0, 0], bool)
    lesion = np.array([0, 1, 1, 1, 1, 0, 0], bool)
    assert VoxelCounts.of(marked, lesion) == VoxelCounts(both=2, wrong=1, missed=2, neither=2)


def test_hand_checked_ratios():
    counts = VoxelCounts(both=6, wrong=4, missed=14, neither=76)
    assert counts.dice == pytest.approx(12 / 30)
    assert counts.precision == pytest.approx(6 / 10)
    assert counts.sensitivity == pytest.approx(6 / 20)
    assert counts.specificity == pytest.approx(76 / 80)
    assert counts.accuracy == pytest.approx(82 / 100)
    assert counts.empty_mask_accuracy == pytest.approx(80 / 100)


@pytest.mark.parametrize(
    ("counts", "dice", "precision", "sensitivity", "specificity", "accuracy", "empty_mask_accuracy"),
    [
        pytest.param(VoxelCounts(0, 0, 0, 100), 1, 1, 1, 1, 1, 1, id="both empty"),
        pytest.param(VoxelCounts(0, 10, 0, 90), 0, 0, 1, 0.9, 0.9, 1, id="truth empty"),
        pytest.param(VoxelCounts(0, 0, 10, 90), 0, 0, 0, 1, 0.9, 0.9, id="mask empty"),
        pytest.param(VoxelCounts(0, 10, 10, 80), 0, 0, 0, 80 / 90, 0.8, 0.9, id="apart"),
        pytest.param(VoxelCounts(10, 0, 0, 90), 1, 1, 1, 1, 1, 0.9, id="equal"),
        pytest.param(VoxelCounts(100, 0, 0, 0), 1, 1, 1, 1, 1, 0, id="everything is lesion"),
        pytest.param(VoxelCounts(0, 0, 100, 0), 0, 0, 0, 1, 0, 0, id="everything is missed"),
        pytest.param(VoxelCounts(0, 100, 0, 0), 0, 0, 1, 0, 0, 1, id="everything is wrong"),
    ],
)
def test_borders(counts, dice, precision, sensitivity, specificity, accuracy, empty_mask_accuracy):
    assert counts.dice == pytest.approx(dice)
    assert counts.precision == pytest.approx(precision)
    assert counts.sensitivity == pytest.approx(sensitivity)
    assert counts.specificity == pytest.approx(specificity)
    assert counts.accuracy == pytest.approx(accuracy)
    assert counts.empty_mask_accuracy == pytest.approx(empty_mask_accuracy)


def test_no_voxels_have_no_accuracy():
    assert math.isnan(VoxelCounts(0, 0, 0, 0).accuracy)
    assert math.isnan(VoxelCounts(0, 0, 0, 0).empty_mask_accuracy)


@pytest.mark.parametrize("seed", range(3))
def test_micro_precision_over_both_classes_is_the_accuracy(seed):
    marked, lesion = np.random.default_rng(seed).random((2, 6, 5, 4)) < 0.2
    right = np.sum(marked & lesion) + np.sum(~marked & ~lesion)  # of the lesion channel, of the background channel
    claimed = np.sum(marked) + np.sum(~marked)
    assert VoxelCounts.of(marked, lesion).micro_precision == pytest.approx(right / claimed)
    assert VoxelCounts.of(marked, lesion).micro_precision == VoxelCounts.of(marked, lesion).accuracy
