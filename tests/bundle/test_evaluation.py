"""Evaluation as users run it: every patient's scores on the native grid, whatever befalls one of them."""

import hashlib
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from islesnet.data import find_cases, read_datalist, write_datalist
from islesnet.errors import InputError
from islesnet.metrics import score_mask
from islesnet.phantom import PhantomSettings, write_dataset
from tests.bundle.conftest import TINY, open_recipe, run_bundle

SECTION = "training"  # three patients; whether the network knows them does not matter here


@pytest.fixture
def patients(dataset, tmp_path):
    """A copy of the data set, to be damaged."""
    return shutil.copytree(dataset, tmp_path / "data")


@pytest.fixture(scope="module")
def evaluated(dataset, weights, tmp_path_factory):
    """One evaluation that many tests look at."""
    folder = tmp_path_factory.mktemp("evaluated")
    evaluate(dataset, weights, folder)
    return folder


def evaluate(dataset, weights, output, recipe="evaluate", **overrides):
    """Run the evaluation recipe in this process, which is quicker than a new one."""
    places = {"dataset_dir": str(dataset), "checkpoint": str(weights), "output_dir": str(output)}
    workflow = open_recipe(recipe, "inference", **places, **{"section": SECTION, **overrides})
    workflow.parser.get_parsed_content("evaluator").run()


def scores_in(folder):
    return pd.read_csv(folder / "scores.csv", dtype={"patient": str})


def damage(dataset):
    """Cut a patient's FLAIR short, and name the patient."""
    item = read_datalist(dataset / "datalist.json", SECTION)[1]
    with Path(item["flair"]).open("r+b") as file:
        file.truncate(500)
    return item["patient"]


def test_every_patient_of_the_section_has_masks_and_a_row_of_scores(evaluated, dataset):
    names = [item["patient"] for item in read_datalist(dataset / "datalist.json", SECTION)]

    assert sorted(scores_in(evaluated)["patient"]) == sorted(names)
    files = {"scores.csv", "summary.json", "reliability.csv", "cohort.csv", "cohort.html", "provenance.json"}
    files |= {f"{name}_lesion.{suffix}" for name in names for suffix in ("nii.gz", "json")}
    assert {path.name for path in evaluated.iterdir()} == files


def test_scores_are_those_of_the_saved_masks_against_the_labels(evaluated, dataset):
    for item in read_datalist(dataset / "datalist.json", SECTION):
        row = scores_in(evaluated).set_index("patient").loc[item["patient"]]
        mask = nibabel.load(evaluated / f"{item['patient']}_lesion.nii.gz")
        label = np.asarray(nibabel.load(item["label"]).dataobj)

        expected = score_mask(np.asarray(mask.dataobj), label, mask.header.get_zooms())

        for name in ("dice", "precision", "slice_dice", "hd95_mm", "true_ml", "predicted_lesions", "true_positives"):
            assert row[name] == pytest.approx(getattr(expected, name), rel=1e-5), name
        assert 0 < row["brain_accuracy"] < 1


def test_summary_has_the_aggregates_of_the_scores(evaluated):
    summary = json.loads((evaluated / "summary.json").read_text())

    assert summary["patients"] == 3
    assert summary["measures"]["dice"]["mean"] == pytest.approx(scores_in(evaluated)["dice"].mean())
    assert (summary["stamps"], summary["failed"]) == (["PHANTOM"], {})


def test_reliability_counts_every_voxel_of_every_patient(evaluated, dataset):
    labels = [nibabel.load(item["label"]) for item in read_datalist(dataset / "datalist.json", SECTION)]

    assert pd.read_csv(evaluated / "reliability.csv")["voxels"].sum() == sum(np.prod(label.shape) for label in labels)


def test_provenance_names_the_patients_the_datalist_and_the_weights(evaluated, dataset, weights):
    told = json.loads((evaluated / "provenance.json").read_text())

    names = [item["patient"] for item in read_datalist(dataset / "datalist.json", SECTION)]
    assert (told["finished"], told["split"]) == (True, {SECTION: names})
    assert told["datalist"]["sha256"] == hashlib.sha256((dataset / "datalist.json").read_bytes()).hexdigest()
    assert told["weights"][0]["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()


def test_stamps_of_the_datalist_stand_on_everything(patients, weights, tmp_path):
    datalist = patients / "datalist.json"
    content = json.loads(datalist.read_text())
    datalist.write_text(json.dumps({**content, "stamps": ["PHANTOM", "LEAKY"]}))

    evaluate(patients, weights, tmp_path / "out", section="test")

    (patient,) = scores_in(tmp_path / "out")["patient"]
    for table in ("scores.csv", "reliability.csv"):
        assert set(pd.read_csv(tmp_path / "out" / table)["stamp"]) == {"PHANTOM LEAKY"}
    for file in ("summary.json", "provenance.json", f"{patient}_lesion.json"):
        assert json.loads((tmp_path / "out" / file).read_text())["stamps"] == ["PHANTOM", "LEAKY"]
    mask = nibabel.load(tmp_path / "out" / f"{patient}_lesion.nii.gz")
    assert mask.header["descrip"].item().startswith(b"PHANTOM, LEAKY")


def test_evaluation_goes_on_after_a_damaged_patient_and_says_which_and_why(patients, weights, tmp_path, evaluated):
    damaged = damage(patients)

    with pytest.raises(InputError, match=rf"1 of 3 patients failed:\n  {damaged}: .*Flair.*cut short"):
        evaluate(patients, weights, tmp_path / "out")

    whole = scores_in(evaluated)
    pd.testing.assert_frame_equal(
        scores_in(tmp_path / "out"), whole[whole["patient"] != damaged].reset_index(drop=True)
    )
    failed = json.loads((tmp_path / "out/summary.json").read_text())["failed"]
    assert list(failed) == [damaged]
    assert "cut short" in failed[damaged]


def test_mask_that_was_corrected_after_an_evaluation_outlives_the_next(dataset, weights, evaluated, tmp_path):
    out = shutil.copytree(evaluated, tmp_path / "out")
    corrected = sorted(out.glob("*_lesion.nii.gz"))[0]
    corrected.write_bytes(b"an expert's work")

    with pytest.raises(InputError, match=f"1 of 3 patients failed:\n  .*{corrected.name} is not as a run"):
        evaluate(dataset, weights, out)

    assert corrected.read_bytes() == b"an expert's work"
    assert len(scores_in(out)) == 2


def test_section_without_a_patient_is_refused(patients, weights, tmp_path):
    datalist = patients / "datalist.json"
    datalist.write_text(json.dumps({**json.loads(datalist.read_text()), "test": []}))

    with pytest.raises(InputError, match="There is no patient"):
        evaluate(patients, weights, tmp_path / "out", section="test")


def test_scores_on_the_networks_grid_say_nothing_of_the_native_brain(dataset, weights, tmp_path):
    evaluate(dataset, weights, tmp_path, "evaluate_network_grid")

    scores = scores_in(tmp_path)
    assert len(scores) == 3
    assert scores["brain_accuracy"].isna().all()


@pytest.mark.slow
def test_damaged_patient_makes_the_command_fail_and_its_config_is_written_down(patients, weights, tmp_path):
    damaged = damage(patients)
    places = {"dataset_dir": patients, "output_dir": tmp_path / "out", "checkpoint": weights}

    run = run_bundle("evaluating", "evaluate", **places, section=SECTION)

    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert f"1 of 3 patients failed:\n  {damaged}: " in run.stderr
    assert len(scores_in(tmp_path / "out")) == 2
    told = json.loads((tmp_path / "out/provenance.json").read_text())
    assert told["finished"] is True
    assert (told["config"]["section"], told["config"]["spacing"]) == (SECTION, TINY["spacing"])
    assert told["config"]["threshold"] == 0.5
    assert "-m monai.bundle run evaluating --args_file recipes/evaluate.yaml" in told["command"]


@pytest.mark.slow
@pytest.mark.parametrize("prepare_scans", [False, True])
def test_skull_is_taken_off_or_warned_of(prepare_scans, weights, tmp_path, capfd):
    settings = PhantomSettings(spacing_mm=6.0, thick_slices_probability=0.0, is_skull_stripped=False)
    write_dataset(tmp_path / "data", 1, seed=3, settings=settings, workers=1)
    cases = find_cases(tmp_path / "data")
    write_datalist(tmp_path / "data/datalist.json", {SECTION: cases}, tmp_path / "data", {"seed": 0})

    evaluate(tmp_path / "data", weights, tmp_path / "out", prepare_scans=prepare_scans)

    assert len(scores_in(tmp_path / "out")) == 1
    assert ("shows the skull" in "".join(capfd.readouterr())) is not prepare_scans
    assert (tmp_path / "out/1/brain.nii.gz").exists() is prepare_scans
