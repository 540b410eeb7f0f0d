"""Whose scans a folder holds, and that no path tells it."""

import pytest

from islesnet.errors import InputError
from islesnet.scanner import read_patient
from tests.scanner.made_dicom import SECRETS, classic, tags_of

ONE_PERSON = {
    "no id": {"PatientID": ""},
    "an id alone": {"PatientName": "", "PatientBirthDate": ""},
    "no id, the name in capitals": {"PatientID": "", "PatientName": "MUSTERMANN^ERIKA^^", "PatientBirthDate": ""},
    "nothing": dict.fromkeys(SECRETS, ""),
}
TWO_PERSONS = {
    "another id": {"PatientID": "ANOTHER"},
    "no id, another name": {"PatientID": "", "PatientName": "Musterfrau^Anna"},
    "no id, another birth date": {"PatientID": "", "PatientBirthDate": "19300101"},
}


@pytest.mark.parametrize("tags", ONE_PERSON.values(), ids=ONE_PERSON)
def test_series_whose_header_says_less_of_the_patient_is_no_other_patient(tmp_path, tags):
    classic(tmp_path / "a", **tags_of("t1"))
    classic(tmp_path / "b", **tags, **tags_of("t2"))
    assert set(read_patient(tmp_path).images) == {"t1", "t2"}
    assert set(read_patient(tmp_path / "a", {"t2": tmp_path / "b"}).images) == {"t1", "t2"}


@pytest.mark.parametrize("tags", TWO_PERSONS.values(), ids=TWO_PERSONS)
def test_series_that_says_another_id_name_or_birth_date_is_another_patient(tmp_path, tags):
    classic(tmp_path / "a", **tags_of("t1"))
    classic(tmp_path / "b", **tags, **tags_of("t2"))
    with pytest.raises(InputError, match="holds scans of 2 patients"):
        read_patient(tmp_path)


def test_patients_without_ids_are_told_apart_by_their_names(tmp_path):
    for number, name in enumerate(("Mustermann^Erika", "Musterfrau^Anna"), start=1):
        classic(tmp_path / name, number=number, PatientID="", PatientName=name, **tags_of("t1"))
    classic(tmp_path / "c", number=3, PatientName="", PatientBirthDate="", **tags_of("t2"))
    with pytest.raises(InputError, match="holds scans of 2 patients"):
        read_patient(tmp_path)
