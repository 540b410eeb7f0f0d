import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from islesnet.errors import InputError
from islesnet.report.patient import LesionMeasures, PatientFindings, measure_lesions, write_patient_report
from tests.report.patient.heads import at, axial, ball, patient
from tests.report.test_page import Tags

HOSTILE = "<script>alert('x')</script> $(rm -rf) ../%s"
AFFINE, SHAPE = axial((4.0, 4.0, 5.0))
MASK = ball(AFFINE, SHAPE, at(40, -20, 0), 12) | ball(AFFINE, SHAPE, at(-40, 20, 20), 8)


def volumes(mask=MASK):
    adc = np.where(mask, 0.5, 0.8)
    return patient(AFFINE, SHAPE, mask, adc=adc, probability=np.where(mask, 0.9, 0.1))


def report(folder, mask=MASK, moved=(), name="007", **known):
    scans = volumes(mask)
    html = write_patient_report(folder, PatientFindings(name, measure_lesions(scans), **known), scans, moved)
    return html.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def doubted(tmp_path_factory):
    """The report of a patient whose result is not to be trusted, and its folder."""
    folder = tmp_path_factory.mktemp("doubted") / "new"
    text = report(
        folder, moved=["t1"], name=HOSTILE, is_trusted=False, reasons=["The field of view is cut."],
        quality_notes=[HOSTILE], stamps=["PHANTOM"], versions={"islesnet": "0.1.0"}, measured="It has a Dice of 0.25.",
    )  # fmt: skip
    return folder, text


def test_page_reads_from_warning_over_result_to_quality(doubted):
    body = doubted[1].partition("<body>")[2]
    parts = (
        "Research use only", "PHANTOM", "Do not trust this result", "The field of view is cut.", "2 lesions (1 on the",
        "It has a Dice of 0.25. Small lesions come out worse",
        ">Lesions</h2>", ">Key slices</h2>", ">All slices with lesion</h2>", ">Registration check</h2>",
        ">Quality</h2>", ">How it was measured</h2>", ">Software</h2>", "0.1.0",
    )  # fmt: skip
    places = [body.index(part) for part in parts]
    assert places == sorted(places)
    assert body.count("It has a Dice of 0.25.") == 1


def test_page_says_where_nobody_measured_how_well_the_network_does(tmp_path):
    assert "was not measured, or not recorded beside its weights" in report(tmp_path)


def test_whatever_a_patient_is_called_is_escaped(doubted):
    folder, text = doubted
    parsed = Tags(text)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert parsed.words.count(HOSTILE) == 1  # the quality note
    assert any(HOSTILE in word for word in parsed.words[:12])
    assert sorted(path.name for path in folder.iterdir()) == ["lesions.csv", "patient.json", "report.html"]


def test_everything_is_data_beside_the_page(doubted):
    content = json.loads((doubted[0] / "patient.json").read_text(encoding="utf-8"))
    rows = pd.read_csv(doubted[0] / "lesions.csv")
    assert content["patient"] == HOSTILE
    assert [row["side"] for row in content["lesions"]] == rows["side"].tolist() == ["right", "left"]
    assert content["total_volume_ml"] == pytest.approx(MASK.sum() * 0.08)
    assert rows["mean_adc"].tolist() == pytest.approx([0.5, 0.5])
    assert set(rows["stamp"]) == {"PHANTOM"}


def test_numbers_are_written_to_four_decimals_and_kept_as_they_were_computed(tmp_path):
    exact = LesionMeasures(1, 9.367999999999999, 100 / 3, "left", 3, 7, 5, {"dwi": 4 / 3, "t1": None}, confidence=2 / 3)
    findings = PatientFindings("007", [exact, replace(exact, number=2)])
    write_patient_report(tmp_path, findings, volumes())

    content = json.loads((tmp_path / "patient.json").read_text(encoding="utf-8"))
    first = content["lesions"][0]
    assert content["total_volume_ml"] == 18.736
    assert [first[name] for name in ("volume_ml", "diameter_mm", "dwi_ratio", "t1_ratio", "confidence")] == [
        9.368, 33.3333, 1.3333, None, 0.6667,
    ]  # fmt: skip
    row = (tmp_path / "lesions.csv").read_text(encoding="utf-8").splitlines()[1]
    assert row == "007,1,9.368,33.3333,left,3,7,5,1.3333,,,0.6667"
    assert findings.content()["lesions"][0]["volume_ml"] == 9.367999999999999


def test_a_trusted_result_has_no_warning_and_one_without_checks_says_so(tmp_path):
    trusted = report(tmp_path, is_trusted=True)
    assert "Do not trust" not in trusted
    assert "Registration check" not in trusted
    assert "Nothing was checked" in report(tmp_path)


def test_an_empty_mask_is_shown_with_a_slice_and_a_caution(tmp_path):
    text = report(tmp_path, np.zeros(SHAPE))
    assert "No lesion was found." in text
    assert "not proof that there is no infarct" in text
    assert text.count("<img") == 3
    assert "The ADC is drawn from 0, black, to 2 × 10⁻³ mm²/s, white" in text


def test_lesions_beyond_the_largest_are_said_not_to_be_drawn(tmp_path):
    mask = np.zeros(SHAPE, dtype=bool)
    mask[10:22:2, 20, 15] = True
    assert "2 smaller lesions are not drawn here" in report(tmp_path, mask)


def test_findings_of_another_mask_and_unknown_sequences_are_refused(tmp_path):
    with pytest.raises(InputError, match="have 0 lesions and the mask 2"):
        write_patient_report(tmp_path, PatientFindings("1", []), volumes())
    with pytest.raises(InputError, match="'t2' was moved but is not among the sequences: dwi, adc, t1"):
        report(tmp_path, moved=["t2"])


def test_report_needs_neither_torch_nor_monai_nor_simpleitk():
    code = "import islesnet.report.patient, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert set(ended.stdout.split()) & {"torch", "monai", "ignite", "SimpleITK"} == set()
