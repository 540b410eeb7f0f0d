"""Which patients a folder holds."""

import logging
import os
import shutil
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from islesnet.data import Case, find_cases
from islesnet.errors import InputError
from islesnet.patients import BeginPatient, Preparation, PrepareScans, RawScans, find_patients
from islesnet.patients.scans import PREPARATION
from islesnet.provenance import write_provenance
from islesnet.result_files import MARK
from tests.scanner import made_dicom


def series(folder, **tags):
    """Write a series of three slices, which is enough to be found."""
    return made_dicom.classic(folder, made_dicom.head(3), **tags)


def write_results(folder):
    """Write what a run says of the scans that it registered, beside them."""
    (folder / MARK).touch()
    (folder / "scans.json").write_text('{"registration": {}, "brain_mask": "", "choices": []}')


def found(folder, **choices):
    return {patient.patient: type(patient) for patient in find_patients(folder, **choices)}


def test_nobody_is_said_to_be_left_out_who_is_not(write_scan, tmp_path, caplog):
    series(tmp_path / "dicom/a/b")
    write_scan(tmp_path / "odd/x.nii.gz")
    write_scan(tmp_path / "labelled/label.nii.gz")

    assert set(found(tmp_path)) == {"dicom", "odd", "labelled"}
    assert not caplog.records


def test_files_named_by_sequence_on_one_grid_are_a_case(prepared):
    (patient,) = find_patients(prepared)

    assert isinstance(patient, Case)
    assert set(patient.sequences) == {"dwi", "t1", "t2", "flair"}


def test_files_named_by_sequence_on_grids_of_their_own_are_raw(write_scan, tmp_path):
    write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "anna/flair.nii.gz", "flair", degrees=5)

    assert find_patients(tmp_path / "anna") == [RawScans("anna", tmp_path / "anna")]


@pytest.mark.parametrize(
    "other",
    [
        "ax_dark_fluid.nii.gz",  # a FLAIR by the scanner's reading, nothing by its name alone
        "extra/flair.nii.gz",
    ],
)
def test_names_are_not_enough_where_a_scan_is_left_over_or_means_another(write_scan, tmp_path, other):
    write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "anna" / other, "flair")

    assert find_patients(tmp_path / "anna") == [RawScans("anna", tmp_path / "anna")]


def test_scanner_s_own_name_of_a_flair_is_no_t2(write_scan, tmp_path):
    write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "anna/t2_tirm_tra_dark-fluid.nii.gz", "flair")

    (patient,) = find_patients(tmp_path / "anna")

    assert set(patient.sequences) == {"dwi", "flair"}


def test_masks_and_adc_beside_named_files_leave_them_prepared(write_scan, tmp_path):
    for name in ("dwi", "adc", "brain_mask", "label"):
        write_scan(tmp_path / f"anna/{name}.nii.gz")

    assert found(tmp_path / "anna") == {"anna": Case}


def test_folders_named_by_sequence_and_adc_are_one_patient_which_is_said(write_scan, tmp_path, caplog):
    for folder, name in (("DWI", "dwi"), ("ADC", "adc"), ("FLAIR", "flair")):
        write_scan(tmp_path / "anna" / folder / f"{name}.nii.gz")

    with caplog.at_level(logging.INFO):
        assert find_patients(tmp_path / "anna") == [RawScans("anna", tmp_path / "anna")]

    assert "anna: its folders (ADC, DWI, FLAIR) are named as sequences and are taken for one patient's" in caplog.text


@pytest.mark.parametrize(
    "names",
    [
        ("AX_T1", "SAG_T1", "AX_T2", "AX_FLAIR", "AX_DWI"),
        ("t2_tse_tra", "t2_tse_cor", "Serie_5"),
        ("1_localizer/image", "3_t2_tse_tra/image", "5_ep2d_diff_trace/image"),
    ],
)
def test_planes_and_techniques_are_no_patients(write_scan, tmp_path, names):
    for name in names:
        write_scan(tmp_path / f"cohort/anna/{name}.nii.gz")
        write_scan(tmp_path / f"cohort/bert/{name}.nii.gz")

    assert found(tmp_path / "cohort/anna") == {"anna": RawScans}
    assert found(tmp_path / "cohort") == {"anna": RawScans, "bert": RawScans}


def test_flat_folder_whose_names_tell_patients_apart_holds_several(write_scan, tmp_path):
    for patient in ("brain_01", "brain_02"):
        for sequence in ("dwi", "flair"):
            write_scan(tmp_path / f"{patient}_{sequence}.nii.gz")

    assert found(tmp_path) == {"brain_01": Case, "brain_02": Case}

    write_scan(tmp_path / "head_t1.nii.gz")
    assert {"brain_01", "brain_02"} <= set(found(tmp_path))


def test_files_that_may_be_several_patients_are_told_with_what_joins_them(write_scan, tmp_path, caplog):
    for name in ("monday", "friday"):
        write_scan(tmp_path / f"two/dwi_{name}.nii.gz")

    with caplog.at_level(logging.INFO):
        assert set(found(tmp_path / "two")) == {"friday", "monday"}
    assert "two: by the files' names these are 2 patients (friday, monday); where they are one, say --one-patient" in (
        caplog.text
    )


@pytest.mark.parametrize("name", ["scans.zip", "notes.txt"])
def test_folder_without_a_scan_is_told_what_would_be_one(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"raw scans: DICOM, NIfTI, NRRD or MHA of any names.*not zipped"):
        find_patients(tmp_path)


@pytest.mark.parametrize("name", ["export.zip", "2026/export.tar.gz", "dwi.img", "mri/T1.mgz", "DWI.REC"])
def test_patient_whose_scans_are_packed_or_in_another_format_is_one_who_fails(write_scan, tmp_path, name):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / "x.nii.gz")
    (tmp_path / "carl" / name).parent.mkdir(parents=True)
    (tmp_path / "carl" / name).write_bytes(b"somehow")

    *others, carl = find_patients(tmp_path)

    assert [patient.patient for patient in others] == ["anna", "bert"]
    with pytest.raises(InputError, match=r"convert it to NIfTI|unpack what is zipped there"):
        read(carl, tmp_path / "out")


def test_patient_among_others_whose_scans_are_not_read_stands_alone(tmp_path, caplog):
    series(tmp_path / "anna/b1000")
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert/flair.hdr").write_bytes(b"somehow")

    anna, bert = find_patients(tmp_path)

    assert (anna, bert) == (RawScans("anna", tmp_path / "anna"), RawScans("bert", tmp_path / "bert"))


def test_folders_of_formats_that_are_not_read_count_where_it_is_not_clear_whose_files_lie_there(write_scan, tmp_path):
    for name in ("anna_dwi", "anna_x_flair", "anna_scan5"):
        write_scan(tmp_path / f"{name}.nii.gz")
    for name in ("bert/t1.hdr", "carl/t2.hdr"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"somehow")

    with pytest.raises(InputError, match=r"lies beside 2 folders of scans \(bert, carl\)"):
        find_patients(tmp_path)


def test_subject_whose_scans_are_not_named_as_bids_has_it_is_a_patient_too(write_scan, tmp_path):
    write_scan(tmp_path / "sub-01/dwi/sub-01_dwi.nii.gz")
    series(tmp_path / "sub-02/dicom")
    (tmp_path / "sub-03").mkdir()
    (tmp_path / "sub-03/sub-03.zip").write_bytes(b"somehow")
    (tmp_path / "sub-04/func").mkdir(parents=True)
    (tmp_path / "sub-04/func/sub-04_bold.json").write_text("{}")

    assert found(tmp_path) == {"sub-01": Case, "sub-02": RawScans, "sub-03": RawScans}


def test_session_whose_scans_are_not_named_as_bids_has_it_is_named(write_scan, tmp_path, caplog):
    write_scan(tmp_path / "sub-01/ses-1/dwi/sub-01_ses-1_dwi.nii.gz")
    series(tmp_path / "sub-01/ses-2/dicom")

    assert len(found(tmp_path)) == 1
    assert "ses-2: its scans are not named as BIDS has it; left out" in caplog.text


def test_packed_viewer_beside_a_patients_dicom_makes_no_two_patients(tmp_path):
    series(tmp_path / "anna/IMAGES/b1000")
    (tmp_path / "anna/VIEWER").mkdir()
    (tmp_path / "anna/VIEWER/viewer.zip").write_bytes(b"somehow")

    assert find_patients(tmp_path / "anna") == [RawScans("anna", tmp_path / "anna")]


@pytest.mark.parametrize("name", ["BEFUND/befund.zip", "freesurfer/mri/T1.mgz", "mc/prefiltered_mcf.par"])
def test_what_is_not_read_beside_series_makes_no_patients_of_them(write_scan, tmp_path, name):
    for sequence in ("dwi", "flair"):
        write_scan(tmp_path / f"P1/{sequence}/x.nii.gz", sequence)
    (tmp_path / "P1" / name).parent.mkdir(parents=True)
    (tmp_path / "P1" / name).write_bytes(b"somehow")

    (patient,) = find_patients(tmp_path / "P1")

    assert patient.patient == "P1"


def test_zipped_manual_beside_a_flat_folder_of_patients_stops_nobody(write_scan, tmp_path):
    for patient in ("p1", "p2"):
        for sequence in ("dwi", "flair"):
            write_scan(tmp_path / f"{patient}_{sequence}.nii.gz", sequence)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/protocol.zip").write_bytes(b"somehow")

    assert set(found(tmp_path)) == {"p1", "p2"}


@pytest.mark.parametrize("scan", ["p1/dwi.nii.gz", "p1_dwi.nii.gz", "sub-p1/dwi/sub-p1_dwi.nii.gz"])
@pytest.mark.parametrize("name", ["p2.zip", "{folder}/t1.zip"])
def test_what_is_not_read_beside_what_is_is_named(write_scan, tmp_path, caplog, scan, name):
    write_scan(tmp_path / scan)
    name = name.format(folder=Path(scan).parent)
    (tmp_path / name).write_bytes(b"somehow")

    assert len(found(tmp_path)) == 1
    assert f"not read: {Path(name)}; unpack archives of scans, and convert volumes to NIfTI" in caplog.text


def test_another_format_among_several_patients_files_is_named(write_scan, tmp_path, caplog):
    for patient in ("p1", "p2"):
        write_scan(tmp_path / f"{patient}_dwi.nii.gz")
    (tmp_path / "p3_dwi.hdr").write_bytes(b"somehow")

    assert set(found(tmp_path)) == {"p1", "p2"}
    assert "not read: p3_dwi.hdr" in caplog.text


def test_one_patients_folder_of_another_format_says_what_to_do(tmp_path):
    (tmp_path / "dwi.hdr").write_bytes(b"somehow")

    (patient,) = find_patients(tmp_path)

    with pytest.raises(InputError, match="convert it to NIfTI"):
        read(patient, tmp_path)


def test_sequence_in_a_format_that_is_not_read_is_no_absent_one(write_scan, tmp_path):
    write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "bert/dwi.nii.gz")
    (tmp_path / "anna/flair.hdr").write_bytes(b"somehow")

    anna, _ = find_patients(tmp_path)
    item = PrepareScans(tmp_path / "out", ["dwi", "flair"], brain_mask="none")(anna.item())

    assert Preparation.from_text(item[PREPARATION]).damaged == ("flair",)


def test_bids_subject_with_two_files_of_one_sequence_is_left_to_the_scanners_reading(write_scan, tmp_path):
    for subject in ("sub-01", "sub-02"):
        write_scan(tmp_path / f"{subject}/dwi/{subject}_dwi.nii.gz")
    for run in (1, 2):
        write_scan(tmp_path / f"sub-02/anat/sub-02_run-{run}_T1w.nii.gz")
    write_scan(tmp_path / "derivatives/sub-01/dwi/sub-01_mask.nii.gz")

    assert found(tmp_path) == {"sub-01": Case, "sub-02": RawScans}
    assert found(tmp_path / "sub-02") == {"sub-02": RawScans}


def test_dicomdir_of_a_whole_export_does_not_join_its_patients(tmp_path):
    for patient in ("PAT1", "PAT2"):
        (path, *_) = series(tmp_path / patient / "series", StudyInstanceUID=generate_uid())
    shutil.copy(path, tmp_path / "DICOMDIR")

    assert found(tmp_path) == {"PAT1": RawScans, "PAT2": RawScans}


def test_dicom_series_of_one_examination_side_by_side_are_one_patient(tmp_path, caplog):
    for number in (1, 2):
        series(tmp_path / f"anna/series{number}", number=number)

    with caplog.at_level(logging.INFO):
        assert find_patients(tmp_path / "anna") == [RawScans("anna", tmp_path / "anna")]

    assert not caplog.records


def test_dicom_folders_of_different_examinations_are_several_patients(tmp_path):
    for patient in ("p10", "p2"):
        study = generate_uid()
        for number in (1, 2):
            series(tmp_path / patient / f"series{number}", number=number, StudyInstanceUID=study)

    assert [patient.patient for patient in find_patients(tmp_path)] == ["p2", "p10"]


def test_dicom_folders_that_do_not_say_their_examination_are_several_patients(tmp_path):
    for patient in ("a", "b"):
        series(tmp_path / patient, StudyInstanceUID="")

    assert found(tmp_path) == {"a": RawScans, "b": RawScans}


def test_whatever_the_folder_looks_like_the_user_may_say_that_it_is_one_patient(tmp_path):
    for patient in ("a", "b"):
        series(tmp_path / "anna" / patient, StudyInstanceUID=generate_uid())

    assert found(tmp_path / "anna", one_patient=True) == {"anna": RawScans}


def test_cohort_may_mix_dicom_with_named_and_oddly_named_files(prepared, write_scan, tmp_path):
    series(tmp_path / "dicom")
    shutil.copytree(prepared, tmp_path / "named")
    write_scan(tmp_path / "odd/Serie 7 (tra).nii.gz")

    assert found(tmp_path) == {"dicom": RawScans, "named": Case, "odd": RawScans}


def test_patient_whose_file_comes_twice_is_left_to_the_scanners_reading(write_scan, tmp_path):
    write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "anna/dwi_2.nii.gz")
    write_scan(tmp_path / "bert/dwi.nii.gz")

    assert found(tmp_path) == {"anna": RawScans, "bert": Case}


def test_folders_of_results_are_passed_over(write_scan, tmp_path, caplog):
    write_scan(tmp_path / "anna/x.nii.gz")
    write_scan(tmp_path / "bert/x.nii.gz")
    write_scan(tmp_path / "out/anna/dwi.nii.gz")
    for name in ("anna_lesion", "anna_probability"):
        write_scan(tmp_path / f"out/{name}.nii.gz")
    write_provenance(tmp_path / "out", began=0)
    write_results(tmp_path / "out/anna")

    with caplog.at_level(logging.WARNING):
        assert set(found(tmp_path)) == {"anna", "bert"}
    assert caplog.text == ""


def test_registered_volumes_of_earlier_results_are_patients_where_there_is_nothing_else(write_scan, tmp_path):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / f"out/{patient}/dwi.nii.gz")
        write_scan(tmp_path / f"out/{patient}_lesion.nii.gz")
        write_results(tmp_path / f"out/{patient}")
    write_provenance(tmp_path / "out", began=0)

    assert set(found(tmp_path / "out")) == {"anna", "bert"}


def test_results_that_are_passed_over_beside_a_patient_are_told(write_scan, tmp_path, caplog):
    for patient in ("anna", "carl"):
        write_scan(tmp_path / f"out/{patient}/dwi.nii.gz")
    write_provenance(tmp_path / "out", began=0)
    write_results(tmp_path / "out/anna")

    with caplog.at_level(logging.WARNING):
        assert set(found(tmp_path / "out")) == {"carl"}
    assert "results of an earlier run are passed over: anna" in caplog.text
    caplog.clear()
    shutil.move(tmp_path / "out/carl/dwi.nii.gz", tmp_path / "out/carl_dwi.nii.gz")
    with caplog.at_level(logging.WARNING):
        assert len(find_patients(tmp_path / "out")) == 1
    assert "results of an earlier run are passed over: anna" in caplog.text


def test_marks_and_reports_that_came_to_lie_beside_other_scans_hide_none(write_scan, tmp_path):
    for patient in ("anna", "bert", "carl"):
        write_scan(tmp_path / f"{patient}/dwi.nii.gz")
    (tmp_path / f"anna/{MARK}").touch()
    for name in ("report.html", "patient.json"):
        (tmp_path / "bert" / name).touch()

    assert set(found(tmp_path)) == {"anna", "bert", "carl"}


@pytest.mark.parametrize("further", ["lesion_manual.nii.gz", "Segmentation.seg.nrrd", "notes", "@eaDir/thumb.jpg"])
def test_what_somebody_adds_to_results_makes_no_patient_of_them(write_scan, tmp_path, further):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / "dwi.nii.gz")
    write_scan(tmp_path / "out/anna/dwi.nii.gz")
    write_results(tmp_path / "out/anna")
    write_provenance(tmp_path / "out", began=0)
    (tmp_path / "out/anna" / further).parent.mkdir(exist_ok=True)
    (tmp_path / "out/anna" / further).touch()

    assert set(found(tmp_path)) == {"anna", "bert"}


@pytest.mark.parametrize("scan", ["IM_3", "eddy_corrected", "motion_corrected_5"])
def test_scans_beside_results_that_are_not_named_are_a_patients(write_scan, tmp_path, scan):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / f"{scan}.nii.gz")
    write_provenance(tmp_path / "anna", began=0)
    (tmp_path / "anna/patient_lesion.json").write_text('{"islesnet": "0.1.0"}')

    assert set(found(tmp_path)) == {"anna", "bert"}


def test_mask_that_was_corrected_among_the_results_is_no_patient(write_scan, tmp_path, caplog):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / "dwi.nii.gz")
    write_scan(tmp_path / "out/anna_lesion.nii.gz")
    write_provenance(tmp_path / "out", began=0)
    (tmp_path / "out/anna_lesion.json").write_text('{"islesnet": "0.1.0"}')
    for name in ("anna_2", "corrected"):
        write_scan(tmp_path / f"out/{name}.nii.gz")

    assert set(found(tmp_path)) == {"anna", "bert"}
    told = "out holds a run's results, and beside them only what may be corrected masks"
    assert f"{told} (anna_2.nii.gz, corrected.nii.gz); left out" in caplog.text


def test_patient_whose_own_folder_took_the_results_is_still_a_patient(write_scan, tmp_path):
    write_scan(tmp_path / "carl/dwi.nii.gz")
    for patient in ("lesion_07", "GT_03"):
        write_scan(tmp_path / patient / f"{patient}_dwi.nii.gz")
        write_scan(tmp_path / patient / f"{patient}_lesion.nii.gz")
        write_provenance(tmp_path / patient, began=0)
        (tmp_path / patient / f"{patient}_lesion.json").write_text('{"islesnet": "0.1.0"}')

    assert set(found(tmp_path)) == {"carl", "lesion_07", "GT_03"}


def test_patient_into_whose_folder_a_run_wrote_is_still_a_patient(write_scan, tmp_path):
    for patient in ("anna", "bert", "carl"):
        series(tmp_path / patient / "dwi1", StudyInstanceUID=generate_uid())
    for folder in ("anna", "bert"):  # anna's is of a run that was refused, bert's of one that was not
        write_provenance(tmp_path / folder, began=0)
    write_scan(tmp_path / "bert/patient/dwi.nii.gz")
    write_results(tmp_path / "bert/patient")
    (tmp_path / "carl/provenance.json").write_text('{"of": "another tool"}')

    assert set(found(tmp_path)) == {"anna", "bert", "carl"}


@pytest.mark.parametrize("is_of_a_run", [False, True])
def test_empty_folders_are_left_out_with_a_word(write_scan, tmp_path, caplog, is_of_a_run):
    write_scan(tmp_path / "anna/x.nii.gz")
    write_scan(tmp_path / "bert/x.nii.gz")
    (tmp_path / "carl/series").mkdir(parents=True)
    if is_of_a_run:  # that was refused
        write_provenance(tmp_path / "carl", began=0)

    with caplog.at_level(logging.WARNING):
        assert set(found(tmp_path)) == {"anna", "bert"}
    assert f"{tmp_path / 'carl'} holds no scan; left out" in caplog.text


@pytest.mark.parametrize("inside", ["closed", "carl/closed"])
def test_folder_that_cannot_be_opened_is_a_patient_who_will_fail(write_scan, tmp_path, monkeypatch, inside):
    for patient in ("anna", "bert", inside):
        write_scan(tmp_path / patient / "x.nii.gz")
    scan, listing, look = os.scandir, os.listdir, os.stat

    def refuse(path, ask, *how, **further):
        if "closed" in (Path(path).name if ask is not look else Path(path).parent.name):
            raise PermissionError(13, "Permission denied", str(path))
        return ask(path, *how, **further)

    monkeypatch.setattr(os, "scandir", lambda path: refuse(path, scan))
    monkeypatch.setattr(os, "listdir", lambda path: refuse(path, listing))
    monkeypatch.setattr(os, "stat", lambda path, *how, **further: refuse(path, look, *how, **further))

    assert found(tmp_path) == {"anna": RawScans, "bert": RawScans, Path(inside).parts[0]: RawScans}


def test_every_folder_is_listed_once_and_what_came_since_is_found(write_scan, tmp_path, monkeypatch):
    for patient in ("anna", "bert", "carl"):
        write_scan(tmp_path / patient / "scans/dwi.nii.gz")
    listed, scan, listing = [], os.scandir, os.listdir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(Path(path)) or scan(path))
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(Path(path)) or listing(path))

    assert set(found(tmp_path)) == {"anna", "bert", "carl"}
    assert len(listed) == len(set(listed)) == 7

    write_scan(tmp_path / "dora/scans/dwi.nii.gz")
    assert set(found(tmp_path)) == {"anna", "bert", "carl", "dora"}


@pytest.mark.parametrize("name", ["$(@bundle_root)", "%s", "@cases", "a 'b' \"c\"", "x..", "[b]", "$import os"])
def test_odd_names_of_folders_are_names(write_scan, tmp_path, name):
    write_scan(tmp_path / name / "x.nii.gz")
    write_scan(tmp_path / "other/x.nii.gz")

    assert set(found(tmp_path)) == {name, "other"}


@pytest.mark.parametrize("name", ["a\nb", "a\\b", os.fsdecode(b"a\xfcb")])
def test_what_cannot_stand_in_a_files_name_is_replaced(write_scan, tmp_path, name):
    write_scan(tmp_path / name / "x.nii.gz")
    write_scan(tmp_path / "other/x.nii.gz")

    assert set(found(tmp_path)) == {"a_b", "other"}


def test_two_patients_of_one_name_are_refused(write_scan, tmp_path):
    write_scan(tmp_path / "a\nb/x.nii.gz")
    write_scan(tmp_path / "a_b/x.nii.gz")

    with pytest.raises(InputError, match="'a_b' comes twice"):
        find_patients(tmp_path)


def test_scans_far_below_a_patients_folder_are_found_and_a_loop_ends(write_scan, tmp_path):
    for patient in ("S001", "S002"):
        series(
            tmp_path / patient / f"{patient}_MR1/scans/701-DTI/resources/DICOM/files", StudyInstanceUID=generate_uid()
        )
    (tmp_path / "S003/a/b").mkdir(parents=True)
    for name in ("up", "top"):
        (tmp_path / "S003/a/b" / name).symlink_to(tmp_path)

    assert set(found(tmp_path)) >= {"S001", "S002"}


def lose(path):
    """Leave a link where a file is, as where it was not fetched."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/nowhere/annexed")


@pytest.mark.parametrize("lost", ["dwi", "flair"])
@pytest.mark.parametrize(
    "places",
    [
        {"dwi": "sub-01/dwi/sub-01_dwi", "flair": "sub-01/anat/sub-01_FLAIR"},
        {"dwi": "anna/dwi", "flair": "anna/flair"},
        {"dwi": "anna/dwi/x", "flair": "anna/FLAIR/x_flair"},
    ],
)
def test_sequence_that_is_a_link_to_nothing_is_no_absent_one(write_scan, tmp_path, places, lost):
    for role, place in places.items():
        write_scan(tmp_path / f"data/{place}.nii.gz", role)
    lose(tmp_path / f"data/{places[lost]}.nii.gz")

    (patient,) = find_patients(tmp_path / "data")
    item = PrepareScans(tmp_path / "out", ["dwi", "flair"], brain_mask="none")(patient.item())

    preparation = Preparation.from_text(item[PREPARATION])
    assert preparation.damaged == (lost,)
    assert any("left out" in note and "link to" in note for note in preparation.notes)


def test_scan_of_a_patient_in_a_flat_folder_who_lacks_a_link_s_file_is_not_told_as_left_out(
    write_scan, tmp_path, caplog
):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / f"{patient}_dwi.nii.gz")
        write_scan(tmp_path / f"{patient}_flair.nii.gz", "flair")
    lose(tmp_path / "anna_flair.nii.gz")

    anna, _ = find_patients(tmp_path)

    assert anna.lost == ("flair",)
    assert "left out" not in caplog.text


def test_patient_whose_scans_are_all_links_to_nothing_will_fail_and_is_not_left_out(write_scan, tmp_path):
    write_scan(tmp_path / "anna/dwi.nii.gz")
    lose(tmp_path / "bert/nifti/dwi.nii.gz")

    _, bert = find_patients(tmp_path)

    with pytest.raises(InputError, match="is a link to a file that is not there"):
        read(bert, tmp_path)


@pytest.mark.parametrize("name", ["img001", "scan", "bert"])
def test_patient_whose_scans_of_any_name_are_links_to_nothing_will_fail_too(write_scan, tmp_path, name):
    write_scan(tmp_path / "anna/img001.nii.gz")
    lose(tmp_path / f"bert/{name}.nii.gz")

    assert set(found(tmp_path)) == {"anna", "bert"}


def test_folder_of_masks_that_are_links_to_nothing_is_left_out_with_a_word(write_scan, tmp_path, caplog):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / "dwi.nii.gz")
    lose(tmp_path / "masks/anna_lesion.nii.gz")

    find_patients(tmp_path)

    assert f"{tmp_path / 'masks'} holds no scan; left out" in caplog.messages


@pytest.mark.parametrize("place", ["sub-02/dwi/sub-02_dwi", "data_2_dwi"])
def test_patient_of_a_data_set_whose_scans_are_all_links_to_nothing_will_fail_too(write_scan, tmp_path, place):
    for number in ("1", "3"):
        write_scan(tmp_path / f"{place.replace('2', number)}.nii.gz")
    lose(tmp_path / f"{place}.nii.gz")

    _, second, _ = find_patients(tmp_path)

    with pytest.raises(InputError, match="DWI is left out: its file is a link to a file that is not there"):
        read(second, tmp_path)
    assert len(find_cases(tmp_path)) == 2


def test_masks_and_templates_that_are_links_to_nothing_make_no_patients(write_scan, tmp_path):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / "dwi.nii.gz")
    for name in ("masks/anna_lesion", "code/template", "code/MNI152_T1_1mm"):
        lose(tmp_path / f"{name}.nii.gz")

    assert set(found(tmp_path)) == {"anna", "bert"}


def test_truth_of_a_patient_whose_flair_was_not_fetched_stays_known(write_scan, tmp_path):
    write_scan(tmp_path / "sub-01/dwi/sub-01_dwi.nii.gz")
    truth = write_scan(tmp_path / "sub-01/dwi/sub-01_msk.nii.gz")
    lose(tmp_path / "sub-01/anat/sub-01_FLAIR.nii.gz")

    (patient,) = find_patients(tmp_path)

    assert (patient.lost, patient.label) == (("flair",), truth)


def test_link_to_a_patients_folder_is_the_patient_and_a_loop_ends(write_scan, tmp_path):
    write_scan(tmp_path / "elsewhere/x.nii.gz")
    write_scan(tmp_path / "cohort/bert/x.nii.gz")
    (tmp_path / "cohort/anna").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "cohort/loop").symlink_to(tmp_path / "cohort/loop")
    (tmp_path / "cohort/bert/up").symlink_to(tmp_path / "cohort")

    assert set(found(tmp_path / "cohort")) == {"anna", "bert"}


@pytest.mark.parametrize("target", ["bert", ".", "bert/series"])
def test_patient_with_a_link_to_another_gets_none_of_the_others_scans(write_scan, tmp_path, target):
    write_scan(tmp_path / "cohort/anna/dwi.nii.gz")
    write_scan(tmp_path / "cohort/bert/series/flair.nii.gz", "flair")
    (tmp_path / "cohort/anna/previous").symlink_to(tmp_path / "cohort" / target)

    for patients in (find_patients(tmp_path / "cohort")[:1], find_patients(tmp_path / "cohort/anna")):
        assert [patient.patient for patient in patients] == ["anna"]
        item = PrepareScans(tmp_path / "out", ["dwi", "flair"], "none")(patients[0].item())

        assert set(Preparation.from_text(item[PREPARATION]).files) == {"dwi"}
        told = "previous: left out; is a link to what else lies in the data set (another patient's?)."
        assert told in Preparation.from_text(item[PREPARATION]).notes


def test_linked_folder_from_out_of_the_data_set_is_the_patients(write_scan, tmp_path):
    write_scan(tmp_path / "cohort/anna/dwi.nii.gz")
    write_scan(tmp_path / "pacs/7/flair.nii.gz", "flair")
    (tmp_path / "cohort/anna/more").symlink_to(tmp_path / "pacs/7")

    (patient,) = find_patients(tmp_path / "cohort")
    item = PrepareScans(tmp_path / "out", ["dwi", "flair"], "none")(patient.item())

    assert set(Preparation.from_text(item[PREPARATION]).files) == {"dwi", "flair"}


def test_table_and_bids_are_read_as_such(prepared, tmp_path):
    (tmp_path / "table.csv").write_text(f"patient,dwi\nanna,{prepared / 'dwi.nii.gz'}\n")
    (tmp_path / "bids/sub-01/dwi").mkdir(parents=True)
    shutil.copy(prepared / "dwi.nii.gz", tmp_path / "bids/sub-01/dwi/sub-01_dwi.nii.gz")

    assert found(tmp_path / "table.csv") == {"anna": Case}
    assert found(tmp_path / "bids") == {"sub-01": Case}


def test_patient_of_a_table_whose_file_is_missing_fails_alone(prepared, tmp_path):
    (tmp_path / "table.csv").write_text(f"patient,dwi\nanna,gone.nii.gz\nbert,{prepared / 'dwi.nii.gz'}\n")

    anna, bert = find_patients(tmp_path / "table.csv")

    begin = BeginPatient(tmp_path / "out")
    assert begin(bert.item())["patient"] == "bert"
    with pytest.raises(InputError, match=r"gone\.nii\.gz: does not exist$"):
        begin(anna.item())


def test_one_file_is_refused_with_what_to_say(write_scan, tmp_path):
    path = write_scan(tmp_path / "anna/dwi.nii.gz")

    with pytest.raises(InputError, match=r"dwi\.nii\.gz is neither a folder nor a table .*--dwi PATH"):
        find_patients(path)


def test_dicomdir_beside_the_series_does_not_part_them(tmp_path):
    (path, *_) = series(tmp_path / "anna/DICOM/series1", number=1)
    series(tmp_path / "anna/DICOM/series2", number=2)
    shutil.copy(path, tmp_path / "anna/DICOMDIR")

    assert found(tmp_path / "anna") == {"anna": RawScans}


def test_parts_of_one_patient_by_their_folders_names_are_one_patient(write_scan, tmp_path):
    write_scan(tmp_path / "anna/dwi/scan.nii.gz")
    write_scan(tmp_path / "anna/FLAIR/scan.nii.gz", "flair")

    assert set(found(tmp_path / "anna")) == {"anna"}


def test_loose_file_beside_several_folders_of_scans_is_refused_as_unclear(write_scan, tmp_path):
    for patient in ("anna", "bert"):
        write_scan(tmp_path / patient / "x.nii.gz")
    write_scan(tmp_path / "atlas.nii.gz")

    with pytest.raises(InputError, match=r"atlas\.nii\.gz lies beside 2 folders of scans.*--one-patient"):
        find_patients(tmp_path)


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (("p1_dwi", "b0"), ("p2",)),
        (("patient_2_dwi",), ("patient_1",)),
        (("sub-02_dwi", "sub-02_T1w"), ("sub-01_flair_t1",)),
        (("p1_dwi_2",), ("2",)),
        (("p1_dwi", "p2_flair"), ("p1",)),
        (("p1_dwi",), ("dicom/p2",)),
        (("p1_dwi",), ("dicom/p2", "dicom/p3")),
        (("p1_dwi",), ("p2_seg",)),
        (("p1_dwi",), ("output",)),
        (("data_002_dwi",), ("data_001",)),
        (("2_dwi",), ("1",)),
        (("ISLES_002_dwi",), ("ISLES/p1", "ISLES/p3")),
        (("p1_dwi",), ("FLAIR/p2", "FLAIR/p3")),
        (("12345678_dwi",), ("raw/87654321",)),
        (("Müller_dwi",), ("Möller",)),
    ],
)
def test_file_that_is_somebodys_beside_somebodys_folder_is_refused_as_unclear(write_scan, tmp_path, files, folders):
    for name in files:
        write_scan(tmp_path / f"data/{name}.nii.gz")
    for folder in folders:
        write_scan(tmp_path / f"data/{folder}/x.nii.gz", "flair")

    with pytest.raises(InputError, match=rf"{files[0]}\.nii\.gz lies beside a folder of scans.*--one-patient"):
        find_patients(tmp_path / "data")


@pytest.mark.parametrize(
    ("file", "other"),
    [
        ("p1_dwi", "FLAIR/p2_flair_brain"),
        ("p1_dwi", "bet/p2_flair"),
        ("sub-112_dwi", "flair/sub-113_flair"),
        ("case_12_dwi", "FLAIR/case_13_flair"),
        ("007_dwi", "FLAIR/008_flair"),
        ("12345678_dwi", "FLAIR/87654321_flair"),
        ("P_12_dwi", "FLAIR/P_13_flair"),
        ("Müller_dwi", "FLAIR/Möller_flair"),
        ("王_dwi", "FLAIR/李_flair"),
        ("p1_dwi", "raw/anna/flair"),
        ("p1_dwi", "brain/p2/flair"),
    ],
)
def test_folder_named_as_further_that_holds_somebody_elses_scan_is_refused(write_scan, tmp_path, file, other):
    write_scan(tmp_path / f"data/{file}.nii.gz")
    write_scan(tmp_path / f"data/{other}.nii.gz", "flair")

    with pytest.raises(InputError, match=rf"{file}\.nii\.gz lies beside a folder of scans"):
        find_patients(tmp_path / "data")


def read(patient, folder):
    """Read a patient as a run does, without a network."""
    PrepareScans(folder / "out", ["dwi", "flair", "t2", "t1"], brain_mask="none")(patient.item())


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("data", ("sub-01_dwi", "sub-02_FLAIR")),
        ("data", ("PAT001_ep2d_diff_TRACEW", "PAT002_t2_tirm_tra_dark-fluid")),
        ("data", ("p_9_dwi", "p10_t1", "patient-9_flair")),
        ("data", ("data_case3_dwi", "data_case4_flair")),
        ("data", ("sub-01_dwi/x", "sub-02_flair/x")),
        ("data", ("FLAIR/p1", "T1/p2")),
        ("data", ("DWI/mrn123", "FLAIR/mrn456")),
        ("data", ("anat/sub-01_T1w", "anat/sub-02_FLAIR")),
        ("data", ("sub-anna_ses-1_dwi", "sub-bert_ses-1_FLAIR")),
        ("data", ("DATA_Sub-A1_dwi", "data_sub-a2_flair")),
        ("data", ("isles2022_sub-01_dwi", "isles2022_sub-02_flair")),
        ("data", ("P-12-001_dwi", "P-12-002_flair")),
        ("data", ("Participant 1_dwi", "Patient#2_flair")),
        ("PAT001", ("PAT001_dwi", "PAT002_flair")),
        ("patient", ("patient_1_dwi", "patient_2_flair")),
    ],
)
def test_patient_whose_scans_have_two_labels_is_refused_alone_or_in_a_cohort(write_scan, tmp_path, folder, names):
    for name, sequence in zip(names, ("dwi", "flair", "t1"), strict=False):
        write_scan(tmp_path / f"cohort/{folder}/{name}.nii.gz", sequence)
    write_scan(tmp_path / "cohort/other/dwi.nii.gz")

    (alone,) = find_patients(tmp_path / "cohort" / folder)
    among_others = {patient.patient: patient for patient in find_patients(tmp_path / "cohort")}[folder]
    for patient in (alone, among_others):
        with pytest.raises(InputError, match=r"by their names .* and .* are of two patients.*with --one-patient"):
            read(patient, tmp_path)
    (as_said,) = find_patients(tmp_path / "cohort" / folder, one_patient=True)
    read(as_said, tmp_path)


def test_scan_of_another_subject_in_a_bids_subject_is_refused(write_scan, tmp_path):
    write_scan(tmp_path / "sub-01/dwi/sub-01_dwi.nii.gz")
    write_scan(tmp_path / "sub-01/anat/sub-02_FLAIR.nii.gz", "flair")
    write_scan(tmp_path / "sub-03/dwi/sub-03_dwi.nii.gz")
    write_scan(tmp_path / "sub-03/anat/sub-03_FLAIR.nii.gz", "flair")

    first, third = find_patients(tmp_path)

    with pytest.raises(InputError, match="are of two patients"):
        read(first, tmp_path)
    assert isinstance(third, Case)


def test_label_of_a_scan_that_is_known_by_its_side_file_counts(write_scan, tmp_path):
    write_scan(tmp_path / "data/PAT001_dwi.nii.gz")
    write_scan(tmp_path / "data/PAT002_5.nii.gz", "flair")
    (tmp_path / "data/PAT002_5.json").write_text('{"SeriesDescription": "t2_tirm_tra_dark-fluid"}')

    with pytest.raises(
        InputError, match=r"by their names PAT001_dwi\.nii\.gz and PAT002_5\.nii\.gz are of two patients"
    ):
        read(*find_patients(tmp_path / "data"), tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ("sub-1_dwi", "p_01_flair", "PATIENT001_t1"),
        ("anna_dwi", "anna_5_flair"),
        ("ep2d_diff_3scan_trace_p2_TRACEW_5", "t2_tirm_tra_dark-fluid_6", "resolve_dwi_ADC"),
        ("DWI_SSh_SENSE", "sT1W_3D_TFE", "T2W_TSE_CLEAR", "FLAIR_longTR_CLEAR"),
        ("OAx_DWI_b1000", "OSag_T1", "OAx_T2_FLAIR"),
        ("FSE2D_T2", "SE2D_T1", "FASE_DWI", "FLAIR"),
        ("t2_tse_tra_pat2", "grappa_p3_dwi"),
        ("003_dwi", "004_flair"),
        ("00000012_dwi", "00000013_flair"),
        ("20231001_dwi", "01102023_flair", "20231002101500_t1"),
        ("s5_dwi", "ser_6_flair", "IM0007_t1", "scan8_t2"),
        ("DWI/5", "FLAIR/6"),
        ("DWI/export", "FLAIR/series"),
        ("p1_dwi", "p2_notes"),
    ],
)
def test_names_of_one_patients_series_are_not_refused(write_scan, tmp_path, caplog, names):
    for name in names:
        write_scan(tmp_path / f"data/{name}.nii.gz")

    with caplog.at_level(logging.WARNING):
        assert len(find_patients(tmp_path / "data")) == 1
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("names", "is_told"),
    [
        (("anna_dwi", "bert_flair"), True),
        (("anna_dwi", "anna_t1", "bert_flair"), True),
        (("1234567_dwi", "7654321_flair"), True),
        (("Möller_dwi", "Müller_flair"), True),
        (("Groß_dwi", "gross_flair"), False),
        (("anna_dwi", "anna_x_flair"), False),
        (("anna_dwi", "flair"), False),
        (("anna_dwi", "FLAIR/flair"), False),
        (("p1_dwi", "P01_flair"), False),
        (("anna_dwi", "anna_flair", "bert_notes"), False),
        (("O’Brien_dwi", "O’Brien_flair"), False),
        (("anna – dwi", "anna – flair"), False),
        (("OAx_DWI_b1000", "OSag_T1"), False),
        (("20231001_dwi", "01102023_flair"), False),
        (("202310011015_dwi", "202310011020_flair"), False),
        (("101523_dwi", "102210_flair"), False),
    ],
)
def test_files_without_a_common_name_are_taken_for_one_patients_which_is_told(
    write_scan, tmp_path, caplog, names, is_told
):
    for name in names:
        write_scan(tmp_path / f"data/{name}.nii.gz")

    with caplog.at_level(logging.INFO):
        assert len(find_patients(tmp_path / "data")) == 1
    assert ("data: its files (" in caplog.text) is is_told


def test_scan_of_several_patients_that_says_no_sequence_is_not_forgotten(write_scan, tmp_path, caplog):
    for name in (
        "anna_dwi",
        "bert_dwi",
        "carl_IM3",
        "anna_dark_fluid",
        "anna_adc",
        "anna_b0",
        "bert_manual",
        "bert_swi",
    ):
        write_scan(tmp_path / f"{name}.nii.gz")

    assert set(found(tmp_path)) == {"anna", "bert"}
    assert "2 left out, as the names do not say which sequence or whose: anna_dark_fluid.nii.gz, carl_" in caplog.text


def test_folder_of_a_cohort_that_holds_several_patients_fails_and_no_other(write_scan, tmp_path):
    for name in ("site/p1/dwi", "site/p2/flair", "bert/nifti/dwi", "bert/raw/flair"):
        write_scan(tmp_path / f"cohort/{name}.nii.gz", "dwi" if "dwi" in name else "flair")

    bert, site = find_patients(tmp_path / "cohort")

    with pytest.raises(InputError, match=r"site: by their names p1/dwi\.nii\.gz and p2/flair\.nii\.gz are of two"):
        read(site, tmp_path)
    read(bert, tmp_path)


def test_scans_that_results_were_copied_to_are_a_patients(write_scan, tmp_path):
    write_scan(tmp_path / "bert/dwi.nii.gz")
    for name in ("anna_5", "anna_6", "anna_lesion"):
        write_scan(tmp_path / f"anna/{name}.nii.gz")
    (tmp_path / "anna/anna_lesion.json").write_text('{"islesnet": "0.1.0"}')

    assert set(found(tmp_path)) == {"anna", "bert"}


def test_file_that_is_somebodys_beside_somebodys_dicom_is_refused_as_unclear(write_scan, write_series, tmp_path):
    write_scan(tmp_path / "data/p1_dwi.nii.gz")
    write_series(tmp_path / "data/p2", "flair")

    with pytest.raises(InputError, match=r"p1_dwi\.nii\.gz lies beside a folder of scans"):
        find_patients(tmp_path / "data")


def test_folders_of_scans_beside_several_patients_files_are_not_forgotten(write_scan, write_series, tmp_path, caplog):
    for patient in ("p1", "p2"):
        write_scan(tmp_path / f"data/{patient}_dwi.nii.gz")
    for folder in ("raw", "derivatives", "lesions_manual", "bet"):
        write_scan(tmp_path / f"data/{folder}/p1.nii.gz")
    with caplog.at_level(logging.WARNING):
        assert len(find_patients(tmp_path / "data")) == 2
    assert "bet, derivatives, lesions_manual, raw: not looked into" in caplog.text

    write_series(tmp_path / "data/p3")
    write_scan(tmp_path / "data/p4/x.nii.gz")
    with pytest.raises(InputError, match=r"folders of scans beside them \(p3, p4\); move either away"):
        find_patients(tmp_path / "data")


def test_converted_files_beside_their_dicom_are_one_patient(write_scan, write_series, tmp_path):
    for folder in ("source", "p1", "DICOM"):
        write_scan(tmp_path / folder / "p1_dwi.nii.gz")
        write_series(tmp_path / folder / folder)
        write_scan(tmp_path / folder / "masks/brain.nii.gz")

        assert len(find_patients(tmp_path / folder)) == 1


@pytest.mark.parametrize(
    ("scan", "further"),
    [
        ("p1_dwi", "anat"),
        ("p1_dwi", "FLAIR"),
        ("dwi", "more"),
        ("ax_dwi_b1000", "originals"),
        ("ep2d_diff_tra_TRACEW_5", "scans"),
        ("20231001_dwi", "derived"),
        ("data_AX_T1_SE_3", "more"),
        ("sub-data_dwi", "masks"),
        ("dwi_reg", "more"),
        ("dwi_anna", "anna"),
        ("O’Brien_dwi", "FLAIR"),
        ("anna – dwi", "FLAIR"),
        ("ses-01_dwi", "more"),
        ("p1_dwi", "brainmask"),
    ],
)
def test_file_beside_a_folder_of_further_scans_is_one_patients(write_scan, tmp_path, caplog, scan, further):
    write_scan(tmp_path / f"data/{scan}.nii.gz")
    write_scan(tmp_path / f"data/{further}/flair.nii.gz", "flair", degrees=3)

    with caplog.at_level(logging.WARNING):
        assert len(find_patients(tmp_path / "data")) == 1
    assert caplog.text == ""


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_where_nothing_is_found_the_folder_is_named(tmp_path, path):
    with pytest.raises(InputError, match=str(tmp_path)):
        find_patients(tmp_path / path)
