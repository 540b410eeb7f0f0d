"""Which of several series is taken, what is left out, and what the user has to say."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.uid import generate_uid

from islesnet.errors import InputError
from islesnet.scanner import read_patient
from tests.scanner.made_dicom import classic, head, tags_of

DWI = {"DiffusionBValue": 1000.0}
ADC = {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]}


def array_of(patient, role):
    return sitk.GetArrayFromImage(patient.images[role].image)


def numbers_of(patient):
    """Give the number of the series that each sequence was read from."""
    return {role: int(raw.source.split()[1]) for role, raw in patient.images.items() if raw.dicom}


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
    with pytest.raises(InputError, match=r"both claim to be the DWI, and are of two examinations.*--dwi PATH") as told:
        read_patient(two_examinations)
    assert all(f"series {number} " in str(told.value) for number in (4, 8))
    assert numbers_of(read_patient(two_examinations, {"dwi": two_examinations / "dwi"})) == {"dwi": 8}


PARTED = {"StudyDate": "20190203", "FrameOfReferenceUID": "1.2.3"}


@pytest.mark.parametrize(
    ("changed", "roles"),
    [
        ({}, {"dwi", "t2"}),
        ({"StudyDate": ""}, {"dwi", "t2"}),
        ({"StudyDate": "20210203"}, {"dwi"}),
        ({"FrameOfReferenceUID": ""}, {"dwi"}),
        ({"FrameOfReferenceUID": "1.2.4"}, {"dwi"}),
    ],
)
def test_two_studies_are_one_visit_where_frames_of_reference_agree_and_days_do_not_contradict(tmp_path, changed, roles):
    classic(tmp_path / "a", number=4, StudyInstanceUID=generate_uid(), **PARTED, **DWI)
    classic(tmp_path / "b", number=5, StudyInstanceUID=generate_uid(), **PARTED | changed, **tags_of("t2"))
    assert set(read_patient(tmp_path).images) == roles


def write_adc(folder, number, scale=800, **tags):
    classic(folder / f"adc{number}", head(scale=scale), number=number, **ADC | tags)


@pytest.mark.parametrize("is_named", [False, True])
def test_of_two_adc_maps_the_one_whose_number_is_nearest_to_the_dwi_is_taken(tmp_path, is_named):
    classic(tmp_path / "dwi", number=4, **DWI)
    write_adc(tmp_path, 6)
    write_adc(tmp_path, 5)
    write_adc(tmp_path, 900, scale=700)
    patient = read_patient(tmp_path, {"dwi": tmp_path / "dwi"} if is_named else None)
    assert numbers_of(patient) == {"dwi": 4, "adc": 5}
    for number in (6, 900):
        (note,) = [note for note in patient.notes if f"series {number} " in note and "both claim to be the ADC" in note]
        assert "series 5" in note and "its series number is nearest to that of series 4" in note


def test_repeated_dwi_has_the_adc_map_that_follows_it(tmp_path):
    for number in (4, 8):
        classic(tmp_path / f"dwi{number}", head(scale=10 * number), number=number, **DWI)
        write_adc(tmp_path, number + 1, scale=700 + number)
    with pytest.raises(InputError, match="both claim to be the DWI"):
        read_patient(tmp_path)
    for number in (4, 8):
        patient = read_patient(tmp_path, {"dwi": tmp_path / f"dwi{number}"})
        assert numbers_of(patient)["adc"] == number + 1


def test_adc_map_on_the_grid_of_the_dwi_goes_before_one_that_is_nearer_by_number(tmp_path):
    classic(tmp_path / "dwi", number=4, **DWI)
    write_adc(tmp_path, 5, PixelSpacing=[4.5, 4.0])
    write_adc(tmp_path, 9)
    assert numbers_of(read_patient(tmp_path))["adc"] == 9


def test_of_two_adc_maps_equally_near_the_later_is_taken(tmp_path):
    classic(tmp_path / "dwi", number=4, **DWI)
    write_adc(tmp_path, 3)
    write_adc(tmp_path, 5, scale=700)
    patient = read_patient(tmp_path)
    assert numbers_of(patient)["adc"] == 5
    assert any("it is the last of equals" in note for note in patient.notes)


def test_copy_of_an_adc_map_is_told_as_a_copy_whatever_its_unit(tmp_path):
    classic(tmp_path / "dwi", number=4, **DWI)
    write_adc(tmp_path, 3)
    write_adc(tmp_path, 5)
    patient = read_patient(tmp_path)
    assert np.median(array_of(patient, "adc")) < 10  # brought from 1e-6 to 1e-3 mm2/s
    assert any("the other is a copy of it" in note for note in patient.notes)


def test_b0_of_a_series_of_its_own_is_that_nearest_to_the_dwi(tmp_path):
    classic(tmp_path / "dwi", number=7, **DWI)
    for number in (3, 6):
        tags = {"DiffusionBValue": 0.0, "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION"]}
        classic(tmp_path / f"b0{number}", head(scale=900 + number), number=number, **tags)
    patient = read_patient(tmp_path)
    assert numbers_of(patient)["b0"] == 6
    assert any("series 3" in note and "both claim to be the B0" in note for note in patient.notes)


def test_companions_without_a_dwi_fail_nobody(tmp_path):
    classic(tmp_path / "t2", number=2, **tags_of("t2"))
    for number in (3, 4):
        write_adc(tmp_path, number, scale=700 + number)
        classic(tmp_path / f"b0{number}", head(scale=number), number=10 + number, SeriesDescription="b0")
    patient = read_patient(tmp_path)
    assert numbers_of(patient) == {"t2": 2, "b0": 13, "adc": 3}


def kind(*words):
    return {"ImageType": ["ORIGINAL", "PRIMARY", "M", *words]}


EXPORTED_TWICE = {
    "corrected for distortion": (kind("DIS2D"), kind("ND"), "corrected for distortion"),
    "the same in a volume": (kind("DIS3D"), kind("ND"), "corrected for distortion"),
    "corrected for shading": (kind("ND", "NORM"), kind("ND"), "corrected for the coil's shading"),
    "distortion before shading": (kind("DIS2D"), kind("ND", "NORM"), "corrected for distortion"),
}


@pytest.mark.parametrize("role", ["t1", "t2", "flair", "dwi"])
@pytest.mark.parametrize(("better", "other", "reason"), EXPORTED_TWICE.values(), ids=EXPORTED_TWICE)
@pytest.mark.parametrize("is_first", [True, False])
def test_of_one_scan_exported_twice_the_corrected_one_is_taken(tmp_path, role, better, other, reason, is_first):
    tags = DWI if role == "dwi" else tags_of(role)
    classic(tmp_path / "a", head(scale=50), number=2 if is_first else 9, **tags, **better)
    classic(tmp_path / "b", number=5, **tags, **other)
    patient = read_patient(tmp_path)
    assert np.array_equal(array_of(patient, role), head(scale=50))
    (note,) = patient.notes
    assert f"both claim to be the {role.upper()}" in note and reason in note


def test_uniform_image_of_an_mp2rage_is_the_t1(tmp_path):
    for number, name in enumerate(("INV1", "T1_Images", "UNI_Images", "INV2"), start=5):
        classic(tmp_path / name, head(scale=number), number=number, SeriesDescription=f"t1_mp2rage_sag_{name}")
    assert numbers_of(read_patient(tmp_path)) == {"t1": 7}


@pytest.mark.parametrize("role", ["t1", "t2", "flair"])
def test_of_a_scan_and_its_repetition_the_later_is_taken(tmp_path, role):
    classic(tmp_path / "b", number=5, **tags_of(role))
    classic(tmp_path / "a", head(scale=50), number=12, **tags_of(role))
    classic(tmp_path / "dwi", number=3, **DWI)
    patient = read_patient(tmp_path)
    assert numbers_of(patient) == {"dwi": 3, role: 12}
    (note,) = patient.notes
    assert note.startswith("series 12") and "series 5" in note and "it is the last of equals" in note


def test_dwi_that_says_it_repeats_another_is_taken(tmp_path):
    classic(tmp_path / "a", number=4, SeriesDescription="Ax DWI", **DWI)
    classic(tmp_path / "b", head(scale=50), number=7, SeriesDescription="Ax DWI REPEAT", **DWI)
    patient = read_patient(tmp_path)
    assert numbers_of(patient) == {"dwi": 7}
    assert any("series 4" in note and "it is the other's repetition" in note for note in patient.notes)


NO_REPETITION = {
    "the same description": {},
    "another description": {"SeriesDescription": "Ax DWI brain stem"},
    "another echo time": {"SeriesDescription": "Ax DWI REPEAT", "EchoTime": 60.0},
    "another place": {"SeriesDescription": "Ax DWI REPEAT", "begin": (-60.0, -50.0, -22.0)},
}


@pytest.mark.parametrize("tags", NO_REPETITION.values(), ids=NO_REPETITION)
def test_dwis_of_different_contents_are_refused_by_their_names(tmp_path, tags):
    same = {"SeriesDescription": "Ax DWI", "EchoTime": 90.0, **DWI}
    classic(tmp_path / "a", number=4, **same)
    classic(tmp_path / "b", head(scale=50), number=7, **same | tags)
    with pytest.raises(InputError, match=r"series 4 .* and series 7 .* both claim to be the DWI.*--dwi PATH"):
        read_patient(tmp_path)


def test_of_two_dwis_without_an_examination_the_larger_field_of_view_decides_nothing(tmp_path):
    rng = np.random.default_rng(0)
    for name, slices in (("dwi_01", 12), ("dwi_02", 30)):
        image = sitk.GetImageFromArray(rng.uniform(1, 900, (slices, 40, 40)).astype(np.float32))
        image.SetSpacing([4.0, 4.0, 5.0])
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    with pytest.raises(InputError, match=r"dwi_0.* and dwi_0.* both claim to be the DWI"):
        read_patient(tmp_path)


def test_of_two_dwis_of_one_examination_the_larger_field_of_view_is_taken(tmp_path):
    study = {"StudyInstanceUID": generate_uid(), **DWI}
    classic(tmp_path / "a", head(6), number=4, **study)
    classic(tmp_path / "b", head(40), number=7, **study)
    patient = read_patient(tmp_path)
    assert numbers_of(patient)["dwi"] == 7
    assert any("its field of view covers more of the head" in note for note in patient.notes)


def test_b_value_in_a_folder_of_its_own_is_told_by_this(tmp_path):
    series = generate_uid()
    for b_value in (0, 1000):
        folder, scale = tmp_path / f"b{b_value}", 900 - b_value // 2
        classic(folder, head(scale=scale), number=7, SeriesInstanceUID=series, DiffusionBValue=float(b_value))
    patient = read_patient(tmp_path)
    assert patient.images["dwi"].source.startswith("series 7 (b1000/")
    assert patient.images["b0"].source.startswith("series 7 (b0/")


def test_scanners_own_trace_goes_before_the_mean_of_directions(tmp_path):
    series = generate_uid()
    for index, angle in enumerate(np.linspace(0, 2, 3)):
        direction = [float(np.cos(angle)), float(np.sin(angle)), 0.0]
        tags = {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": direction, "SeriesInstanceUID": series}
        classic(tmp_path / "directions", head(scale=100 + index), number=3, **tags)
    trace = ["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"]
    classic(tmp_path / "trace", head(scale=500), number=4, ImageType=trace, DiffusionBValue=1000.0)
    patient = read_patient(tmp_path)
    assert numbers_of(patient)["dwi"] == 4
    assert any("it is the scanner's own trace" in note for note in patient.notes)
