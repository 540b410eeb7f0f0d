import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from islesnet.data import find_cases
from islesnet.metrics import score_mask
from islesnet.phantom import PhantomSettings, write_dataset
from workflows.results import Comparison, open_scan, score_baselines, write_comparison


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


def test_patients_without_dwi_have_no_threshold(cases):
    flair_only = [type(case)(case.patient, {"flair": case.sequences["flair"]}, case.label) for case in cases]

    assert set(score_baselines(flair_only[:2], flair_only[2:])) == {"empty mask"}


def test_scan_without_masks_has_an_empty_one(cases):
    images, truth, mask = open_scan(cases[0], None)

    assert set(images) == {"dwi", "t1", "t2", "flair"}
    assert truth.any()
    assert not mask.any()


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
