"""Which patient's label a name begins with."""

from pathlib import Path

import pytest

from islesnet.volumes.patient_labels import files_of_two_patients, label_of


def text_of(label):
    return label and label.text


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
        ("sub-PAT001", "1"),
        ("sub-p01", "1"),
        ("pat-7-1000_dwi", "7"),  # the b-value
        ("sub-mni152_t1", None),
        ("dwi_sub-sampled", None),
        ("T1_sub-1mm", None),
        ("p2_flair", "2"),
        ("p 4 dwi", "4"),
        ("p02_dwi", "2"),
        ("isles2022_sub-01_dwi", "1"),
        ("sub-01-02_dwi", "1-2"),
        ("sub-T1_pre", None),
        ("sub-1p5mm_t1", None),
        ("sub-1.5mm_t1", None),
        ("sub-1iso_t1", None),
        ("sub-1x1x1_t1", None),
        ("sub-3T_t1", None),
        ("sub-2t_t1", "2t"),
        ("sub-1p001_dwi", "1p1"),
        ("PAT001.20210301_dwi", "1"),
        ("P12.5_dwi", "12"),
        ("P1.001_dwi", "1-1"),
        ("sub-01.002_dwi", "1-2"),
        ("sub-0.8mm_t1", None),
        ("T1_sub-10.5mm", None),
        ("sub-1.5x1.5x5mm_t1", None),
        ("sub-1.0x1.0x1.0_t1", None),
        ("sub-1.5 mm_t1", None),
        ("p1.5mm_flair", None),
        ("case_1.5mm_t1", None),
        ("sub-1p5_t1", None),
        ("sub-1p5x1p5x3mm_t1", None),
        ("subtraction_2", None),
        ("post_2_t1", None),
        ("patient_dwi", None),
        ("case12b_dwi", None),
        ("t2_tse_tra_p2", None),
        ("anna_5", None),
    ],
)
def test_label_stands_in_front_of_a_name(name, label):
    assert text_of(label_of(name)) == label


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
    assert text_of(label_of(name, folder)) == label


@pytest.mark.parametrize(
    ("first", "second", "are_two"),
    [
        ("p1_dwi", "p2_flair", True),
        ("P-12-1000_dwi", "P-12-001_flair", False),
        ("P-12-1000_dwi", "nifti/P-12-001/flair", False),
        ("P-12.1000_dwi", "P-12-001_flair", False),
        ("P-12-002_dwi", "P-12-001_flair", True),
        ("P1.001_dwi", "P1.002_flair", True),
        ("P-12_dwi", "P-12-001_flair", True),
        ("P-12/dwi", "P-12-001/flair", True),
        ("sub-01_dwi", "sub-01-02_flair", True),
        ("p1_dwi", "p10_flair", True),
        ("PAT001.20210301_dwi", "PAT002.20210301_flair", True),
        ("sub-1p001_dwi", "sub-1p002_flair", True),
        ("p1_dwi", "p01_flair", False),
        ("p1_dwi", "flair", False),
        ("FLAIR/p10", "T1/p9", True),
        ("p1/dwi", "p2/flair", True),
        ("p1/dwi", "T1/p2_t1", True),
        ("p1/dwi", "T1/p1_t1", False),
        ("PAT007/sub-01_dwi", "PAT007/sub-01_flair", False),  # one person with two labels
        ("case_12/sub-bert/dwi/sub-bert_dwi", "case_12/sub-bert/anat/sub-bert_T1w", False),
        ("PAT007/sub-01_dwi", "PAT007/sub-02_flair", True),
        ("sub-PAT001_dwi", "PAT001_flair", False),
    ],
)
def test_two_files_are_of_two_patients_where_their_labels_differ(first, second, are_two):
    home = Path("/data/anna")
    places = (Path(f"{first}.nii.gz"), Path(f"{second}.nii.gz"))

    found = files_of_two_patients([home / place for place in places], home)

    assert found == (places if are_two else None)


def test_files_elsewhere_do_not_count():
    assert files_of_two_patients([Path("/data/anna/p1_dwi.nii"), Path("/data/p3_t2.nii")], Path("/data/anna")) is None
