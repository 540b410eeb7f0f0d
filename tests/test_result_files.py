"""Which files are results of a run, and which are somebody's."""

import hashlib
import json

import pytest

from islesnet.errors import InputError
from islesnet.provenance import write_provenance
from islesnet.result_files import MARK, is_mask_edited, is_result, is_run_folder, require_replaceable

OF_SCANS = {"registration": {}, "brain_mask": "", "choices": [], "notes": []}
OF_PATIENT = {"total_volume_ml": 0.0, "lesions": [], "versions": {}}
NAMES = ("provenance.json", "cohort.csv")


def test_folder_that_a_run_wrote_to_is_known_by_its_provenance(tmp_path):
    write_provenance(tmp_path, began=0)

    assert is_run_folder(tmp_path)
    require_replaceable(tmp_path, NAMES)


def test_folder_without_any_of_the_files_can_be_written_to(tmp_path):
    require_replaceable(tmp_path, NAMES)
    require_replaceable(tmp_path / "absent", NAMES)


@pytest.mark.parametrize("content", ["", "[]", '{"versions": "2.0"}', '{"versions": {"other": "2.0"}}'])
def test_provenance_of_another_tool_is_not_replaced(tmp_path, content):
    (tmp_path / "provenance.json").write_text(content)

    with pytest.raises(InputError, match=r"provenance\.json would be replaced, and no provenance\.json beside it"):
        require_replaceable(tmp_path, NAMES)


def test_table_in_a_folder_of_no_run_is_not_replaced(tmp_path):
    (tmp_path / "cohort.csv").write_text("patient,age,nihss\n")

    with pytest.raises(InputError, match=r"cohort\.csv would be replaced"):
        require_replaceable(tmp_path, NAMES)


def test_table_beside_which_a_patients_results_were_copied_is_not_replaced(tmp_path):
    (tmp_path / "anna").mkdir()
    for name in ("cohort.csv", f"anna/{MARK}"):
        (tmp_path / name).touch()

    with pytest.raises(InputError, match=r"cohort\.csv would be replaced"):
        require_replaceable(tmp_path, NAMES)


def test_results_of_a_begun_patient_are_results_and_nobody_elses_are(tmp_path):
    for patient in ("anna", "bert"):
        (tmp_path / patient).mkdir()
        (tmp_path / f"{patient}_lesion.nii.gz").touch()
    (tmp_path / f"anna/{MARK}").touch()

    results = {path.name for path in tmp_path.iterdir() if is_result(path)}
    assert results == {"anna", "anna_lesion.nii.gz"}


@pytest.mark.parametrize(
    ("files", "is_known"),
    [
        ({"anna/scans.json": OF_SCANS, "anna/dwi.nii.gz": {}}, True),
        ({"anna/scans.json": OF_SCANS, "anna/adc.nii.gz": {}, "anna/lesion.dcm": {}}, True),
        ({"anna/scans.json": OF_SCANS, "anna/IM0001.dcm": {}}, False),  # scans that results were copied to
        ({"anna/scans.json": OF_SCANS, "anna/more/flair_2.nii.gz": {}}, False),
        ({"anna/scans.json": {"bids": 1}}, False),
        ({"anna/patient.json": OF_PATIENT, "anna/brain.nii.gz": {}}, True),
        ({"anna/patient.json": {"age": 71}, "anna/brain.nii.gz": {}}, False),
        ({"anna/patient.json": OF_PATIENT, "anna/dwi.nii.gz": {}}, False),  # scans that a report was copied to
        ({f"anna/{MARK}": {}, "anna/brain.nii.gz": {}}, True),
        ({f"anna/{MARK}": {}, "anna/dwi.nii.gz": {}}, False),
        ({"anna/report.html": {}}, False),
        ({"anna_lesion.json": {"islesnet": "0.1.0"}, "anna/dwi.nii.gz": {}}, False),  # an evaluation's, beside scans
    ],
)
def test_folder_of_results_copied_without_hidden_files_is_known_by_what_lies_in_it(tmp_path, files, is_known):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "anna").mkdir(exist_ok=True)

    assert is_result(tmp_path / "anna") is is_known


@pytest.mark.parametrize(
    ("further", "is_known"),
    [
        ("anna_corrected.nii.gz", True),
        ("manual.nii.gz", True),
        ("annotations/roi_1.nii.gz", True),
        ("edited.nii.gz", True),
        ("annotated_by_two.nii.gz", True),
        ("dwi_corrected.nii.gz", False),  # of motion, say
        ("IM_3.nii.gz", False),
    ],
)
def test_folder_of_results_that_somebody_drew_in_is_still_one(tmp_path, further, is_known):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna/scans.json").write_text(json.dumps(OF_SCANS))
    (tmp_path / "anna" / further).parent.mkdir(exist_ok=True)
    (tmp_path / "anna" / further).touch()

    assert is_result(tmp_path / "anna") is is_known


def test_folder_of_results_that_holds_dicom_without_a_suffix_is_nobodys_result(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna/scans.json").write_text(json.dumps(OF_SCANS))
    (tmp_path / "anna/IM0001").write_bytes(bytes(128) + b"DICM")

    assert not is_result(tmp_path / "anna")


@pytest.mark.parametrize(
    ("numbers", "mask", "is_edited"),
    [
        ({"mask_sha256": "of another"}, b"a mask", True),
        ({"mask_sha256": hashlib.sha256(b"a mask").hexdigest()}, b"a mask", False),
        ({"mask_sha256": "of another"}, None, False),
        ({"islesnet": "0.1.0"}, b"a mask", False),  # an earlier one, which wrote no checksum
        (None, b"a mask", False),
    ],
)
def test_mask_that_was_changed_after_its_run_is_known_by_its_checksum(tmp_path, numbers, mask, is_edited):
    if numbers is not None:
        (tmp_path / "anna_lesion.json").write_text(json.dumps(numbers))
    if mask is not None:
        (tmp_path / "anna_lesion.nii.gz").write_bytes(mask)
    assert is_mask_edited(tmp_path, "anna") is is_edited


def test_mask_that_cannot_be_read_is_not_taken_for_the_run_s(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    monkeypatch.setattr("islesnet.result_files.sha256_of", refuse)
    (tmp_path / "anna_lesion.json").write_text('{"mask_sha256": "0"}')
    (tmp_path / "anna_lesion.nii.gz").touch()
    assert is_mask_edited(tmp_path, "anna")
