"""Which patient's label a name begins with."""

from pathlib import Path

import pytest

from islesnet.volumes.patient_labels import label_of, labelled_files


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("PAT001_dwi", "1"),
        ("Case 007 dwi", "7"),
        ("Patient#2_flair", "2"),
        ("participant-12", "12"),
        ("P-12-001_dwi", "12-1"),
        ("PAT001-0003_dwi", "1"),  # the series' number
        ("PAT12-20231001_dwi", "12"),
        ("sub-anna_ses-1_FLAIR", "anna"),
        ("sub-A01", "a1"),
        ("isles2022_sub-01_dwi", "1"),
        ("sub-01-02_dwi", "1-2"),
        ("sub-T1_pre", None),
        ("subtraction_2", None),
        ("post_2_t1", None),
        ("patient_dwi", None),
        ("case12b_dwi", None),
        ("t2_tse_tra_p2", None),
        ("anna_5", None),
    ],
)
def test_label_stands_in_front_of_a_name(name, label):
    assert label_of(name) == label


@pytest.mark.parametrize(
    ("name", "folder", "label"),
    [
        ("PAT002_dwi", "PAT001", "2"),
        ("patient_1_dwi", "patient", "1"),
        ("DATA case3_dwi", "data", "3"),
        ("data_p2_dwi", "data", None),  # an acceleration as often as a patient
        ("database_3_dwi", "data", None),
    ],
)
def test_name_of_the_folder_may_stand_before_it_or_be_it(name, folder, label):
    assert label_of(name, folder) == label


def test_each_label_has_its_first_file_in_natural_order_and_files_elsewhere_do_not_count():
    home = Path("/data/anna")
    files = [home / "FLAIR/p10/x.nii.gz", home / "p9_dwi.nii.gz", home / "p09_t1.nii", Path("/data/p3_t2.nii")]

    assert labelled_files(files, home) == {"9": Path("p9_dwi.nii.gz"), "10": Path("FLAIR/p10/x.nii.gz")}
