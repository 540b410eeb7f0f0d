"""Which image of a diffusion series is taken, whoever built the scanner."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.uid import generate_uid

from islesnet.errors import InputError
from islesnet.scanner import read_patient
from tests.scanner.made_dicom import classic, head, tags_of

VENDORS = {
    "standard": lambda b: {"DiffusionBValue": float(b)},
    "Siemens": lambda b: {"private": [("SIEMENS MR HEADER", 0x0019, 0x0C, "IS", str(b))]},
    "Siemens, kind lost": lambda b: {"private": [("SIEMENS MR HEADER", 0x0019, 0x0C, "UN", f"{b} ".encode())]},
    "Siemens sequence": lambda b: {"SequenceName": f"*ep_b{b}t" if b else "*ep_b0"},
    "GE": lambda b: {"private": [("GEMS_PARM_01", 0x0043, 0x39, "IS", [str(b), "8", "0", "0"])]},
    "GE, marked": lambda b: {"private": [("GEMS_PARM_01", 0x0043, 0x39, "IS", [str(1_000_000_000 + b), "8"])]},
    "Philips": lambda b: {"private": [("Philips Imaging DD 001", 0x2001, 0x03, "FL", float(b))]},
    "United Imaging": lambda b: {"private": [("Image Private Header", 0x0065, 0x09, "FD", float(b))]},
    "Canon": lambda b: {"ImageComments": f"b={b}(0.445,0.000,0.895)"} if b else {"SeriesDescription": "DWI"},
}


def array_of(patient, role):
    return sitk.GetArrayFromImage(patient.images[role].image)


@pytest.mark.parametrize("tags", VENDORS.values(), ids=VENDORS)
def test_b_value_is_found_where_each_vendor_writes_it(tmp_path, tags):
    series = generate_uid()
    for b_value in (0, 1000, 2000):
        classic(tmp_path / f"{b_value}", head(scale=3000 - b_value), SeriesInstanceUID=series, **tags(b_value))

    patient = read_patient(tmp_path)

    assert np.array_equal(array_of(patient, "dwi"), head(scale=2000))
    assert np.array_equal(array_of(patient, "b0"), head(scale=3000))
    assert patient.images["dwi"].b_value == 1000


def test_b_value_of_0_does_not_make_a_t2_a_dwi(tmp_path):
    """Philips writes b = 0 into images of every kind."""
    classic(tmp_path, private=[("Philips Imaging DD 001", 0x2001, 0x03, "FL", 0.0)], **tags_of("t2"))
    assert set(read_patient(tmp_path).images) == {"t2"}


NO_DWI = {
    "by description": ({"DiffusionBValue": 0.0}, "name or description says DWI, but it has b = 0 s/mm2; "),
    "by image type": ({"DiffusionBValue": 0.0, "ImageType": ["ORIGINAL", "PRIMARY", "DIFFUSION"]}, ": b = 0 s/mm2; "),
    "too little": ({"DiffusionBValue": 300.0}, ": b = 300 s/mm2; "),
}


@pytest.mark.parametrize(("tags", "told"), NO_DWI.values(), ids=NO_DWI)
def test_b0_alone_is_refused_as_such_and_the_dwi_said_to_be_missing(tmp_path, tags, told):
    classic(tmp_path, SeriesDescription="DWI", **tags)
    with pytest.raises(InputError) as refused:
        read_patient(tmp_path)
    assert f"{told}the diffusion-weighted image, of b = 500 or more, is missing" in str(refused.value)


def test_b0_alone_by_its_name_is_refused_as_such(tmp_path):
    classic(tmp_path, SeriesDescription="b0")
    with pytest.raises(
        InputError, match=r"A b = 0 image alone is not segmented; the diffusion-weighted one is missing"
    ):
        read_patient(tmp_path)


def test_b0_beside_a_damaged_dwi_does_not_say_that_there_is_none(tmp_path):
    series = generate_uid()
    classic(tmp_path / "0", SeriesInstanceUID=series, DiffusionBValue=0.0)
    classic(tmp_path / "1", head(8), SeriesInstanceUID=series, skipped=(3,), DiffusionBValue=1000.0)
    with pytest.raises(InputError, match="lacks 1 of 8 slices") as refused:
        read_patient(tmp_path)
    assert "is missing" not in str(refused.value)


def test_trace_is_the_geometric_mean_of_three_directions(tmp_path):
    series = generate_uid()
    for index, (direction, scale) in enumerate((([1.0, 0, 0], 100), ([0, 1.0, 0], 200), ([0, 0, 1.0], 400))):
        tags = {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": direction}
        classic(
            tmp_path / str(index), np.full((6, 10, 12), scale) + head(scale=0) % 2, SeriesInstanceUID=series, **tags
        )

    patient = read_patient(tmp_path)

    even = array_of(patient, "dwi")[head(scale=0) % 2 == 0]
    np.testing.assert_allclose(even, 200, rtol=1e-5)
    assert any("geometric mean of 3 directions" in note for note in patient.notes)


def test_directions_without_tags_are_parted_by_their_order(tmp_path):
    series = generate_uid()
    for index in range(3):
        tags = {"DiffusionBValue": 1000.0, "AcquisitionNumber": index}
        classic(tmp_path / str(index), head(scale=100 * 2**index), SeriesInstanceUID=series, **tags)
    patient = read_patient(tmp_path)
    expected = np.prod([head(scale=100 * 2**index).astype(float) for index in range(3)], axis=0) ** (1 / 3)
    np.testing.assert_allclose(array_of(patient, "dwi"), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["one direction", "trace", "unknown"])
@pytest.mark.parametrize("number", [2, 3])
def test_slices_exported_again_under_new_uids_are_used_once_and_told_as_copies(tmp_path, kind, number):
    own = {"one direction": {"DiffusionGradientOrientation": [1.0, 0, 0]}, "trace": {"SequenceName": "*ep_b1000t"}}
    tags = {"DiffusionBValue": 1000.0, "SeriesInstanceUID": generate_uid(), **own.get(kind, {})}
    for folder in map(str, range(number)):
        classic(tmp_path / "p" / folder, **tags)
    classic(tmp_path / "once", **tags)

    patient, once = read_patient(tmp_path / "p"), read_patient(tmp_path / "once")

    assert np.array_equal(array_of(patient, "dwi"), array_of(once, "dwi"))
    assert [choice.why for choice in patient.choices] == [choice.why for choice in once.choices]
    (note,) = [note for note in patient.notes if "cop" in note]
    assert ("each slice is there twice; one is used: the other is a copy of it" in note) == (number == 2)
    assert not any("geometric mean" in said for said in patient.notes)


def test_copies_among_the_directions_do_not_weigh_more(tmp_path):
    series = generate_uid()
    for folder, scale in (("a", 100), ("b", 100), ("c", 400)):
        tags = {"DiffusionBValue": 1000.0, "AcquisitionNumber": ord(folder), "SeriesInstanceUID": series}
        classic(tmp_path / folder, np.full((6, 10, 12), scale) + head(scale=0) % 2, **tags)

    patient = read_patient(tmp_path)

    even = array_of(patient, "dwi")[head(scale=0) % 2 == 0]
    np.testing.assert_allclose(even, 200, rtol=1e-5)
    assert any("slices are there several times; one of each is used" in note for note in patient.notes)
    assert any("geometric mean of 2 directions" in note for note in patient.notes)


def test_equal_voxels_of_two_directions_are_no_copies(tmp_path):
    write_dti(tmp_path, 1000, number=3)
    notes = " ".join(read_patient(tmp_path).notes)
    assert "geometric mean of 3 directions" in notes and "cop" not in notes


def test_what_is_said_of_every_direction_is_said_once(tmp_path):
    series = generate_uid()
    for index, angle in enumerate(np.linspace(0, 3, 12)):
        tags = {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [np.cos(angle), np.sin(angle), 0.0]}
        classic(tmp_path / f"dti/{index}", head(8), number=3, skipped=(3,), SeriesInstanceUID=series, **tags)
    classic(tmp_path / "t1", number=4, **tags_of("t1"))

    patient = read_patient(tmp_path)

    (note,) = patient.notes
    assert "series 3" in note and "b = 1000 (DWI) is left out: it lacks 1 of 8 slices" in note
    assert len([choice for choice in patient.choices if choice.source.startswith("series 3")]) == 1
    with pytest.raises(InputError) as refused:
        read_patient(tmp_path / "dti")
    assert str(refused.value).count("lacks 1 of 8 slices") == 1


def test_one_direction_alone_is_taken_and_said(tmp_path):
    classic(tmp_path, DiffusionBValue=1000.0, DiffusionGradientOrientation=[1.0, 0, 0])
    assert any("is one direction" in note for note in read_patient(tmp_path).notes)


def test_adc_is_computed_from_b0_and_b1000(tmp_path):
    series = generate_uid()
    classic(tmp_path / "0", head(scale=2000), SeriesInstanceUID=series, DiffusionBValue=0.0)
    classic(tmp_path / "1", head(scale=600), SeriesInstanceUID=series, DiffusionBValue=1000.0)
    patient = read_patient(tmp_path)
    expected = np.log(head(scale=2000) / head(scale=600))  # x 1000 / 1000
    np.testing.assert_allclose(array_of(patient, "adc"), expected, rtol=1e-5)
    assert any("ADC map is computed from" in note for note in patient.notes)


@pytest.mark.parametrize(("stored", "unit"), [(800, "1e-6 mm2/s"), (0.8, ""), (0.0008, "mm2/s")])
def test_adc_comes_out_in_one_unit(tmp_path, stored, unit):
    classic(tmp_path / "d", DiffusionBValue=1000.0)
    values = np.full((6, 10, 12), 800) + head(scale=0) % 2
    tags = {
        "ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"],
        "RescaleSlope": stored / 800,
        "RescaleIntercept": 0,
    }
    classic(tmp_path / "a", values, number=2, **tags)
    patient = read_patient(tmp_path)
    assert np.median(array_of(patient, "adc")) == pytest.approx(0.8, rel=0.01)
    assert any(f"came in {unit};" in note for note in patient.notes) == bool(unit)


def test_adc_whose_unit_cannot_be_told_is_left_out(tmp_path):
    classic(tmp_path / "d", DiffusionBValue=1000.0)
    classic(tmp_path / "a", head() % 50, number=2, ImageType=["DERIVED", "PRIMARY", "ADC"])
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"dwi"}
    assert any("its unit cannot be told" in note for note in patient.notes)


def test_exponential_adc_phase_and_localizer_are_passed_over(tmp_path):
    kinds = (["DERIVED", "PRIMARY", "EADC"], ["ORIGINAL", "PRIMARY", "P", "ND"], ["ORIGINAL", "PRIMARY", "LOCALIZER"])
    for number, kind in enumerate(kinds, start=2):
        classic(tmp_path / str(number), number=number, ImageType=kind, **tags_of("t2"))
    classic(tmp_path / "t1", **tags_of("t1"))
    assert set(read_patient(tmp_path).images) == {"t1"}


def test_of_two_dwis_the_one_nearer_b1000_is_taken_and_both_are_named(tmp_path):
    classic(tmp_path / "a", head(scale=50), number=4, DiffusionBValue=2000.0)
    classic(tmp_path / "b", number=7, DiffusionBValue=1000.0)
    patient = read_patient(tmp_path)
    assert np.array_equal(array_of(patient, "dwi"), head())
    (note,) = [note for note in patient.notes if "both claim to be the DWI" in note]
    assert "series 7" in note and "series 4" in note and "its b-value is nearest to 1000" in note


def write_dti(folder, b_value, number, begin=(-60.0, -50.0, -20.0), **tags):
    """Write three directions of one series."""
    series = generate_uid()
    for direction in np.eye(3):
        own = {"DiffusionBValue": float(b_value), "DiffusionGradientOrientation": list(direction)} | tags
        classic(folder / str(direction), SeriesInstanceUID=series, number=number, begin=begin, **own)


GE = {"SeriesDescription": "Ax DWI b1000", "private": VENDORS["GE"](1000)["private"]}


@pytest.mark.parametrize("b_value", [700, 800, 1200])
def test_clinical_b1000_goes_before_a_dti_of_another_b_value(tmp_path, b_value):
    classic(tmp_path / "dwi", number=4, **GE)
    write_dti(tmp_path / "dti", b_value, number=7)
    patient = read_patient(tmp_path)
    assert patient.images["dwi"].source.startswith("series 4")
    assert patient.images["dwi"].b_value == 1000
    (note,) = [note for note in patient.notes if "both claim to be the DWI" in note]
    assert "its b-value is nearest to 1000" in note


def test_of_one_b_value_a_single_direction_goes_last(tmp_path):
    classic(tmp_path / "one", number=7, DiffusionBValue=1000.0, DiffusionGradientOrientation=[1.0, 0, 0])
    classic(tmp_path / "dwi", head(scale=50), number=4, **GE)
    patient = read_patient(tmp_path)
    assert patient.images["dwi"].source.startswith("series 4")
    assert any("it is not one direction alone" in note for note in patient.notes)


def test_two_equal_dwis_are_refused_with_the_option_that_decides(tmp_path):
    classic(tmp_path / "a", head(scale=50), number=4, DiffusionBValue=1000.0)
    classic(tmp_path / "b", number=7, DiffusionBValue=1000.0)
    with pytest.raises(InputError, match=r"series 4 .* and series 7 .* both claim to be the DWI.*--dwi PATH"):
        read_patient(tmp_path)
    patient = read_patient(tmp_path, {"dwi": tmp_path / "b"})
    assert np.array_equal(array_of(patient, "dwi"), head())


def test_copy_of_a_series_is_no_rival(tmp_path):
    classic(tmp_path / "a", number=4, DiffusionBValue=1000.0)
    classic(tmp_path / "b", number=7, DiffusionBValue=1000.0)
    assert "a copy of it" in " ".join(read_patient(tmp_path).notes)


def test_rival_that_cannot_be_read_is_no_copy(tmp_path):
    classic(tmp_path / "a", number=4, DiffusionBValue=1000.0)
    for path in classic(tmp_path / "b", number=7, DiffusionBValue=1000.0):
        header = pydicom.dcmread(path)
        header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"  # a film
        header.PixelData = pydicom.encaps.encapsulate([bytes(64)])
        header["PixelData"].is_undefined_length = True
        header.save_as(path)
    patient = read_patient(tmp_path)
    assert patient.images["dwi"].source.startswith("series 4")
    (note,) = patient.notes
    assert note.startswith("series 7") and "(DWI) is left out: it is damaged, or compressed" in note


def test_larger_field_of_view_wins_over_smaller_voxels(tmp_path):
    classic(tmp_path / "thin", head(6), number=1, step=(0, 0, 2.0), **tags_of("t2"))
    classic(tmp_path / "whole", head(30), number=2, **tags_of("t2"))
    patient = read_patient(tmp_path)
    assert array_of(patient, "t2").shape[0] == 30
    assert any("covers more of the head" in note for note in patient.notes)
