import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from islesnet.data import find_cases
from islesnet.errors import InputError
from islesnet.metrics import LogitHistogram
from islesnet.networks import OperatingPoint, operating_point_file
from islesnet.phantom import PhantomSettings, make_patient, write_dataset, write_patient
from workflows.bundle_config import TrainedNetwork, open_recipe
from workflows.real_patients import score_real_patients, slice_errors
from workflows.subsets import (
    COMMON_SUBSETS,
    MINIMUM_ML,
    SUBSETS,
    THRESHOLDS,
    SubsetPredictor,
    choose_operating_point,
    dice_by_minimum,
    fit_calibration,
    nearest_as_good,
    scaled_threshold,
    score_subsets,
    subset_scores,
    subset_table,
    unscaled_threshold,
)

COARSE = {"spacing": [6.0, 6.0, 6.0]}  # the phantoms' own voxels: everything holds there that holds on finer ones
POINT = OperatingPoint(threshold=0.5, minimum_lesion_ml=0.0)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    write_dataset(folder, 1, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(40, 60)), workers=1)
    return find_cases(folder)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    write_dataset(folder, 2, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(40, 60)), workers=1)
    return find_cases(folder)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Of an untrained network of the bundle's; they know their voxels."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    torch.save(open_recipe("recipes/inference.yaml", COARSE).get_parsed_content("network_def").state_dict(), path)
    return path


@pytest.fixture(scope="module")
def predictor(weights):
    return SubsetPredictor(weights)


def test_there_are_fifteen_subsets_from_one_sequence_to_all():
    assert len(SUBSETS) == len(set(SUBSETS)) == 15
    assert {len(subset) for subset in SUBSETS} == {1, 2, 3, 4}


def test_leaving_sequences_away_gives_what_a_patient_without_them_gets(predictor, cases):
    case = cases[0]
    without = type(case)(case.patient, {name: case.sequences[name] for name in ("dwi", "flair")}, case.label)

    (_, asked, _), (_, absent, _) = (next(predictor.predict(each, [("dwi", "flair")])) for each in (case, without))

    torch.testing.assert_close(torch.as_tensor(asked), torch.as_tensor(absent))


def test_logits_are_made_in_the_precision_of_the_recipe_and_come_back_in_full(weights, monkeypatch):
    trained = TrainedNetwork("recipes/evaluate.yaml", weights, {**COARSE, "amp": True})
    seen = []

    def infer(image, network):
        seen.append(torch.is_autocast_enabled("cpu"))
        return image.half()

    monkeypatch.setattr(trained, "_inferer", infer)

    logits = trained.logits(MetaTensor(torch.ones(4, 2, 2, 2)), ("dwi",))

    assert seen == [True] and logits.dtype == torch.float32
    assert logits[0].eq(1).all() and logits[1:].eq(0).all()


def test_patients_described_at_once_are_described_as_one_by_one_and_in_order(predictor, pair):
    at_once = predictor.describe(pair)

    assert at_once == [predictor.describe([case])[0] for case in pair] and at_once[0] != at_once[1]


def test_operating_point_is_one_of_those_tried_and_has_the_dice_that_it_says(predictor, pair):
    choice = choose_operating_point(predictor, pair)

    threshold = unscaled_threshold(choice.point)
    assert min(abs(threshold - tried) for tried in THRESHOLDS) < 0.002
    assert choice.point.minimum_lesion_ml in MINIMUM_ML
    scores = score_subsets(predictor, pair, choice.point).set_index("sequences")["dice"]
    assert choice.dice == pytest.approx(scores[["+".join(subset) for subset in COMMON_SUBSETS]].mean(), abs=0.01)
    assert 0.2 <= choice.point.temperature <= 20 and choice.point.offset != 0
    _, probability, _ = next(predictor.predict(pair[1], COMMON_SUBSETS))
    shown = len(COMMON_SUBSETS) * probability[0].numel()  # of the second patient, whom nothing was fitted on
    assert choice.reliability["voxels"].sum() == choice.reliability_before["voxels"].sum() == shown


@pytest.mark.parametrize(("others_share", "is_kept"), [(0.1, True), (0.9, False)])
def test_temperature_and_offset_are_kept_where_the_other_patients_gain_by_them(others_share, is_kept):
    fitted, shown = LogitHistogram(), LogitHistogram()
    for histogram, share in ((fitted, 0.1), (shown, others_share)):
        for probability, lesion_share in ((0.9, share), (0.1, 0.01)):
            histogram.add_probability(np.full(1000, probability), np.arange(1000) < 1000 * lesion_share)

    assert (fit_calibration(fitted, shown) != (1.0, 0.0)) is is_kept


@pytest.mark.parametrize("corrects", [False, True])
def test_bias_is_corrected_where_the_weights_need_it_and_the_point_says_so(weights, pair, tmp_path, corrects):
    copy = shutil.copy(weights, tmp_path)
    OperatingPoint(bias_correction=corrects).write(operating_point_file(copy))

    predictor = SubsetPredictor(Path(copy))

    names = [type(part).__name__ for part in predictor._trained.part("preprocessing").transforms]
    assert ("CorrectBiasd" in names) == corrects
    assert choose_operating_point(predictor, pair).point.bias_correction == corrects


def test_threshold_of_calibrated_probabilities_is_the_same_of_the_networks_own():
    point = OperatingPoint(scaled_threshold(0.8, 1.8, -1.4), temperature=1.8, offset=-1.4)

    assert point.threshold == pytest.approx(1 / (1 + np.exp(-(np.log(4) / 1.8 - 1.4))), rel=1e-3)
    assert unscaled_threshold(point) == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("dice", "chosen"),
    [
        ([[0.4, 0.5, 0.6], [0.4, 0.7, 0.6], [0.4, 0.5, 0.6]], 0.5),  # three cannot tell 0.5 from 0.8
        ([[0.6, 0.5, 0.4], [0.6, 0.7, 0.4], [0.6, 0.5, 0.4]], 0.5),  # nor from 0.3
        ([[0.1, 0.5, 0.6], [0.1, 0.5, 0.6], [0.1, 0.5, 0.6]], 0.8),  # worse in everyone
        ([[0.6, 0.5, 0.1]], 0.3),  # one patient: the best
    ],
)
def test_threshold_is_the_nearest_to_one_half_that_patients_cannot_tell_from_the_best(dice, chosen):
    thresholds = (0.3, 0.5, 0.8)

    assert thresholds[nearest_as_good(np.array(dice), thresholds)] == chosen


def test_every_subset_has_its_row(predictor, cases):
    table = score_subsets(predictor, cases, POINT)

    assert len(table) == 15 and table["sequences"].nunique() == 15
    assert table["true_ml"].between(35, 65).all()


def test_table_sums_up_by_subset_and_lesion_size():
    scores = pd.DataFrame(
        {
            "sequences": [*["dwi"] * 7, "flair"],
            "dice": [*[0.2, 0.4] * 3, 0.9, 0.5],
            "true_ml": [*[1.0] * 6, 60.0, 20.0],
            "lesion_f1": [*[0.5] * 7, 1.0],
        }
    )

    table = subset_table(scores).set_index("sequences")

    assert table.loc["dwi", "mean Dice"].startswith("0.386, 0.2") and table.loc["dwi", "mean Dice"].endswith(" (7)")
    assert table.loc["dwi", "< 5 ml"].startswith("0.300, 0.2") and table.loc["dwi", "< 5 ml"].endswith(" (6)")
    assert table.loc["dwi", "5-50 ml"] == ""
    assert table.loc["dwi", "> 50 ml"] == "0.900 (1)"
    assert table.loc["flair", "mean Dice"] == "0.500 (1)"  # too few for an interval


def test_flag_gets_the_mean_dice_of_each_subset_and_how_many_patients_it_comes_from():
    scores = pd.DataFrame({"sequences": ["dwi", "dwi", "t1"], "dice": [0.2, 0.4, 0.0]})

    summed = subset_scores(scores)

    assert summed.mean_dice == {"dwi": pytest.approx(0.3), "t1": 0.0}
    assert summed.patients == {"dwi": 2, "t1": 1}


def test_real_patients_are_scored_on_their_own_grid_where_the_truth_is_known(cases, weights, tmp_path):
    table = score_real_patients([cases[0].sequences["dwi"].parents[2]], weights, POINT, tmp_path, dwi_deviations=3.0)

    assert isinstance(table, pd.DataFrame) and len(table) == 16
    assert table["dice"].between(0, 1).all()
    baseline = table.set_index("sequences").loc["DWI threshold"]
    assert baseline["dice"] > 0.2
    assert baseline["large_foci_found"] == baseline["large_foci"] > 0
    assert 0 < baseline["islands_ml"] < baseline["predicted_ml"]
    mask = nib.load(tmp_path / f"{cases[0].patient}_dwi+flair_lesion.nii.gz")
    np.testing.assert_allclose(mask.affine, nib.load(cases[0].label).affine)
    by_slice = pd.read_csv(tmp_path / "slices.csv").groupby("sequences")[["found_ml", "missed_ml", "false_ml"]].sum()
    scores = table.set_index("sequences").loc[by_slice.index]
    np.testing.assert_allclose(by_slice["found_ml"] + by_slice["false_ml"], scores["predicted_ml"], rtol=1e-4)
    np.testing.assert_allclose(by_slice["found_ml"] + by_slice["missed_ml"], scores["true_ml"], rtol=1e-4)


def test_real_patients_with_the_skull_on_are_scored_again_into_the_same_folder(weights, tmp_path):
    head = make_patient(0, PhantomSettings(spacing_mm=6.0, is_skull_stripped=False, volume_ml=(40, 60)))
    anna = write_patient(tmp_path / "real/anna", head, with_label=True)
    (tmp_path / "real/bert").mkdir()
    for name in ("dwi_1", "dwi_2"):  # names that a data set would be refused for
        shutil.copy(anna / "dwi.nii.gz", tmp_path / f"real/bert/{name}.nii.gz")
    folders = [tmp_path / "real"]

    first, again = (score_real_patients(folders, weights, POINT, tmp_path / "out") for _ in range(2))

    assert (tmp_path / "out/anna/brain.nii.gz").exists()
    knows_truth = first.groupby("patient")["dice"].count() > 0
    assert knows_truth.to_dict() == {"anna": True, "bert": False}
    pd.testing.assert_frame_equal(first, again)
    with pytest.raises(InputError, match="Two real patients are called 'anna'"):
        score_real_patients([*folders, anna], weights, POINT, tmp_path / "out")


def test_errors_are_told_slice_by_slice():
    truth = np.zeros((3, 3, 4), dtype=bool)
    truth[0, :2, 1] = truth[0, 0, 3] = True
    mask = torch.zeros(1, 3, 3, 4)
    mask[0, 0, 0, 1] = mask[0, 2, 2, 1] = 1

    errors = slice_errors(MetaTensor(mask, affine=torch.diag(torch.tensor([10.0, 10.0, 10.0, 1.0]))), truth)

    assert errors.to_dict("records") == [
        {"slice": 2, "found_ml": 1, "missed_ml": 1, "false_ml": 1},
        {"slice": 4, "found_ml": 0, "missed_ml": 1, "false_ml": 0},
    ]


def test_dice_rises_as_false_specks_go_and_falls_once_the_lesion_does():
    lesion = np.zeros((20, 20, 20), dtype=bool)
    lesion[2:6, 2:6, 2:6] = True  # 64 voxels: 0.064 ml
    marked = lesion.copy()
    marked[15, 15, 10:18] = True  # a speck of 0.008 ml

    by_minimum = dict(zip(MINIMUM_ML, dice_by_minimum(marked, lesion, voxel_ml=0.001), strict=True))

    assert by_minimum[0.0] == pytest.approx(2 * 64 / (64 + 72))
    assert by_minimum[0.01] == by_minimum[0.05] == 1
    assert by_minimum[0.1] == by_minimum[0.5] == 0


def test_no_minimum_removes_a_round_lesion_of_ten_millimetres():
    assert sorted(MINIMUM_ML) == list(MINIMUM_ML)
    assert MINIMUM_ML[-1] < np.pi / 6 * 10**3 / 1000


def test_dice_of_two_empty_masks_is_one():
    empty = np.zeros((2, 2, 2), dtype=bool)

    assert dice_by_minimum(empty, empty, voxel_ml=1) == [1] * len(MINIMUM_ML)
