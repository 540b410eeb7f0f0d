import pytest

from islesnet.data import find_cases

FOUND = {
    "glioma-1mm": ["t1", "t2", "flair"],
    "isles22-0009": ["dwi", "flair", "label"],
    "isles22-mca": ["dwi", "flair"],
    "raw-oblique": ["t1", "t2", "flair"],
}


@pytest.mark.parametrize("patient", FOUND)
def test_real_patient_is_found_in_its_own_folder(real_data, patient):
    (case,) = find_cases(real_data / patient)
    assert (case.patient, list(case.files)) == (patient, FOUND[patient])


def test_real_patients_are_found_from_their_parent_and_the_rest_is_told(real_data, caplog):
    assert {case.patient: list(case.files) for case in find_cases(real_data)} == FOUND
    assert "dicom-dwi holds no file named by a sequence; left out (it holds DICOM files" in caplog.text
    assert "orientations holds no file named by a sequence" in caplog.text
