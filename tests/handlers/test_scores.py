"""Scores of patients on an evaluator whose network is the truth's copy, shifted."""

import json

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch
from ignite.engine import Engine
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import IterationEvents, SupervisedEvaluator
from torch import nn

from islesnet.cohort import CohortDataset, CohortEvaluator
from islesnet.errors import InputError
from islesnet.handlers import PatientScores
from islesnet.metrics import score_mask

COLUMNS = list(vars(score_mask(np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), (1, 1, 1))))
RAS = np.diag([1.0, 2.0, 5.0, 1.0])
# The same space with axes posterior, superior, left.
PSL = np.array([[0.0, 0, -1, 6], [-2, 0, 0, 10], [0, 5, 0, 0], [0, 0, 0, 1]])


def truth_of(*lesion, shape=(7, 6, 4)):
    mask = np.zeros(shape, dtype=np.float32)
    for voxel in lesion:
        mask[voxel] = 1.0
    return mask


LESION = truth_of((2, 2, 1), (3, 2, 1), (2, 3, 2))
PART = truth_of((2, 2, 1))
EMPTY = truth_of()


def tensor(array, affine=RAS):
    return MetaTensor(torch.from_numpy(array)[None], affine)


def run(handler, *patients, failures=None):
    """Run an engine over patients: name, prediction, truth, and what else output ("probability") and batch hold."""

    def step(engine, patient):
        name, prediction, truth, *more = patient
        output, batch = more or ({}, {})
        engine.state.batch = [{"patient": name, **batch}]
        engine.state.output = [{"pred": prediction, "label": truth, **output}]
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return engine.state.output

    engine = Engine(step)
    engine.register_events(*IterationEvents)
    if failures is not None:
        engine.failures = failures
    handler.attach(engine)
    engine.run(patients)
    return engine


def test_scores_are_those_of_the_mask_in_mm_a_row_a_patient(tmp_path):
    run(PatientScores(tmp_path), ("sub-1", tensor(PART), tensor(LESION)), ("sub-2", tensor(EMPTY), tensor(EMPTY)))

    scores = pd.read_csv(tmp_path / "scores.csv")
    assert list(scores) == ["patient", *COLUMNS]
    for row, prediction, truth in zip(scores.to_dict("records"), (PART, EMPTY), (LESION, EMPTY), strict=True):
        expected = vars(score_mask(prediction, truth, (1.0, 2.0, 5.0)))
        assert {name: row[name] for name in COLUMNS} == pytest.approx(expected, nan_ok=True)
    assert scores["true_ml"].tolist() == pytest.approx([0.03, 0.0])


def test_rows_stand_in_natural_order_whatever_the_order_of_the_run(tmp_path):
    run(PatientScores(tmp_path), *((name, tensor(PART), tensor(LESION)) for name in ("10", 'b, "c"', "2", "=1+1")))

    scores = pd.read_csv(tmp_path / "scores.csv", dtype={"patient": str})
    assert scores["patient"].tolist() == ["2", "10", "'=1+1", 'b, "c"']


def test_slices_are_axial_however_the_volume_is_stored(tmp_path):
    stored = [np.ascontiguousarray(array.transpose(1, 2, 0)[::-1, :, ::-1]) for array in (PART, LESION)]

    run(PatientScores(tmp_path), ("turned", *(tensor(array, PSL) for array in stored)))

    row = pd.read_csv(tmp_path / "scores.csv").iloc[0]
    expected = vars(score_mask(PART, LESION, (1.0, 2.0, 5.0)))
    assert {name: row[name] for name in COLUMNS} == pytest.approx(expected, nan_ok=True)
    assert row["slice_dice"] == pytest.approx((2 / 3 + 0) / 2)


def test_mask_and_truth_stored_in_different_axis_orders_are_compared_in_place(tmp_path):
    turned = np.ascontiguousarray(LESION.transpose(1, 2, 0)[::-1, :, ::-1])

    run(PatientScores(tmp_path), ("one", tensor(LESION), tensor(turned, PSL)))

    assert pd.read_csv(tmp_path / "scores.csv")["dice"].tolist() == [1.0]


@pytest.mark.parametrize("rounding", [0.0, 1e-7, -1e-7])
def test_head_turned_by_45_degrees_is_scored_whichever_way_its_affine_was_rounded(tmp_path, rounding):
    affine, other = (np.diag([2.0, 2.0, 2.0, 1.0]) for _ in range(2))
    affine[:2, :2] = np.sqrt(2) * np.array([[1, -1], [1, 1]])
    other[:2, :2] = affine[:2, :2] * np.array([[1 + rounding, 1], [1, 1]])
    scan = np.random.default_rng(0).normal(100, 5, LESION.shape).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(scan, other), tmp_path / "dwi.nii.gz")
    reference = MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": str(tmp_path / "dwi.nii.gz")})
    probability = {"probability": tensor(LESION, other)}

    run(
        PatientScores(tmp_path),
        ("one", tensor(LESION, other), tensor(LESION, affine), probability, {"reference": reference}),
    )

    row = pd.read_csv(tmp_path / "scores.csv").iloc[0]
    assert (row["dice"], row["brain_accuracy"]) == (1.0, 1.0)


def test_means_over_patients_are_the_engines_metrics(tmp_path):
    engine = run(PatientScores(tmp_path), ("a", tensor(PART), tensor(LESION)), ("b", tensor(EMPTY), tensor(EMPTY)))

    assert engine.state.metrics["val_dice"] == pytest.approx((0.5 + 1) / 2)
    assert engine.state.metrics["val_true_ml"] == pytest.approx(0.015)
    assert engine.state.metrics["val_hd95_mm"] > 0
    assert np.isnan(engine.state.metrics["val_brain_accuracy"])
    assert "val_true_positives" not in engine.state.metrics


def test_accuracy_in_the_brain_is_over_the_voxels_of_the_scan_that_are_not_background(tmp_path):
    scan = np.zeros((7, 6, 4), dtype=np.float32)
    scan[1:5, 1:5, 1:3] = np.random.default_rng(0).normal(100, 5, (4, 4, 2))
    nibabel.save(nibabel.Nifti1Image(scan, RAS), tmp_path / "dwi.nii.gz")
    reference = MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": str(tmp_path / "dwi.nii.gz")})

    run(PatientScores(tmp_path), ("a", tensor(PART), tensor(LESION), {}, {"reference": reference}))

    row = pd.read_csv(tmp_path / "scores.csv").iloc[0]
    assert row["brain_accuracy"] == pytest.approx(1 - 2 / 32)
    assert row["brain_empty_mask_accuracy"] == pytest.approx(1 - 3 / 32)
    assert row["accuracy"] == pytest.approx(1 - 2 / LESION.size)


def test_brain_is_not_known_where_another_grid_than_the_scans_is_scored(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((7, 6, 4), dtype=np.float32), np.eye(4)), tmp_path / "dwi.nii.gz")
    reference = MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": str(tmp_path / "dwi.nii.gz")})

    run(PatientScores(tmp_path), ("a", tensor(PART), tensor(LESION), {}, {"reference": reference}))

    assert pd.read_csv(tmp_path / "scores.csv")["brain_accuracy"].isna().all()


def test_summary_says_aggregates_stamps_and_failures(tmp_path):
    failures = {"c": "dwi.nii.gz is cut short"}
    run(PatientScores(tmp_path, ["PHANTOM", "QUICK"]), ("a", tensor(PART), tensor(LESION)), failures=failures)

    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["patients"] == 1
    assert summary["measures"]["dice"]["mean"] == 0.5
    assert summary["measures"]["brain_accuracy"]["mean"] is None
    assert (summary["stamps"], summary["failed"]) == (["PHANTOM", "QUICK"], failures)


@pytest.mark.parametrize(
    ("stamps", "column"), [((), None), (["PHANTOM", "LEAKY"], "PHANTOM LEAKY"), ("PHANTOM", "PHANTOM")]
)
def test_stamps_stand_in_a_last_column_and_only_where_there_are_some(tmp_path, stamps, column):
    run(PatientScores(tmp_path, stamps), ("a", tensor(PART), tensor(LESION)))

    scores = pd.read_csv(tmp_path / "scores.csv")
    assert ("stamp" in scores) == (column is not None)
    assert column is None or (list(scores)[-1], scores["stamp"].tolist()) == ("stamp", [column])


def test_reliability_is_of_the_probabilities_and_absent_without_them(tmp_path):
    probability = {"probability": tensor(LESION * 0.95)}
    run(PatientScores(tmp_path / "with"), ("a", tensor(PART), tensor(LESION), probability, {}))
    run(PatientScores(tmp_path / "without"), ("a", tensor(PART), tensor(LESION)))

    table = pd.read_csv(tmp_path / "with/reliability.csv")
    assert table["voxels"].tolist() == [LESION.size - 3, *[0] * 8, 3]
    assert table["lesion_share"].iloc[-1] == 1.0
    assert sorted(path.name for path in (tmp_path / "without").iterdir()) == ["scores.csv", "summary.json"]


def test_earlier_scores_are_gone_before_the_first_patient(tmp_path):
    for name in ("scores.csv", "summary.json", "reliability.csv"):
        (tmp_path / name).write_text("earlier")
    engine = Engine(lambda engine, patient: seen.extend(tmp_path.iterdir()))
    engine.register_events(*IterationEvents)
    PatientScores(tmp_path).attach(engine)
    seen = []

    engine.run([0])

    assert seen == []


def test_scores_come_last_of_the_files(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("pathlib.Path.replace", lambda part, path: written.append(path.name))

    run(PatientScores(tmp_path), ("a", tensor(PART), tensor(LESION), {"probability": tensor(LESION)}, {}))

    assert written == ["reliability.csv", "summary.json", "scores.csv"]


def test_second_run_does_not_count_the_patients_of_the_first(tmp_path):
    handler = PatientScores(tmp_path)
    run(handler, ("a", tensor(PART), tensor(LESION)))
    run(handler, ("b", tensor(PART), tensor(LESION)))
    assert pd.read_csv(tmp_path / "scores.csv")["patient"].tolist() == ["b"]


def test_monai_evaluator_is_scored_in_batches(tmp_path):
    patients = [{"patient": name, "image": tensor(LESION), "label": tensor(LESION)} for name in "abc"]
    SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(patients), batch_size=2),
        network=nn.Identity(),
        val_handlers=[PatientScores(tmp_path)],
    ).run()
    assert pd.read_csv(tmp_path / "scores.csv")[["patient", "dice"]].values.tolist() == [[name, 1.0] for name in "abc"]


def cohort(folder, *patients, load=dict):
    return CohortEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(CohortDataset(patients, load), batch_size=1),
        network=nn.Identity(),
        val_handlers=[PatientScores(folder)],
    )


def test_patient_who_cannot_be_scored_fails_alone(tmp_path):
    other = truth_of(shape=(7, 6, 3))
    patients = [{"patient": name, "image": tensor(LESION), "label": tensor(LESION)} for name in "abc"]
    patients[1]["label"] = tensor(other)

    with pytest.raises(InputError, match=r"1 of 3 patients failed:\n  b: .*the mask has shape \(7, 6, 4\)"):
        cohort(tmp_path, *patients).run()

    assert pd.read_csv(tmp_path / "scores.csv")["patient"].tolist() == ["a", "c"]
    assert list(json.loads((tmp_path / "summary.json").read_text())["failed"]) == ["b"]


def test_summary_has_the_empty_mask_s_whole_summary_beside_ours(tmp_path):
    run(PatientScores(tmp_path), ("a", tensor(PART), tensor(LESION)), ("b", tensor(PART), tensor(EMPTY)))

    summary = json.loads((tmp_path / "summary.json").read_text())
    beaten = summary["baselines"]["empty mask"]
    assert set(beaten["measures"]) == set(summary["measures"])
    assert beaten["measures"]["dice"]["mean"] == 0.5  # nothing is right where nothing is
    assert beaten["measures"]["accuracy"]["mean"] == summary["measures"]["empty_mask_accuracy"]["mean"]
    assert (beaten["patients"], beaten["missed"], beaten["both_empty"]) == (2, 1, 1)


def test_cohort_of_failures_alone_has_a_summary_that_says_why_and_no_scores(tmp_path):
    def load(item):
        raise InputError("dwi.nii.gz is empty")

    with pytest.raises(InputError, match="2 of 2 patients failed"):
        cohort(tmp_path, {"patient": "a"}, {"patient": "b"}, load=load).run()

    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "patients": 0,
        "stamps": [],
        "failed": {"a": "dwi.nii.gz is empty", "b": "dwi.nii.gz is empty"},
    }
