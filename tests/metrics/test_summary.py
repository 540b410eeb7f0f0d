import json
import math
from dataclasses import asdict, fields

import numpy as np
import pandas as pd
import pytest

from islesnet.metrics import MaskScores, compare_paired, score_mask, summarize

COUNTS = ["true_positives", "false_positives", "false_negatives", "true_negatives"]


def patients(**columns):
    """Rows of scores with these columns; what is not given is 0.5, a count 10."""
    count = len(next(iter(columns.values())))
    names = [field.name for field in fields(MaskScores)]
    scores = {name: np.full(count, 10 if name in COUNTS else 0.5) for name in names}
    return pd.DataFrame({"patient": [f"p{number}" for number in range(count)], **scores, **columns})


def scored(count, seed=0):
    """Patients of random masks, scored."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        prediction, truth = random.random((2, 6, 5, 4)) < random.random() * 0.3
        rows.append({"patient": f"p{number}", **asdict(score_mask(prediction, truth, (5, 5, 5)))})
    return pd.DataFrame(rows)


def test_hand_checked_measures():
    dice = summarize(patients(dice=[0.9, 0.1, 0.2, 0.4]))["measures"]["dice"]
    assert dice["patients"] == 4
    assert dice["mean"] == pytest.approx(0.4)
    assert dice["std"] == pytest.approx(math.sqrt((0.5**2 + 0.3**2 + 0.2**2 + 0**2) / 3))
    assert dice["median"] == pytest.approx(0.3)
    assert dice["q1"] == pytest.approx(0.175)
    assert dice["q3"] == pytest.approx(0.525)


def test_mean_lies_within_its_interval():
    dice = summarize(patients(dice=[0.9, 0.1, 0.2, 0.4, 0.5, 0.3]))["measures"]["dice"]
    assert 0.1 <= dice["low"] < dice["mean"] < dice["high"] <= 0.9


def test_every_score_but_the_voxel_counts_is_a_measure():
    names = [field.name for field in fields(MaskScores) if field.name not in COUNTS]
    assert list(summarize(scored(3))["measures"]) == names


def test_words_and_numbered_patients_are_not_measures():
    scores = patients(dice=[0.5, 0.6]).assign(patient=[1, 2], stamp="PHANTOM")
    assert not {"patient", "stamp"} & set(summarize(scores)["measures"])


@pytest.mark.parametrize(
    ("ml", "stratum"),
    [(0.0, "< 5 ml"), (4.999, "< 5 ml"), (5.0, "5-50 ml"), (50.0, "5-50 ml"), (50.001, "> 50 ml"), (900.0, "> 50 ml")],
)
def test_lesions_of_5_and_of_50_ml_are_in_the_middle_stratum(ml, stratum):
    strata = summarize(patients(true_ml=[ml]))["strata"]
    assert {name: part["patients"] for name, part in strata.items()} == {stratum: 1}


def test_strata_are_summed_up_apart_from_small_to_large():
    strata = summarize(patients(true_ml=[60, 1, 2, 20], dice=[0.9, 0.1, 0.3, 0.5]))["strata"]
    assert {name: part["measures"]["dice"]["mean"] for name, part in strata.items()} == {
        "< 5 ml": pytest.approx(0.2),
        "5-50 ml": pytest.approx(0.5),
        "> 50 ml": pytest.approx(0.9),
    }
    assert list(strata) == ["< 5 ml", "5-50 ml", "> 50 ml"]


def test_hand_checked_pooled_ratios():
    # Together TP 60, FP 20, FN 40, TN 880; the mean of the two patients' Dice is another.
    counts = {"true_positives": [60, 0], "false_positives": [10, 10], "false_negatives": [0, 40]}
    pooled = summarize(patients(**counts, true_negatives=[430, 450], dice=[12 / 13, 0.0]))["pooled"]
    assert pooled == {
        "dice": pytest.approx(120 / 180),
        "precision": pytest.approx(60 / 80),
        "sensitivity": pytest.approx(60 / 100),
        "specificity": pytest.approx(880 / 900),
        "accuracy": pytest.approx(940 / 1000),
        "empty_mask_accuracy": pytest.approx(900 / 1000),
        "micro_precision": pytest.approx(940 / 1000),
    }


def test_patients_whose_lesion_is_not_found_or_who_have_none_are_counted():
    # The last one's mask lies elsewhere.
    volumes = {"true_ml": [3, 3, 3, 0, 0, 0, 0, 0, 0, 3], "predicted_ml": [3, 0, 0, 2, 2, 2, 0, 0, 0, 3]}
    summary = summarize(patients(**volumes, dice=[0.5, 0, 0, 0, 0, 0, 1, 1, 1, 0]))
    assert (summary["missed"], summary["empty_masks"]) == (3, 2)
    assert (summary["false_alarms"], summary["both_empty"]) == (3, 3)


def test_order_of_patients_changes_no_digit():
    scores = scored(23)
    expected = summarize(scores)
    for seed in range(3):
        assert summarize(scores.sample(frac=1, random_state=seed)) == expected


def test_same_seed_gives_the_same_interval_and_another_one_a_close_one():
    scores = scored(20)
    first, second = summarize(scores, seed=1)["measures"]["dice"], summarize(scores, seed=2)["measures"]["dice"]
    assert summarize(scores, seed=1)["measures"]["dice"] == first
    assert first["low"] != second["low"]
    assert first["low"] == pytest.approx(second["low"], abs=0.05 * (first["high"] - first["low"]))


def test_patients_without_a_score_are_left_out_of_it_and_said():
    summary = summarize(patients(dice=[0.2, np.nan, 0.6], brain_accuracy=[np.nan] * 3))
    assert summary["measures"]["dice"]["patients"] == 2
    assert summary["measures"]["dice"]["mean"] == pytest.approx(0.4)
    assert summary["measures"]["brain_accuracy"] == {
        **dict.fromkeys(["mean", "std", "median", "q1", "q3", "low", "high"]),
        "patients": 0,
    }


def test_one_patient_has_no_spread_and_no_interval():
    dice = summarize(patients(dice=[0.7]))["measures"]["dice"]
    assert (dice["mean"], dice["median"], dice["q1"], dice["q3"], dice["patients"]) == (0.7, 0.7, 0.7, 0.7, 1)
    assert dice["std"] is dice["low"] is dice["high"] is None


def test_five_patients_have_a_spread_and_no_interval_as_a_whole_as_in_a_stratum():
    summary = summarize(patients(true_ml=[1, 1, 1, 1, 1, 60], dice=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]))
    small = summary["strata"]["< 5 ml"]["measures"]["dice"]
    assert small["std"] == pytest.approx(math.sqrt(0.025))
    assert small["low"] is small["high"] is None
    assert None not in (summary["measures"]["dice"]["low"], summary["measures"]["dice"]["high"])


@pytest.mark.parametrize("scores", [scored(1), scored(12), patients(dice=[np.nan, np.nan])], ids=["one", "many", "nan"])
def test_summary_is_strict_json(scores):
    summary = summarize(scores)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_summary_of_scores_read_from_csv_is_the_same(tmp_path):
    scores = scored(5)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    assert summarize(pd.read_csv(tmp_path / "scores.csv", float_precision="round_trip")) == summarize(scores)


def test_scores_are_left_as_they_were():
    scores = scored(4)
    before = scores.copy()
    summarize(scores)
    pd.testing.assert_frame_equal(scores, before)


def test_no_patient_is_refused():
    with pytest.raises(ValueError, match="there is no patient to sum up"):
        summarize(scored(2).iloc[:0])


def test_hand_checked_comparison():
    first = patients(dice=[0.9, 0.5, 0.4, 0.3, 0.6, 0.6])
    second = patients(dice=[0.7, 0.5, 0.5, 0.1, 0.6, 0.6])
    compared = compare_paired(first, second)
    assert compared["mean"] == pytest.approx((0.2 + 0.0 - 0.1 + 0.2 + 0.0 + 0.0) / 6)
    assert (compared["patients"], compared["better"]) == (6, 2)
    assert -0.1 <= compared["low"] < compared["mean"] < compared["high"] <= 0.2


def test_pairs_are_made_by_patient_not_by_row():
    first = patients(dice=[0.9, 0.5, 0.4])
    second = patients(dice=[0.8, 0.4, 0.3]).iloc[[2, 0, 1]]
    compared = compare_paired(first, second)
    assert compared["mean"] == pytest.approx(0.1)
    assert compare_paired(first.iloc[::-1], second) == compared


def test_patients_that_only_one_system_scored_are_left_out():
    first, second = patients(dice=[0.9, 0.5, 0.4]), patients(dice=[0.8, np.nan])
    assert compare_paired(first, second)["patients"] == 1


def test_interval_of_pairs_is_narrower_than_the_patients_spread():
    random = np.random.default_rng(0)
    dice = random.random(30) * 0.8
    compared = compare_paired(patients(dice=dice + 0.05 + random.normal(0, 0.01, 30)), patients(dice=dice))
    assert 0.04 < compared["low"] < 0.05 < compared["high"] < 0.06


def test_five_pairs_have_no_interval():
    compared = compare_paired(patients(hd95_mm=[4.0] * 5), patients(hd95_mm=[9.0] * 5), score="hd95_mm")
    assert compared == {"mean": -5.0, "low": None, "high": None, "patients": 5, "better": 0}


def test_systems_without_a_patient_in_common_are_refused():
    with pytest.raises(ValueError, match="no patient has 'dice' from both systems"):
        compare_paired(patients(dice=[0.5]), patients(dice=[0.5]).assign(patient="another"))


def test_patient_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match="not unique"):
        compare_paired(patients(dice=[0.5, 0.6]).assign(patient="p0"), patients(dice=[0.5]))
