"""Whose scans a folder holds, and that no path tells it."""

import unicodedata

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


NAMING = {
    "two letters": ({"PatientName": "Li^Na"}, "LI_NA"),
    "two letters as one word": ({"PatientName": "Li^Na"}, "NaLi"),
    "two letters before a number": ({"PatientName": "Li^Na"}, "li7"),
    "umlauts spelt out": ({"PatientName": "Müller^Jörg"}, "MUELLER_J"),
    "umlauts left out": ({"PatientName": "Müller^Jörg"}, "muller"),
    "umlauts of a header spelt out": ({"PatientName": "MUELLER^JOERG"}, "Müller"),
    "umlauts as macOS writes them": ({"PatientName": "Müller^Jörg"}, unicodedata.normalize("NFD", "Müller")),
    "sharp s": ({"PatientName": "Groß^Al"}, "GROSS"),
    "accents": ({"PatientName": "Jiménez^Zoë"}, "JIMENEZ"),
    "stroke": ({"PatientName": "Sørensen^Bo"}, "Sorensen"),
    "apostrophe": ({"PatientName": "O'Brien^Al"}, "OBRIEN_AL"),
    "half of a double name": ({"PatientName": "Meier-Schmidt^Ann"}, "schmidt"),
    "name before marriage": ({"PatientBirthName": "Beispiel"}, "Beispiel_E"),
    "birth date in parts": ({"PatientBirthDate": "19500102"}, "1950-01-02"),
    "birth date, day first": ({"PatientBirthDate": "19500102"}, "x_02.01.1950"),
    "birth date, month first": ({"PatientBirthDate": "19500102"}, "01_02_1950"),
    "birth date without zeros": ({"PatientBirthDate": "19500102"}, "2.1.1950"),
    "birth date without a century": ({"PatientBirthDate": "19500102"}, "020150"),
    "id without its dashes": ({"PatientID": "123-456-789"}, "123456789"),
    "id in folders": ({"PatientID": "123456789"}, "123/456/789"),
    "another script": ({"PatientName": "Иванов^Иван", "SpecificCharacterSet": "ISO_IR 192"}, "ivanov"),
    "a path in another script": ({"PatientName": "Li^Na"}, "李娜"),
    "a path of bytes that are no text": ({"PatientName": "Müller^Jörg"}, "M\udcfcller"),
}


@pytest.mark.parametrize(("tags", "folder"), NAMING.values(), ids=NAMING)
def test_folder_that_names_the_patient_in_other_letters_is_not_told(tmp_path, tags, folder):
    classic(tmp_path / folder, **{"SpecificCharacterSet": "ISO_IR 192"} | tags, **tags_of("t1"))
    assert read_patient(tmp_path).images["t1"].source == "series 1"


@pytest.mark.parametrize("folder", ["DICOM/ST0/SE4", "nation/alps", "2019-05-17 MR", "12 34"])
def test_folder_that_names_nobody_is_told(tmp_path, folder):
    tags = {"PatientName": "Li^Na", "PatientID": "1234567", "PatientBirthDate": "19500102"}
    classic(tmp_path / folder, **tags, **tags_of("t1"))
    assert read_patient(tmp_path).images["t1"].source == f"series 1 ({folder}/IM0000)"


def test_name_in_two_scripts_is_compared_by_its_latin_letters(tmp_path):
    tags = {"PatientName": "Li^Na=李^娜", "SpecificCharacterSet": "ISO_IR 192"}
    classic(tmp_path / "a", **tags, **tags_of("t1"))
    classic(tmp_path / "Na", number=2, **tags, **tags_of("t2"))
    images = read_patient(tmp_path).images
    assert (images["t1"].source, images["t2"].source) == ("series 1 (a/IM0000)", "series 2")
