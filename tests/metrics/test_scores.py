import dataclasses
import math

import numpy as np
import pytest
import torch
from monai.metrics import ConfusionMatrixMetric, DiceMetric

from islesnet.metrics import MaskScores, score_mask

SHAPE = (5, 5, 4)  # 100 voxels
CUBES = (1.0, 1.0, 1.0)


def mask(count, first=0):
    """Mark so many voxels in a row."""
    marked = np.zeros(SHAPE, np.uint8)
    marked.flat[first : first + count] = 1
    return marked


def slices(*counts):
    """Mark so many voxels in each axial slice."""
    marked = np.zeros(SHAPE, np.uint8)
    for number, count in enumerate(counts):
        layer = np.zeros(25, np.uint8)
        layer[:count] = 1
        marked[:, :, number] = layer.reshape(5, 5)
    return marked


def test_hand_checked_scores():
    # The truth is a column of 4 voxels and a single one; the mask marks 2 of the column, and one voxel 2 steps along y
    # from the single one. All 5 + 3 voxels are surface: 2 + 2 are in common, the rest of the column lies 5 and 10 mm
    # from the mask, and the two single ones 4 mm from each other.
    truth, prediction = np.zeros((2, *SHAPE), np.uint8)
    truth[0, 0, :] = 1
    truth[4, 4, 0] = 1
    prediction[0, 0, :2] = 1
    prediction[4, 2, 0] = 1
    brain = np.zeros(SHAPE, bool)
    brain[0] = True  # 20 voxels, with the whole column
    assert score_mask(prediction, truth, (1.0, 2.0, 5.0), brain) == MaskScores(
        dice=pytest.approx(4 / 8),
        precision=pytest.approx(2 / 3),
        sensitivity=pytest.approx(2 / 5),
        specificity=pytest.approx(94 / 95),
        accuracy=pytest.approx(96 / 100),
        empty_mask_accuracy=pytest.approx(95 / 100),
        brain_accuracy=pytest.approx(18 / 20),
        brain_empty_mask_accuracy=pytest.approx(16 / 20),
        micro_precision=pytest.approx(96 / 100),
        slice_dice=pytest.approx((2 / 4 + 1 + 0 + 0) / 4),
        slice_dice_all_slices=pytest.approx((2 / 4 + 1 + 0 + 0) / 4),
        true_ml=pytest.approx(0.05),
        predicted_ml=pytest.approx(0.03),
        volume_error_ml=pytest.approx(-0.02),
        volume_difference_ml=pytest.approx(0.02),
        true_lesions=2,
        predicted_lesions=2,
        lesion_count_difference=0,
        lesion_f1=pytest.approx(1 / 2),
        lesion_precision=pytest.approx(1 / 2),
        lesion_recall=pytest.approx(1 / 2),
        # 0 0 0 0 4 4 5 10, of which the 95th percentile lies at 6.65 of 0..7
        hd95_mm=pytest.approx(5 + 0.65 * 5),
        hd_mm=pytest.approx(10.0),
        assd_mm=pytest.approx((4 + 4 + 5 + 10) / 8),
        true_positives=2,
        false_positives=1,
        false_negatives=3,
        true_negatives=94,
    )


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        pytest.param(mask(0), mask(0), {"dice": 1, "lesion_f1": 1, "precision": 1, "sensitivity": 1}, id="both empty"),
        pytest.param(mask(0), mask(9), {"dice": 0, "lesion_f1": 0, "precision": 0, "sensitivity": 0}, id="mask empty"),
        pytest.param(mask(9), mask(0), {"dice": 0, "lesion_f1": 0, "precision": 0, "sensitivity": 1}, id="truth empty"),
    ],
)
def test_ratios_of_empty_masks(prediction, truth, expected):
    scores = score_mask(prediction, truth, CUBES)
    assert {name: getattr(scores, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("prediction", "truth", "mm"),
    [
        pytest.param(mask(0), mask(0), 0.0, id="both empty"),
        pytest.param(mask(0), mask(9), math.sqrt(5**2 + 10**2 + 20**2), id="mask empty"),
        pytest.param(mask(9), mask(0), math.sqrt(5**2 + 10**2 + 20**2), id="truth empty"),
    ],
)
def test_distances_of_empty_masks_are_0_or_the_diagonal_of_the_image(prediction, truth, mm):
    scores = score_mask(prediction, truth, (1.0, 2.0, 5.0))
    assert (scores.hd_mm, scores.hd95_mm, scores.assd_mm) == pytest.approx((mm, mm, mm))


def test_slices_that_are_empty_in_both_count_only_among_all_slices():
    scores = score_mask(slices(4, 2, 0, 0), slices(4, 6, 0, 0), CUBES)
    assert scores.slice_dice == pytest.approx((1 + 4 / 8) / 2)
    assert scores.slice_dice_all_slices == pytest.approx((1 + 4 / 8 + 1 + 1) / 4)


def test_slice_with_a_mark_but_no_lesion_counts_as_0():
    scores = score_mask(slices(4, 1, 0, 0), slices(4, 0, 0, 0), CUBES)
    assert scores.slice_dice == pytest.approx(1 / 2)
    assert scores.slice_dice_all_slices == pytest.approx(3 / 4)


def test_slice_dice_of_two_empty_masks_is_1():
    scores = score_mask(mask(0), mask(0), CUBES)
    assert scores.slice_dice == scores.slice_dice_all_slices == 1.0


def test_accuracy_of_the_brain_is_not_known_without_one():
    scores = score_mask(mask(10), mask(10), CUBES)
    assert math.isnan(scores.brain_accuracy)
    assert math.isnan(scores.brain_empty_mask_accuracy)


def test_accuracy_of_an_empty_brain_is_not_known_either():
    assert math.isnan(score_mask(mask(10), mask(10), CUBES, np.zeros(SHAPE)).brain_accuracy)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_brain_may_be_a_mask_of_any_type(dtype):
    brain = mask(20).astype(dtype)
    scores = score_mask(mask(10), mask(12), CUBES, brain)
    assert scores.brain_accuracy == pytest.approx(18 / 20)
    assert scores.brain_empty_mask_accuracy == pytest.approx(8 / 20)


@pytest.mark.parametrize("place", [(0, 0, 0), (4, 4, 3), (2, 0, 3), (2, 2, 2)])
def test_lesion_of_one_voxel_is_scored_anywhere(place):
    truth = np.zeros(SHAPE, np.uint8)
    truth[place] = 1
    found, missed = score_mask(truth, truth, CUBES), score_mask(mask(0), truth, CUBES)
    assert (found.dice, found.lesion_f1, found.hd_mm, found.true_lesions) == (1.0, 1.0, 0.0, 1)
    assert (missed.dice, missed.lesion_f1, missed.true_positives, missed.false_negatives) == (0.0, 0.0, 0, 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_ratios_are_those_of_monai(seed, share):
    random = np.random.default_rng(seed)
    prediction, truth = (random.random((2, 9, 8, 7)) < share).astype(np.float32)
    own = score_mask(prediction, truth, CUBES)

    pair = torch.as_tensor(prediction)[None, None], torch.as_tensor(truth)[None, None]
    names = ["precision", "sensitivity", "specificity", "accuracy"]
    confusion = ConfusionMatrixMetric(metric_name=names, compute_sample=True, reduction="mean")
    counts = confusion(*pair)[0, 0].tolist()
    assert counts == [own.true_positives, own.false_positives, own.true_negatives, own.false_negatives]
    for name, value in zip(names, confusion.aggregate(), strict=True):
        assert getattr(own, name) == pytest.approx(float(value), abs=1e-6), name
    assert own.dice == pytest.approx(float(DiceMetric(ignore_empty=False)(*pair)), abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_dice_precision_and_sensitivity_are_those_of_medpy(seed):
    medpy = pytest.importorskip("medpy.metric.binary")
    prediction, truth = np.random.default_rng(seed).random((2, 9, 8, 7)) < 0.2
    scores = score_mask(prediction, truth, CUBES)
    assert scores.dice == pytest.approx(medpy.dc(prediction, truth))
    assert scores.precision == pytest.approx(medpy.precision(prediction, truth))
    assert scores.sensitivity == pytest.approx(medpy.recall(prediction, truth))


def test_two_empty_masks_are_1_by_monai_s_dice_of_the_bundle_and_nothing_by_its_default():
    empty = torch.zeros(1, 1, *SHAPE)
    assert score_mask(mask(0), mask(0), CUBES).dice == float(DiceMetric(ignore_empty=False)(empty, empty)) == 1.0
    assert math.isnan(float(DiceMetric()(empty, empty)))


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_two_empty_masks_have_no_dice_by_medpy():
    medpy = pytest.importorskip("medpy.metric.binary")
    assert math.isnan(medpy.dc(mask(0), mask(0)))
    assert score_mask(mask(0), mask(0), CUBES).dice == 1.0


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_any_number_type_is_a_mask(dtype):
    bytes_, others = ((mask(10).astype(kind), mask(20, first=4).astype(kind)) for kind in (np.uint8, dtype))
    expected = dataclasses.asdict(score_mask(*bytes_, CUBES))
    assert dataclasses.asdict(score_mask(*others, CUBES)) == pytest.approx(expected, nan_ok=True)
    assert expected["dice"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("value", "is_lesion"), [(255, True), (2, True), (0.9999999998, True), (0.51, True), (0.5, False), (np.nan, False)]
)
def test_lesion_is_what_lies_above_a_half(value, is_lesion):
    prediction = np.where(mask(10) > 0, np.float32(value), np.float32(0))
    assert score_mask(prediction, mask(10), CUBES).dice == float(is_lesion)
    assert score_mask(mask(10), prediction, CUBES).dice == float(is_lesion)


@pytest.mark.parametrize("value", [-1, -0.5])
def test_label_below_0_is_background(value):
    assert score_mask(mask(10) * float(value), mask(10), CUBES).predicted_ml == 0.0


def test_volumes_are_in_ml_of_the_voxels_size():
    scores = score_mask(mask(10), mask(20), (0.9, 0.9, 6.5))
    assert scores.true_ml == pytest.approx(20 * 0.9 * 0.9 * 6.5 / 1000)
    assert scores.volume_error_ml == pytest.approx(-scores.volume_difference_ml)


def test_lesion_of_a_siss_sized_volume_is_counted_exactly():
    large = np.zeros((230, 230, 154), np.uint8)
    large[:100, :100, :50] = 1
    scores = score_mask(large, large, CUBES)
    assert scores.true_positives == 500_000
    assert scores.true_ml == pytest.approx(500.0)
    assert scores.accuracy == 1.0


def test_scores_are_plain_numbers():
    scores = dataclasses.asdict(score_mask(mask(10), mask(20), np.array(CUBES, np.float32), mask(50)))
    for field in dataclasses.fields(MaskScores):
        assert type(scores[field.name]) is field.type, field.name


def test_masks_on_different_grids_are_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"the mask has shape \(2, 2, 2\), the truth \(2, 2, 3\); score them on one"):
        score_mask(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)), CUBES)


def test_brain_on_another_grid_is_refused():
    with pytest.raises(ValueError, match=r"the brain has shape \(2, 2, 3\), the truth \(2, 2, 2\)"):
        score_mask(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), CUBES, np.zeros((2, 2, 3)))


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4, 4), (4, 0, 4)])
def test_other_than_voxels_along_three_axes_are_refused(shape):
    with pytest.raises(ValueError, match=r"voxels along three axes \(X, Y, Z\) are needed"):
        score_mask(np.zeros(shape), np.zeros(shape), CUBES)


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, 1, 1), (1, 1, 0), (1, -1, 1), (1, 1, np.nan), (1, 1, np.inf)])
def test_spacing_that_is_not_three_lengths_is_refused(spacing):
    with pytest.raises(ValueError, match=r"the spacing is \[1.0, .*three lengths in mm, all above 0, are needed"):
        score_mask(mask(1), mask(1), spacing)


def test_masks_are_left_as_they_were():
    prediction, truth = mask(10), mask(20)
    score_mask(prediction, truth, CUBES, mask(50))
    assert np.array_equal(prediction, mask(10))
    assert np.array_equal(truth, mask(20))


def test_order_of_the_scores_is_that_of_scores_csv():
    assert " ".join(field.name for field in dataclasses.fields(MaskScores)) == (
        "dice precision sensitivity specificity accuracy empty_mask_accuracy brain_accuracy brain_empty_mask_accuracy "
        "micro_precision slice_dice slice_dice_all_slices true_ml predicted_ml volume_error_ml volume_difference_ml "
        "true_lesions predicted_lesions lesion_count_difference lesion_f1 lesion_precision lesion_recall hd95_mm hd_mm "
        "assd_mm true_positives false_positives false_negatives true_negatives"
    )
