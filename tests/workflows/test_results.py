import json
from dataclasses import asdict, replace

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.processing import resample_to_output

from islesnet.data import Case, find_cases
from islesnet.evaluation import evaluate
from islesnet.metrics import DWI_THRESHOLD, NEIGHBOUR_SCORES, score_mask
from islesnet.phantom import PhantomSettings, write_dataset
from islesnet.provenance import write_provenance
from workflows import demo
from workflows.experiment import Experiment
from workflows.results import (
    THRESHOLD_TEXT,
    Comparison,
    choose_threshold,
    devices_used,
    empty_mask_of,
    say_steps,
    score_baselines,
    total_duration_s,
    write_comparison,
)
from workflows.systems import SYSTEMS

BUNDLE_RUN = "python -m monai.bundle run evaluating"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siss")
    write_dataset(folder, 4, seed=1, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    return find_cases(folder)


def test_baselines_are_an_empty_mask_and_a_threshold_chosen_on_the_training_patients(cases):
    tables = score_baselines(cases[:2], cases[2:])

    assert set(tables) == {"empty mask", "DWI threshold"}
    for table in tables.values():
        assert table["patient"].tolist() == [case.patient for case in cases[2:]]
    assert (tables["empty mask"]["dice"] == 0).all()
    assert (tables["DWI threshold"]["dice"] > 0).all()


def test_baselines_have_the_accuracy_within_the_brain(cases):
    for table in score_baselines(cases[:2], cases[2:]).values():
        inside, outside = table["brain_empty_mask_accuracy"], table["empty_mask_accuracy"]
        assert (inside < outside).all()
        assert (table["brain_accuracy"] < table["accuracy"]).all()


def test_empty_mask_is_scored_as_islesnet_evaluate_scores_it(cases, tmp_path):
    folder = cases[0].label.parents[2]
    (tmp_path / "masks").mkdir()
    for case in cases[2:]:
        (tmp_path / "masks" / f"{case.patient}.nii").symlink_to(case.label)
    of_evaluate = evaluate(
        tmp_path / "masks", tmp_path / "masks", tmp_path / "out", images=folder, workers=1
    ).baselines["empty mask"]

    table = score_baselines(cases[:2], cases[2:])["empty mask"]

    pd.testing.assert_frame_equal(table, of_evaluate)


def coarsen(case, sequence, folder):
    path = folder / case.patient / f"{sequence}.nii.gz"
    path.parent.mkdir()
    nibabel.save(resample_to_output(nibabel.load(case.sequences[sequence]), (9.0, 9.0, 9.0), order=1), path)
    return path


def test_dwi_on_another_grid_than_the_truth_is_brought_to_it(cases, tmp_path):
    coarse = [Case(case.patient, {"dwi": coarsen(case, "dwi", tmp_path)}, case.label) for case in cases]

    table = score_baselines(coarse[:2], coarse[2:])["DWI threshold"]

    assert (table["dice"] > 0).all()


def test_patients_without_dwi_have_no_threshold(cases):
    flair_only = [Case(case.patient, {"flair": case.sequences["flair"]}, case.label) for case in cases]

    assert set(score_baselines(flair_only[:2], flair_only[2:])) == {"empty mask"}


def test_time_of_all_commands_is_the_sum_of_every_run_of_each(tmp_path):
    for name, earlier in (("fold_1/training", [100.0, None]), ("fold_1/evaluation", []), ("fold_2/training", [7.0])):
        commands = [{"duration_s": seconds, "command": BUNDLE_RUN} for seconds in earlier]
        (tmp_path / name).mkdir(parents=True)
        content = {"duration_s": 10.0, "command": BUNDLE_RUN, "earlier": commands}
        (tmp_path / name / "provenance.json").write_text(json.dumps(content))
    # The workflow's own, of the whole and of its ensemble.
    for folder in (tmp_path, tmp_path / "ensemble"):
        folder.mkdir(exist_ok=True)
        own = {"duration_s": 1000.0, "command": "python -m workflows.cross_validate"}
        (folder / "provenance.json").write_text(json.dumps(own))

    assert total_duration_s(tmp_path) == 100 + 7 + 3 * 10


def test_empty_mask_on_another_grid_keeps_what_is_known_of_the_brain():
    known = scores(["a", "b"], lambda n: 10).assign(brain_accuracy=0.7, brain_empty_mask_accuracy=0.9)

    table = empty_mask_of(known)

    assert table["brain_accuracy"].tolist() == table["brain_empty_mask_accuracy"].tolist() == [0.9, 0.9]
    assert table["accuracy"].tolist() == known["empty_mask_accuracy"].tolist()


def test_demo_s_row_has_the_mask_and_the_threshold_beside_it(cases, tmp_path):
    case = cases[2]
    nibabel.save(nibabel.load(case.label), tmp_path / f"{case.patient}_lesion.nii.gz")

    row = demo.score(case, tmp_path, choose_threshold(cases[:2]))

    assert row["Dice"] == 1.0
    assert row["DWI threshold"] == score_baselines(cases[:2], [case])["DWI threshold"]["dice"][0]
    assert row["(empty mask)"] < row["accuracy"] == 1.0


def scores(patients, dice_of):
    rows = []
    for number, patient in enumerate(patients):
        truth, mask = np.zeros((2, 6, 6, 6))
        truth.flat[:20] = 1
        mask.flat[: dice_of(number)] = 1
        rows.append({"patient": patient, **asdict(score_mask(mask, truth, (10.0, 10.0, 10.0)))})
    return pd.DataFrame(rows)


def test_comparison_holds_every_system_and_the_difference_to_ours_with_its_stamp(tmp_path):
    patients = ["a", "b", "c"]
    comparison = Comparison(
        title="A comparison",
        by_system={"ours": scores(patients, lambda n: 18 - n), "other": scores(patients, lambda n: 10 + n)},
        baselines={"empty mask": scores(patients, lambda n: 0)},
        data="three patients",
        cases={},
        masks=None,
        reliability=[tmp_path / "fold_1.csv", tmp_path / "fold_2.csv", tmp_path / "of_a_fold_that_has_none.csv"],
        stamps=("PHANTOM",),
    )
    for number in (1, 2):
        table = {"low": [0.0], "high": [1.0], "voxels": [10 * number], "mean_probability": [0.2], "lesion_share": [0.1]}
        pd.DataFrame(table).to_csv(tmp_path / f"fold_{number}.csv", index=False)

    page = write_comparison(tmp_path, comparison)

    written = pd.read_csv(tmp_path / "scores.csv")
    assert set(written["system"]) == {"ours", "other", "empty mask"}
    assert (written["stamp"] == "PHANTOM").all()
    summary = json.loads((tmp_path / "summary.json").read_text())
    ours, other = (comparison.by_system[name]["dice"] for name in ("ours", "other"))
    assert summary["ours minus"]["other"]["mean"] == pytest.approx((ours - other).mean())
    assert summary["ours minus"]["other"]["better"] == 3
    assert pd.read_csv(tmp_path / "tables" / "reliability.csv")["voxels"].tolist() == [30]
    text = page.read_text()
    assert "PHANTOM" in text
    assert "3 of 3" in text


def test_flair_on_another_grid_than_the_truth_is_among_the_pictures(cases, tmp_path, monkeypatch):
    # As in ISLES 2022, where the truth lies on the DWI.
    case = cases[0]
    case = Case(case.patient, {"dwi": case.sequences["dwi"], "flair": coarsen(case, "flair", tmp_path)}, case.label)
    (tmp_path / "masks").mkdir()
    nibabel.save(nibabel.load(case.label), tmp_path / "masks" / f"{case.patient}_lesion.nii.gz")
    written = []
    monkeypatch.setattr("workflows.results.write_evaluation_report", lambda _, evaluation: written.append(evaluation))
    comparison = Comparison(
        title="A comparison",
        by_system={"ours": scores([case.patient], lambda n: 10)},
        baselines={},
        data="one patient",
        cases={case.patient: case},
        masks={case.patient: tmp_path / "masks"},
    )

    write_comparison(tmp_path, comparison)

    images, truth, mask = written[0].scans(case.patient)
    assert images["flair"].shape == images["dwi"].shape == truth.shape
    assert np.array_equal(truth, mask)


def test_how_the_dwi_threshold_was_chosen_is_said_where_it_is_in_the_report(tmp_path):
    alone = Comparison("A comparison", {"ours": scores(["a", "b"], lambda n: n)}, {}, "two patients", {}, None)
    beside = replace(alone, baselines={DWI_THRESHOLD: alone.by_system["ours"]})

    assert THRESHOLD_TEXT not in write_comparison(tmp_path / "alone", alone).read_text()
    assert THRESHOLD_TEXT in write_comparison(tmp_path / "beside", beside).read_text()


def test_of_stacked_slices_neither_distances_nor_lesions_nor_their_sizes_are_told(tmp_path):
    whole = Comparison("A comparison", {"ours": scores(["a", "b"], lambda n: n)}, {}, "two patients", {}, None)
    assert set(NEIGHBOUR_SCORES) <= set(whole.by_system["ours"])

    page = write_comparison(tmp_path / "slices", replace(whole, of_slices=True)).read_text()

    assert set(NEIGHBOUR_SCORES).isdisjoint(pd.read_csv(tmp_path / "slices/scores.csv"))
    assert "hd95_mm" not in (tmp_path / "slices/summary.json").read_text()
    assert not any(word in page for word in ("By lesion size", "Bland-Altman", "HD95", "Lesions, true"))
    page = write_comparison(tmp_path / "volumes", whole).read_text()
    assert all(word in page for word in ("By lesion size", "Bland-Altman", "HD95", "Lesions, true"))


def test_devices_of_all_commands_are_named_once(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.orig_argv", BUNDLE_RUN.split())
    assert devices_used(tmp_path) is None
    for name, device in (("a", "cuda:1"), ("b", "cpu"), ("c", "cpu"), ("d", None)):
        write_provenance(tmp_path / name, began=0.0, device=device)

    assert devices_used(tmp_path) == "cpu, cuda:1"


@pytest.mark.parametrize(("steps", "is_said"), [((80, 80), False), ((80, 40), True)])
def test_unequal_steps_are_said_to_be_unequal(tmp_path, steps, is_said):
    done = {}
    for name, count in zip(("default", "plain_unet"), steps, strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trained.json").write_text(json.dumps({"steps": count}))
        done[name] = [Experiment(tmp_path / name, SYSTEMS[name], tmp_path, tmp_path / "datalist.json")]

    told = say_steps(done)

    assert f"default {steps[0]}, plain_unet {steps[1]}." in told
    assert ("Unequal" in told) == is_said
