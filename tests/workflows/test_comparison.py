import json
from dataclasses import replace

import nibabel
import numpy as np
import pandas as pd
import pytest

from islesnet.data import Case
from islesnet.metrics import DWI_THRESHOLD, NEIGHBOUR_SCORES
from tests.workflows.conftest import coarsen, scores
from workflows.baselines import THRESHOLD_TEXT
from workflows.comparison import Comparison, write_comparison


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
    monkeypatch.setattr("workflows.comparison.write_evaluation_report", lambda _, report: written.append(report))
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
