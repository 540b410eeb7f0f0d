"""A cross-validation of two folds as its users run it, interrupted, taken up again, and changed."""

import json

import pandas as pd
import pytest

from islesnet.data import find_cases
from islesnet.phantom import PhantomSettings, write_dataset
from workflows import cross_validate as module
from workflows.baselines import score_baselines
from workflows.cross_validate import main
from workflows.datasets import open_patients
from workflows.folds import FoldPlan


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siss")
    write_dataset(folder, 6, seed=3, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    return folder


def words(dataset, out, **options):
    asked = {"data": dataset, "out": out, "folds": 2, "systems": "default", "epochs": 1, "steps-per-epoch": 2}
    asked |= {"pretrained": "none"} | options
    return ["--small", *(str(word) for name, value in asked.items() for word in (f"--{name}", value))]


@pytest.mark.slow
def test_every_patient_is_tested_once_and_what_is_done_is_not_done_again(dataset, tmp_path, capsys):
    assert main(words(dataset, tmp_path)) == 0

    scores = pd.read_csv(tmp_path / "scores.csv", dtype={"patient": str})
    ours = scores[scores["system"] == "default"]
    assert sorted(ours["patient"]) == sorted(case.patient for case in find_cases(dataset))
    for fold in (1, 2):
        datalist = json.loads((tmp_path / f"fold_{fold}" / "datalist.json").read_text())
        tested = {entry["patient"] for entry in datalist["test"]}
        assert tested == set(ours.loc[ours["fold"] == fold, "patient"])
        assert not tested & {entry["patient"] for entry in [*datalist["training"], *datalist["validation"]]}
    provenances = ("provenance.json", "ensemble/default/provenance.json")
    for name in ("report.html", "summary.json", *provenances, "ensemble/default/ensemble.pt"):
        assert (tmp_path / name).is_file(), name

    # Interrupted within the second fold's evaluation: only that is done again.
    weights = [tmp_path / f"fold_{fold}" / "default" / "models" / "model.pt" for fold in (1, 2)]
    before = [path.stat().st_mtime_ns for path in weights]
    (tmp_path / "fold_2" / "default" / "done.json").unlink()
    (tmp_path / "fold_2" / "default" / "evaluation" / "scores.csv").unlink()
    capsys.readouterr()
    assert main(words(dataset, tmp_path)) == 0
    assert [path.stat().st_mtime_ns for path in weights] == before
    said = capsys.readouterr().out
    assert "fold_1/default: done already" in said
    assert said.count("run training") == 0
    assert said.count("run evaluating") == 1
    again = pd.read_csv(tmp_path / "scores.csv", dtype={"patient": str})
    pd.testing.assert_frame_equal(again, scores)

    # Another training in the same folder would mix two cross-validations: nothing is written.
    page = (tmp_path / "report.html").stat().st_mtime_ns
    assert main(words(dataset, tmp_path, epochs=2)) == 1
    assert (tmp_path / "report.html").stat().st_mtime_ns == page
    assert "was begun with another choice of epochs" in capsys.readouterr().err


def test_more_folds_than_people_and_an_unknown_system_are_refused_before_anything_is_trained(dataset, tmp_path, capsys):
    assert main(words(dataset, tmp_path, folds=7)) == 1
    assert "7 folds for 6 people" in capsys.readouterr().err
    assert main(words(dataset, tmp_path, systems="unet")) == 1
    assert "there is no system 'unet'" in capsys.readouterr().err


def test_number_of_phantoms_is_refused_where_there_are_people(dataset, tmp_path, capsys):
    assert main(words(dataset, tmp_path, patients=3)) == 1
    assert "--patients says how many phantoms are made" in capsys.readouterr().err


@pytest.mark.parametrize(("length", "refusal"), [(["--epochs", "0"], "1 or more"), (["--epochs", "3"], "--small")])
def test_lengths_that_no_training_has_are_refused(length, refusal, dataset, tmp_path, capsys):
    small = ["--small"] if refusal == "1 or more" else []

    assert main([*small, "--data", str(dataset), "--out", str(tmp_path), *length]) == 1

    assert refusal in capsys.readouterr().err


@pytest.fixture
def plan(dataset, tmp_path):
    patients = open_patients(str(dataset), tmp_path, 2.0, 6, 0)
    return FoldPlan.deal(patients, 2, 0.3, 0, tmp_path)


def test_ensemble_is_scored_beside_its_members_and_the_baselines(plan, tmp_path, monkeypatch):
    table = score_baselines([], plan.holdout)["empty mask"].assign(dice=0.5)
    monkeypatch.setattr(module, "score_ensemble", lambda of_ours, folder: {"ensemble": table, "fold 1": table})

    said = module._score_ensemble(plan, [], tmp_path, ["PHANTOM"])

    assert f"On the {len(plan.holdout)} patients in no fold the mean Dice is: ensemble 0.500, fold 1 0.500" in said
    assert "DWI threshold" in said
    written = json.loads((tmp_path / "summary.json").read_text())
    assert {"ensemble", "fold 1", "empty mask", "DWI threshold"} <= written["systems"].keys()
    assert written["stamps"] == ["PHANTOM"]
