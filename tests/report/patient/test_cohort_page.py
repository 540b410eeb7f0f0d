import re

import pandas as pd

from islesnet.report.patient import CohortRow, write_cohort_page
from tests.report.test_page import Tags

ROWS = [
    CohortRow("007", 3.0, 2, True, notes=["No DWI."], report="007/report.html"),
    CohortRow("2", 0.0, 0, False, ["Cut.", "Moved."], report="javascript:alert(1)/<b>.html"),
    CohortRow("<script>", failure="dwi.nii.gz: is damaged & short"),
]


def test_page_sums_up_lists_failures_with_reasons_and_links_to_reports(tmp_path):
    text = write_cohort_page(tmp_path / "new", ROWS, ["PHANTOM"]).read_text(encoding="utf-8")
    parsed = Tags(text)
    assert "2 of 3 patients were segmented; 1 of these masks is not to be trusted; 1 patient failed." in text
    assert text.index(">Failed</h2>") < text.index(">Patients</h2>")
    assert {"<script>", "dwi.nii.gz: is damaged & short", "Cut. Moved.", "007"} <= set(parsed.words)
    links = [attributes["href"] for tag, attributes in parsed.tags if tag == "a"]
    assert links[2:] == ["./007/report.html", "./javascript%3Aalert%281%29/%3Cb%3E.html"]


def test_table_holds_every_patient_unrounded(tmp_path):
    write_cohort_page(tmp_path, ROWS)
    frame = pd.read_csv(tmp_path / "cohort.csv", dtype={"patient": str, "lesions": "Int64"}, keep_default_na=False)
    assert frame["patient"].tolist() == ["007", "2", "<script>"]
    assert frame["total_volume_ml"].tolist() == ["3.0", "0.0", ""]
    assert frame["failure"].tolist() == ["", "", "dwi.nii.gz: is damaged & short"]
    assert frame["is_trusted"].tolist() == ["True", "False", ""]


def test_notes_stand_in_the_table_and_on_the_page(tmp_path):
    text = write_cohort_page(tmp_path, ROWS).read_text(encoding="utf-8")
    assert pd.read_csv(tmp_path / "cohort.csv", keep_default_na=False)["notes"].tolist() == ["No DWI.", "", ""]
    assert 'data-name="Notes">No DWI.</td>' in text


def test_reasons_and_notes_that_no_patient_has_take_no_width(tmp_path):
    sound = [CohortRow("1", 1.0, 1, True), CohortRow("2", 0.0, 0, True)]
    text = write_cohort_page(tmp_path, sound).read_text(encoding="utf-8")
    assert re.findall(r'<th scope="col" class="\w+">([^<]*)<', text) == [
        "Patient",
        "Volume (ml)",
        "Lesions",
        "Passed the checks",
    ]
    assert 'data-name="Reasons"' in write_cohort_page(tmp_path, ROWS).read_text(encoding="utf-8")


def test_page_bears_the_stamps_of_all_and_says_whose_they_are_where_they_differ(tmp_path):
    made = CohortRow("made", 0.0, 0, stamps=["PHANTOM"])
    text = write_cohort_page(tmp_path, [made, CohortRow("real", 1.0, 1)], ["QUICK"]).read_text(encoding="utf-8")
    assert "<b>QUICK</b> <b>PHANTOM</b>" in text
    assert re.findall(r'data-name="Stamps">([^<]*)<', text) == ["PHANTOM", "–"]
    assert pd.read_csv(tmp_path / "cohort.csv")["stamp"].tolist() == ["QUICK PHANTOM", "QUICK"]
    assert 'data-name="Stamps"' not in write_cohort_page(tmp_path, [made]).read_text(encoding="utf-8")


def test_weights_stand_in_the_table_and_on_a_page_of_several_networks(tmp_path):
    rows = [CohortRow("1", 1.0, 1, weights="a" * 64), CohortRow("2", 0.0, 0, weights="b" * 64)]
    text = write_cohort_page(tmp_path, rows).read_text(encoding="utf-8")
    assert re.findall(r'data-name="Weights">([^<]*)<', text) == ["a" * 12, "b" * 12]
    assert pd.read_csv(tmp_path / "cohort.csv")["weights"].tolist() == ["a" * 12, "b" * 12]
    assert "Weights" not in write_cohort_page(tmp_path, rows[:1]).read_text(encoding="utf-8")


def test_page_of_a_run_that_goes_on_says_so(tmp_path):
    text = write_cohort_page(tmp_path, ROWS, is_finished=False).read_text(encoding="utf-8")
    assert "So far, 2 of 3 patients were segmented;" in text


def test_a_cohort_of_failures_and_an_empty_one_have_a_page(tmp_path):
    text = write_cohort_page(tmp_path, ROWS[2:]).read_text(encoding="utf-8")
    assert "0 of 1 patients were segmented; 1 patient failed." in text
    assert ">Patients</h2>" not in text
    assert write_cohort_page(tmp_path, []).exists()
