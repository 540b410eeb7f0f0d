import pytest

from islesnet.data.mask_names import Kind, key_of, kind_of, match_names, patient_in


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("p1_lesion", "p1"),
        ("case_0001", "case_0001"),
        ("sub-strokecase0001_ses-0001_msk", "sub-strokecase0001_ses-0001"),
        ("sub-01_ses-1_space-MNI152_label-L_desc-T1lesion_mask", "sub-01_ses-1"),
        ("sub-01_run-2_desc-expert_mask", "sub-01_run-2"),
        ("Pred_7", "7"),
        ("p1.manual.seg", "p1"),
        ("Jörg 7_lesion", "Jörg 7"),
        ("患者_mask", "患者"),
        ("Smith (2)", "Smith (2)"),
        ("Smith (lesion)", "Smith"),
        ("p1+_lesion", "p1+"),
        ("label", ""),
    ],
)
def test_patient_is_the_name_without_what_says_mask(name, patient):
    assert patient_in(name) == patient


def test_case_and_composed_letters_do_not_count():
    assert key_of("SUB-01_msk") == key_of("sub-01_Lesion")
    assert key_of("J\u00f6rg_seg") == key_of("jo\u0308rg_pred")


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("p1_lesion", Kind.MASK),
        ("prediction", Kind.MASK),
        ("VSD.Brain_3more.XX.XX.OT.6560", Kind.MASK),
        ("p1_dwi_seg", Kind.MASK),
        ("p1", Kind.UNSAID),
        ("p1_dwi", Kind.SEQUENCE),
        ("p1_probability", Kind.OTHER),
        ("p1_lesion_prob", Kind.OTHER),
        ("p1_brain_mask", Kind.OTHER),
        ("p1_brainmask", Kind.OTHER),
    ],
)
def test_kind_of_file_that_a_name_says(stem, kind):
    assert kind_of(stem) == kind


@pytest.mark.parametrize(
    ("left", "right", "matched"),
    [
        (["a", "b"], ["B_lesion", "a"], {"a": "a", "b": "B_lesion"}),
        (["sub-1"], ["sub-1_ses-2"], {"sub-1": "sub-1_ses-2"}),
        (["sub-1_ses-2"], ["sub-1"], {"sub-1_ses-2": "sub-1"}),
        (["sub-1"], ["sub-1_ses-1", "sub-1_ses-2"], {}),
        (["sub-1", "sub-1_ses-1"], ["sub-1_ses-1", "sub-1_ses-2"], {"sub-1_ses-1": "sub-1_ses-1"}),
        (["sub-1_ses-1"], ["sub-1_ses-2"], {}),
        (["case_1"], ["case_01"], {}),
    ],
)
def test_names_are_matched_only_where_one_patient_is_meant(left, right, matched):
    assert match_names(left, right) == matched
