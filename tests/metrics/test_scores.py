import dataclasses

import numpy as np
import pytest
import torch
from monai.metrics import ConfusionMatrixMetric, DiceMetric

from islesnet.metrics import MaskScores, score_mask

SHAPE = (5, 5, 4)  # 100 voxels


def mask(count, first=0):
    """Mark so many voxels in a row."""
    marked = np.zeros(SHAPE, np.uint8)
    marked.flat[first : first + count] = 1
    return marked


def test_hand_checked_scores():
    # 10 marked, 20 true, 6 of both: TP 6, FP 4, FN 14, TN 76.
    assert score_mask(mask(10), mask(20, first=4), voxel_ml=0.5) == MaskScores(
        dice=12 / 30,
        precision=6 / 10,
        sensitivity=6 / 20,
        specificity=76 / 80,
        accuracy=82 / 100,
        empty_mask_accuracy=80 / 100,
        predicted_ml=5.0,
        true_ml=10.0,
    )


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        (mask(0), mask(0), MaskScores(1, 1, 1, 1, 1, 1, 0, 0)),
        (mask(10), mask(0), MaskScores(0, 0, 1, 0.9, 0.9, 1, 10, 0)),
        (mask(0), mask(10), MaskScores(0, 0, 0, 1, 0.9, 0.9, 0, 10)),
        (mask(10), mask(10), MaskScores(1, 1, 1, 1, 1, 0.9, 10, 10)),
        (mask(10), mask(10, first=50), MaskScores(0, 0, 0, 80 / 90, 0.8, 0.9, 10, 10)),
        (mask(100), mask(100), MaskScores(1, 1, 1, 1, 1, 0, 100, 100)),
    ],
    ids=["both empty", "truth empty", "mask empty", "equal", "apart", "everything is lesion"],
)
def test_borders(prediction, truth, expected):
    assert dataclasses.astuple(score_mask(prediction, truth, voxel_ml=1.0)) == pytest.approx(
        dataclasses.astuple(expected)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_scores_are_those_of_monai(seed, share):
    random = np.random.default_rng(seed)
    prediction, truth = (random.random((2, 9, 8, 7)) < share).astype(np.float32)
    own = score_mask(prediction, truth, voxel_ml=1.0)

    pair = torch.as_tensor(prediction)[None, None], torch.as_tensor(truth)[None, None]
    names = ["precision", "sensitivity", "specificity", "accuracy"]
    confusion = ConfusionMatrixMetric(metric_name=names, compute_sample=True, reduction="mean")
    confusion(*pair)
    for name, value in zip(names, confusion.aggregate(), strict=True):
        assert getattr(own, name) == pytest.approx(float(value), abs=1e-6), name
    assert own.dice == pytest.approx(float(DiceMetric(ignore_empty=False)(*pair)), abs=1e-6)


def test_empty_truth_left_empty_is_1_as_with_monai_s_metric_of_the_bundle():
    empty = torch.zeros(1, 1, *SHAPE)
    assert float(DiceMetric(ignore_empty=False)(empty, empty)) == score_mask(mask(0), mask(0), 1.0).dice == 1.0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.float32, np.float64])
def test_any_number_type_is_a_mask_above_a_half(dtype):
    assert score_mask(mask(10).astype(dtype), mask(20, first=4).astype(dtype), 1.0).dice == pytest.approx(0.4)


def test_label_of_another_value_than_1_is_lesion_and_a_probability_below_a_half_is_not():
    assert score_mask(mask(10) * 0.51, mask(10) * 255.0, 1.0).dice == 1.0
    assert score_mask(mask(10) * 0.49, mask(10), 1.0).dice == 0.0


def test_lesion_of_a_siss_sized_volume_is_counted_exactly():
    large = np.zeros((230, 230, 154), np.uint8)
    large[:100, :100, :50] = 1
    scores = score_mask(large, large, voxel_ml=0.001)
    assert scores.true_ml == pytest.approx(500.0)
    assert scores.accuracy == 1.0


def test_masks_on_different_grids_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"the mask has shape \(2, 2, 2\), the truth \(2, 2, 3\); score them on one"):
        score_mask(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)), 1.0)


def test_masks_are_left_as_they_were():
    prediction, truth = mask(10), mask(20)
    score_mask(prediction, truth, 1.0)
    assert np.array_equal(prediction, mask(10))
    assert np.array_equal(truth, mask(20))
