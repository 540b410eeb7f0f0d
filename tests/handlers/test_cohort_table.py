import json
import logging
from types import SimpleNamespace

import pandas as pd
import pytest
from ignite.engine import Engine

from islesnet.files import sha256_of
from islesnet.handlers import CohortTable
from islesnet.result_files import EDITED_MASK
from tests.report.test_page import Tags


def write_numbers(folder, patient, **further):
    numbers = {"patient": patient, "lesion_volume_ml": 1.5, "lesion_count": 2, **further}
    (folder / f"{patient}_lesion.json").write_text(json.dumps(numbers))


def read_table(folder):
    return pd.read_csv(folder / "cohort.csv", dtype={"patient": str}, keep_default_na=False, na_values=[""])


def table(folder, failures=None, stamps=()):
    CohortTable(folder, stamps).write(SimpleNamespace(failures=failures or {}))
    return read_table(folder)


def page(folder):
    return (folder / "cohort.html").read_text(encoding="utf-8")


def test_every_patient_of_the_folder_has_a_row_in_natural_order(tmp_path):
    for patient in ("p10", "p2", "NA"):
        write_numbers(tmp_path, patient, trust={"is_trusted": False, "reasons": ["A.", "B, C."], "notes": ["D."]})

    written = table(tmp_path)

    assert written["patient"].tolist() == ["NA", "p2", "p10"]
    assert list(written) == [
        "patient", "total_volume_ml", "lesions", "is_trusted", "reasons", "notes", "report", "weights", "failure",
    ]  # fmt: skip
    row = written.set_index("patient").loc["p2"]
    assert (row["total_volume_ml"], row["lesions"], row["is_trusted"]) == (1.5, 2, False)
    assert (row["reasons"], row["notes"]) == ("A. B, C.", "D.")
    assert "3 of 3 patients were segmented; 3 of these masks are not to be trusted." in page(tmp_path)


def test_patient_that_failed_has_the_failure_and_nothing_of_an_earlier_run(tmp_path):
    for patient in ("anna", "bert"):
        write_numbers(tmp_path, patient, trust={"is_trusted": True, "reasons": [], "notes": []})
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna/report.html").touch()

    written = table(tmp_path, {"anna": "flair.nii.gz is cut short"}).set_index("patient")

    assert written.loc["anna", "failure"] == "flair.nii.gz is cut short"
    assert written.loc["anna", ["total_volume_ml", "lesions", "is_trusted", "report"]].isna().all()
    assert bool(written.loc["bert", "is_trusted"]) is True
    assert "1 of 2 patients were segmented; 1 patient failed." in page(tmp_path)


def test_row_of_a_mask_that_was_changed_after_its_run_says_that_its_numbers_are_of_the_mask_before(tmp_path):
    for patient in ("anna", "bert", "carl"):
        (tmp_path / f"{patient}_lesion.nii.gz").write_bytes(b"a mask")
        checksum = sha256_of(tmp_path / f"{patient}_lesion.nii.gz")
        write_numbers(tmp_path, patient, mask_sha256=checksum, trust={"is_trusted": True, "notes": ["No DWI."]})
    for patient in ("bert", "carl"):
        (tmp_path / f"{patient}_lesion.nii.gz").write_bytes(b"a mask that somebody corrected")

    written = table(tmp_path, {"carl": "it stays there"}).set_index("patient")

    assert written["notes"].dropna().to_dict() == {"anna": "No DWI.", "bert": f"{EDITED_MASK} No DWI."}
    assert (written.loc["bert", "total_volume_ml"], bool(written.loc["bert", "is_trusted"])) == (1.5, True)
    assert page(tmp_path).count("The mask was changed after the run") == 1
    told = (
        "2 of 3 patients were segmented; 1 mask was changed after the run, and its row is of the mask before; 1 patient"
    )
    assert told in page(tmp_path)


def test_row_leads_to_the_patients_report_where_there_is_one(tmp_path):
    for patient in ("a b", "bert"):
        write_numbers(tmp_path, patient)
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b/report.html").touch()

    written = table(tmp_path).set_index("patient")["report"]

    assert written["a b"] == "a b/report.html" and pd.isna(written["bert"])
    links = [attributes["href"] for tag, attributes in Tags(page(tmp_path)).tags if tag == "a"]
    assert [link for link in links if "report" in link] == ["./a%20b/report.html"]


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"patient": "b", "lesion_volume_ml": null, "lesion_count": 1}'])
def test_numbers_without_trust_and_damaged_ones_do_not_stop_the_table(tmp_path, caplog, content):
    write_numbers(tmp_path, "anna")
    (tmp_path / "bert_lesion.json").write_text(content)
    (tmp_path / ".part.x.carl_lesion.json").write_text("{")  # left by a process that was killed

    written = table(tmp_path, stamps=["PHANTOM"])

    assert written["patient"].tolist() == ["anna"]
    assert written["stamp"].tolist() == ["PHANTOM"]
    assert pd.isna(written["is_trusted"].item())
    assert "bert_lesion.json is left out" in caplog.text and "carl" not in caplog.text


def test_folder_without_patients_gets_no_table(tmp_path):
    CohortTable(tmp_path).write(SimpleNamespace())
    assert list(tmp_path.iterdir()) == []


def test_each_patient_bears_its_own_stamps_and_the_run_s(tmp_path):
    write_numbers(tmp_path, "made", stamps=["PHANTOM"])
    write_numbers(tmp_path, "real")

    own = table(tmp_path).set_index("patient")["stamp"]
    with_the_run_s = table(tmp_path, stamps=("LEAKY",)).set_index("patient")["stamp"]

    assert own["made"] == "PHANTOM" and pd.isna(own["real"])
    assert with_the_run_s.to_dict() == {"made": "LEAKY PHANTOM", "real": "LEAKY"}
    assert "<b>LEAKY</b> <b>PHANTOM</b>" in page(tmp_path)


def run_cohort(folder, patients, see=lambda count: None, **settings):
    """Run an engine whose every iteration writes a patient's numbers."""

    def segment(engine, patient):
        see(engine.state.iteration)
        write_numbers(folder, patient)
        return {}

    engine = Engine(segment)
    CohortTable(folder, **settings).attach(engine)
    engine.run(patients)


def test_run_that_is_killed_has_a_table_of_its_patients_so_far(tmp_path):
    def stop(count):
        if count == 23:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cohort(tmp_path, [f"p{number}" for number in range(30)], stop, seconds=0.0)

    assert len(read_table(tmp_path)) == 22
    assert "So far, 22 of 22 patients were segmented." in page(tmp_path)


def test_table_is_not_written_anew_for_every_patient_of_a_large_cohort(tmp_path):
    tables = []
    run_cohort(tmp_path, ["a", "b", "c"], lambda count: tables.append(len(list(tmp_path.glob("cohort.csv")))))
    run_cohort(tmp_path, ["d"], lambda count: tables.append(len(read_table(tmp_path))))
    assert tables == [0, 1, 1, 3]


def test_run_that_has_come_to_its_end_has_all_its_patients(tmp_path):
    run_cohort(tmp_path, ["a", "b", "c"], seconds=0.0)
    assert len(read_table(tmp_path)) == 3
    assert "So far" not in page(tmp_path)


def test_table_that_cannot_be_written_meanwhile_does_not_stop_the_run(tmp_path, caplog):
    blocked = tmp_path / "cohort.csv"
    blocked.mkdir()

    def unblock(count):
        if count == 3:
            blocked.rmdir()

    with caplog.at_level(logging.WARNING):
        run_cohort(tmp_path, ["a", "b", "c"], unblock, seconds=0.0)

    assert "cannot be written for now" in caplog.text
    assert len(read_table(tmp_path)) == 3


def test_damaged_numbers_are_told_of_once_in_a_run(tmp_path, caplog):
    (tmp_path / "damaged_lesion.json").write_text("{")
    run_cohort(tmp_path, ["a", "b", "c"], seconds=0.0)
    assert caplog.text.count("damaged_lesion.json is left out") == 1
