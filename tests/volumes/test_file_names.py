import pytest

from islesnet.volumes.file_names import natural_key, read_name, sequence_named, stem_of


@pytest.mark.parametrize(
    ("stem", "role"),
    [
        ("dwi", "dwi"),
        ("DWI_b1000", "dwi"),
        ("sub-1_rec-TRACE_dwi", "dwi"),
        ("sub-1_trace", "dwi"),
        ("p1_b1000", "dwi"),
        ("FLAIR", "flair"),
        ("TCGA-DU-7294_brats_fla", "flair"),
        ("T2-FLAIR", "flair"),
        ("BraTS-0001-t2f", "flair"),
        ("sub-1_T1w", "t1"),
        ("BraTS-0001-t1n", "t1"),
        ("T1_pre_contrast", "t1"),
        ("sub-1_T2w", "t2"),
        ("DWI_to_FLAIR", "dwi"),
        ("sub-1_space-FLAIR_dwi", "dwi"),
        ("VSD.Brain.XX.O.MR_DWI.70613", "dwi"),
        ("VSD.Brain.XX.O.MR_Flair.70614", "flair"),
        ("VSD.Brain_3more.XX.XX.OT.6560", "label"),
        ("label", "label"),
        ("lesion", "label"),
        ("p1_msk", "label"),
        ("p1_seg", "label"),
        ("lesion_mask", "label"),
        ("flair_lesion_mask", "label"),
        ("sub-1_label-L_desc-T1lesion_mask", "label"),
        ("sub-1_adc", None),
        ("dwi_adc", None),
        ("sub-1_rec-ADC_dwi", None),
        ("dwi_b0", None),
        ("t1c", None),
        ("T1_Gd", None),
        ("t1ce", None),
        ("sub-1_ce-gadolinium_T1w", None),
        ("p1_T1_KM", None),
        ("p1_T1 +C", None),
        ("p1_T1_inj", None),
        ("p1_T1_post_gd_no_fs", None),
        ("p1_T1_vor_KM", "t1"),
        ("p1_T1_without_contrast", "t1"),
        ("p1_T1_C-", "t1"),
        ("p1_T1_Map", None),
        ("p1_T2_mapping", None),
        ("MAP_001_T1", "t1"),
        ("T2_star", None),
        ("brain_mask", None),
        ("TCGA-DU-7294_brats_br_ss_t1_mask", None),
        ("dwi_mask", None),
        ("p1_lesion", None),
        ("p1_probability", None),
        ("p1_lesion_probability", None),
        ("t1_t2", None),
        ("dwight", None),
        ("scan", None),
    ],
)
def test_role_that_a_name_says(stem, role):
    assert read_name(stem).role == role


@pytest.mark.parametrize("stem", ["p1_lesion", "dwi_mask", "t1_t2", "post_T1"])
def test_name_in_doubt_says_why(stem):
    assert read_name(stem).doubt
    assert not read_name("p1_adc").doubt


def test_patient_at_the_beginning_of_a_name_is_not_its_sequence():
    assert read_name("T1_study_07_dwi", "T1_study_07").role == "dwi"
    assert read_name("t1w", "t1").role == "t1"


@pytest.mark.parametrize(
    ("stem", "rest"),
    [("p1_dwi", "p1"), ("dwi_p1", "p1"), ("sub-01_ses-1_T1w", "sub-01_ses-1"), ("p 1-lesion_mask", "p 1"), ("dwi", "")],
)
def test_rest_of_a_name_is_the_patient(stem, rest):
    assert read_name(stem).rest == rest


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.nii", "a"), ("a.b.NII.GZ", "a.b"), ("a.mha", "a"), ("a.txt", None), (".nii", None), ("a.nii.gz.part", None)],
)
def test_stem_is_the_name_without_the_suffix_of_a_volume(name, stem):
    assert stem_of(name) == stem


def test_channel_names_are_matched_in_any_case():
    assert [sequence_named(name) for name in ("DWI", "T2_FLAIR", "T1w", "label", "CT")] == [
        "dwi",
        "flair",
        "t1",
        None,
        None,
    ]


def test_numbers_are_sorted_as_numbers():
    assert sorted(["case10", "Case2", "case1b", "case1"], key=natural_key) == ["case1", "case1b", "Case2", "case10"]
