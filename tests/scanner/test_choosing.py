"""Which of several series is taken, what is left out, and what the user has to say."""

import pytest
from pydicom.uid import generate_uid

from islesnet.errors import InputError
from islesnet.scanner import read_patient
from tests.scanner.made_dicom import classic, head, tags_of

DWI = {"DiffusionBValue": 1000.0}
ADC = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}


def numbers_of(patient):
    """Give the series' number of each sequence."""
    return {role: int(raw.source.split()[1]) for role, raw in patient.images.items()}


@pytest.fixture
def two_examinations(tmp_path):
    """A DWI of one study, and a FLAIR of a later one."""
    classic(tmp_path / "2019 acute", number=4, StudyInstanceUID=generate_uid(), StudyDate="20190203", **DWI)
    later = {"StudyInstanceUID": generate_uid(), "StudyDate": "20210405"}
    classic(tmp_path / "2021 follow-up", number=9, **later, **tags_of("flair"))
    return tmp_path


def test_sequence_of_another_examination_is_left_out_with_the_option_that_takes_it(two_examinations):
    patient = read_patient(two_examinations)
    assert numbers_of(patient) == {"dwi": 4}
    (note,) = patient.notes
    assert note.startswith("series 9") and "(FLAIR) is left out: it is of another examination than series 4" in note
    assert "--flair PATH" in note
    assert "20190203" not in repr(patient) and "20210405" not in repr(patient)


def test_sequence_of_another_examination_stays_where_the_user_named_it(two_examinations):
    patient = read_patient(two_examinations, {"flair": two_examinations / "2021 follow-up"})
    assert numbers_of(patient) == {"dwi": 4, "flair": 9}
    assert not patient.notes


def test_without_a_dwi_the_reference_says_which_examination_is_meant(tmp_path):
    for number, role in enumerate(("t1", "t2", "flair"), start=1):
        classic(tmp_path / role, number=number, StudyInstanceUID=f"1.2.{number % 2}", **tags_of(role))
    patient = read_patient(tmp_path)
    assert numbers_of(patient) == {"flair": 3, "t1": 1}
    assert "--t2 PATH" in patient.notes[0]


def test_adc_and_b0_of_another_examination_are_left_out(two_examinations):
    other = {"StudyInstanceUID": generate_uid()}
    classic(two_examinations / "b0", number=11, DiffusionBValue=0.0, SeriesDescription="DWI b0", **other)
    classic(two_examinations / "adc", head(scale=800), number=12, **ADC, **other)
    patient = read_patient(two_examinations)
    assert numbers_of(patient) == {"dwi": 4}
    assert any("series 12" in note and "--adc PATH" in note for note in patient.notes)


@pytest.mark.parametrize("b_value", [1000.0, 800.0])
def test_dwis_of_two_examinations_are_refused_though_one_be_better(two_examinations, b_value):
    classic(two_examinations / "dwi", number=8, StudyInstanceUID=generate_uid(), DiffusionBValue=b_value)
    with pytest.raises(InputError, match=r"series 8 .* and series 4 .* DWI, and are of two examinations.*--dwi PATH"):
        read_patient(two_examinations)
    assert numbers_of(read_patient(two_examinations, {"dwi": two_examinations / "dwi"})) == {"dwi": 8}


PARTED = {"StudyDate": "20190203", "FrameOfReferenceUID": "1.2.3"}


@pytest.mark.parametrize(("changed", "roles"), [({}, {"dwi", "t2"}), *(({key: ""}, {"dwi"}) for key in PARTED)])
def test_two_studies_are_one_visit_where_day_and_frame_of_reference_agree(tmp_path, changed, roles):
    classic(tmp_path / "a", number=4, StudyInstanceUID=generate_uid(), **PARTED, **DWI)
    classic(tmp_path / "b", number=5, StudyInstanceUID=generate_uid(), **PARTED | changed, **tags_of("t2"))
    assert set(read_patient(tmp_path).images) == roles
