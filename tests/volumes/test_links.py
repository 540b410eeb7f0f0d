import pytest

from islesnet.volumes.links import leads_to_others


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("cohort/bert", True),
        ("cohort/bert/series", True),
        ("cohort", True),
        (".", True),
        ("store/carl", True),  # beside the folder that "linked" stands for
        ("cohort/anna/series", False),
        ("cohort/sourcedata/anna", False),
        ("cohort/sourcedata/A17/dwi", False),
        ("cohort/labels/k1", False),
        ("cohort/.store", False),
        ("pacs/anna", False),
    ],
)
def test_link_to_another_patient_of_the_data_set_is_told_from_others(target, leads, tmp_path):
    (tmp_path / target).mkdir(parents=True, exist_ok=True)
    for place in ("cohort/anna", "store/anna"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
    patient = tmp_path / "cohort/anna"
    if target.startswith("store"):
        patient.rmdir()
        patient.symlink_to(tmp_path / "store/anna")
    (patient / "link").symlink_to(tmp_path / target)

    assert leads_to_others(patient / "link", patient) is leads
