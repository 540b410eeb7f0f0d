"""Classic and enhanced DICOM to images: order, values, geometry, and what is refused."""

import logging
import warnings

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.uid import JPEG2000, ExplicitVRBigEndian, RLELossless, generate_uid

from islesnet.errors import InputError
from islesnet.scanner import DicomFrame, read_patient
from tests.scanner.made_dicom import SECRETS, PerSlice, classic, edit, enhanced, head, tags_of


def array_of(patient, role):
    return sitk.GetArrayFromImage(patient.images[role].image)


def test_sequences_are_told_by_their_timing_and_read_in_slice_order(tmp_path):
    files = {
        name: classic(tmp_path / "a b" / name, number=n, **tags_of(name)) for n, name in enumerate(("t1", "t2"), 1)
    }
    classic(tmp_path, number=9, **tags_of("flair"))

    patient = read_patient(tmp_path)

    assert set(patient.images) == {"t1", "t2", "flair"}
    assert all(raw.dicom for raw in patient.images.values())
    assert [frame.path for frame in patient.images["t1"].dicom] == files["t1"]
    assert np.array_equal(array_of(patient, "t1"), head())
    image = patient.images["t1"].image
    assert image.GetPixelID() == sitk.sitkFloat32
    assert image.GetSpacing() == (8.0, 9.0, 5.0)
    assert image.GetOrigin() == (-60.0, -50.0, -20.0)


def test_grid_is_that_of_simpleitk_own_reader(tmp_path):
    turned = [0.96, 0.28, 0, -0.28 * 0.8, 0.96 * 0.8, 0.6]
    normal = np.cross(turned[:3], turned[3:])
    files = classic(tmp_path, step=tuple(-4.0 * normal), ImageOrientationPatient=turned, **tags_of("t2"))

    image = read_patient(tmp_path).images["t2"].image

    theirs = sitk.ReadImage([str(path) for path in files[::-1]])
    np.testing.assert_allclose(image.GetOrigin(), theirs.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(image.GetDirection(), theirs.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(image.GetSpacing(), theirs.GetSpacing(), atol=1e-6)
    assert np.array_equal(sitk.GetArrayFromImage(image), head()[::-1])


def test_each_slice_is_rescaled_by_its_own_slope(tmp_path):
    slopes = PerSlice([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    classic(tmp_path, RescaleSlope=slopes, RescaleIntercept=-7, **tags_of("t1"))
    expected = head() * np.arange(1, 7)[:, None, None] - 7
    assert np.array_equal(array_of(read_patient(tmp_path), "t1"), expected)


def test_big_endian_reads_as_little_endian_does(tmp_path):
    classic(tmp_path, syntax=ExplicitVRBigEndian, **tags_of("t1"))
    assert np.array_equal(array_of(read_patient(tmp_path), "t1"), head())


def test_run_length_compression_is_read(tmp_path):
    for path in classic(tmp_path, **tags_of("t1")):
        header = pydicom.dcmread(path)
        header.compress(RLELossless, generate_instance_uid=False)
        header.save_as(path)
    assert np.array_equal(array_of(read_patient(tmp_path), "t1"), head())


@pytest.mark.parametrize("kind", ["JPEG-LS", "JPEG2000"])
def test_compression_that_pydicom_lacks_is_read_by_simpleitk(tmp_path, kind):
    pixels = sitk.ImageFileWriter()
    pixels.UseCompressionOn()
    pixels.SetCompressor(kind)
    pixels.KeepOriginalImageUIDOn()
    for path in classic(tmp_path, **tags_of("t1")):
        slices = sitk.ReadImage(str(path))
        packed = tmp_path.parent / "packed.dcm"
        pixels.SetFileName(str(packed))
        pixels.Execute(sitk.Cast(slices, sitk.sitkUInt16))
        header, other = pydicom.dcmread(path), pydicom.dcmread(packed)
        header.file_meta.TransferSyntaxUID = other.file_meta.TransferSyntaxUID
        header.PixelData = other.PixelData
        header["PixelData"].VR = "OB"
        header["PixelData"].is_undefined_length = True
        header.save_as(path)
    assert np.array_equal(array_of(read_patient(tmp_path), "t1"), head())


def test_unknown_compression_is_a_sentence_and_the_rest_goes_on(tmp_path):
    for path in classic(tmp_path / "bad", number=2, **tags_of("t2")):
        header = pydicom.dcmread(path)
        header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"  # a film
        header.PixelData = pydicom.encaps.encapsulate([bytes(64)])
        header["PixelData"].is_undefined_length = True
        header.save_as(path)
    classic(tmp_path / "good", **tags_of("t1"))

    patient = read_patient(tmp_path)

    assert set(patient.images) == {"t1"}
    assert any("series 2" in note and "decompress it first" in note for note in patient.notes)


def test_what_a_decoder_says_of_a_broken_frame_is_kept_at_debug_level(tmp_path, capfd, caplog):
    for path in classic(tmp_path / "bad", number=2, **tags_of("t2")):
        header = pydicom.dcmread(path)
        header.file_meta.TransferSyntaxUID = JPEG2000
        header.PixelData = pydicom.encaps.encapsulate([b"\xff\x4f\xff\x51" + bytes(200)])
        header["PixelData"].is_undefined_length = True
        header.save_as(path)
    classic(tmp_path / "good", **tags_of("t1"))
    caplog.set_level(logging.DEBUG)

    patient = read_patient(tmp_path)

    assert any("series 2" in note and "JPEG 2000" in note for note in patient.notes)
    assert "".join(capfd.readouterr()) == ""
    said = [(record.levelno, record.getMessage()) for record in caplog.records if "arker" in record.getMessage()]
    assert {level for level, _ in said} == {logging.DEBUG}
    assert {message.split(":")[0] for _, message in said} == {"pydicom", "decoder"}


def test_what_pydicom_says_of_a_damaged_value_is_kept_at_debug_level(tmp_path, caplog):
    classic(tmp_path / "good", **tags_of("t1"))
    (path,) = classic(tmp_path / "bad", head(1), SOPInstanceUID="1.2.8888", number=2)
    path.write_bytes(path.read_bytes().replace(b"1.2.8888", b"1.2.88xx"))
    caplog.set_level(logging.DEBUG)

    read_patient(tmp_path)

    assert {record.levelno for record in caplog.records if "1.2.88xx" in record.getMessage()} == {logging.DEBUG}
    assert logging.getLogger("pydicom").propagate
    assert all(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("pydicom").handlers)


def test_enhanced_file_is_parted_into_b_values_and_the_trace_taken(tmp_path):
    path = enhanced(
        tmp_path / "all.dcm",
        [
            (0, "NONE", None, head(scale=900)),
            (1000, "DIRECTIONAL", [1.0, 0, 0], head(scale=100)),
            (1000, "ISOTROPIC", None, head(scale=300)),
        ],
        slopes=[1, 2, 1, 2, 1, 2],
    )
    patient = read_patient(tmp_path)

    slopes = np.array([1, 2, 1, 2, 1, 2])[:, None, None]
    assert np.array_equal(array_of(patient, "dwi"), head(scale=300) * slopes)
    assert np.array_equal(array_of(patient, "b0"), head(scale=900) * slopes)
    assert patient.images["dwi"].dicom[:2] == (DicomFrame(path, 2), DicomFrame(path, 5))
    assert "adc" in patient.images


PHILIPS_SCALE = ("Philips MR Imaging DD 001", 0x2005, 0x0E, "FL")


def philips_diffusion(folder, b_value, series, values, rescale=2.0, scale=0.5):
    """Write one b-value as Philips does; without a scale where private tags were removed."""
    private = [] if scale is None else [(*PHILIPS_SCALE, scale)]
    tags = {"RescaleSlope": rescale, "SeriesInstanceUID": series, "SeriesDescription": "DWI", "EchoTime": 90.0}
    classic(folder, values, private=private, Manufacturer="Philips", DiffusionBValue=float(b_value), **tags)


@pytest.mark.parametrize("is_one_series", [True, False])
def test_adc_compares_what_philips_scaled_differently(tmp_path, is_one_series):
    series = generate_uid()
    philips_diffusion(tmp_path / "a", 0, series, head() * 4, rescale=2.0, scale=0.5)
    other = series if is_one_series else generate_uid()
    philips_diffusion(tmp_path / "b", 1000, other, head() * 8, rescale=4.0, scale=4.0)

    patient = read_patient(tmp_path)

    assert np.array_equal(array_of(patient, "b0"), head() * 4 / 0.5)
    assert np.array_equal(array_of(patient, "dwi"), head() * 8 / 4.0)
    np.testing.assert_allclose(array_of(patient, "adc"), np.log(4), rtol=1e-5)


def test_adc_compares_what_philips_scaled_differently_in_an_enhanced_file(tmp_path):
    path = enhanced(tmp_path / "all.dcm", [(0, "NONE", None, head() * 4), (1000, "ISOTROPIC", None, head() * 8)])
    header = pydicom.dcmread(path)
    for index, frame in enumerate(header.PerFrameFunctionalGroupsSequence):
        own = pydicom.Dataset()
        creator, group, element, kind = PHILIPS_SCALE
        own.private_block(group, creator, create=True).add_new(element, kind, (0.5, 4.0)[index % 2])
        frame.add_new((0x2005, 0x0014), "LO", "Philips MR Imaging DD 005")
        frame.add_new((0x2005, 0x140F), "SQ", [own])
    header.save_as(path)

    np.testing.assert_allclose(array_of(read_patient(tmp_path), "adc"), np.log(4), rtol=1e-5)


UNKNOWN_SCALES = {"of one": (0.5, None, 2.0), "of both, and the slopes differ": (None, None, 4.0)}


@pytest.mark.parametrize(("b0_scale", "scale", "rescale"), UNKNOWN_SCALES.values(), ids=UNKNOWN_SCALES)
@pytest.mark.parametrize("is_one_series", [True, False])
def test_no_adc_is_computed_where_the_scale_of_philips_is_lost(tmp_path, is_one_series, b0_scale, scale, rescale):
    series = generate_uid()
    philips_diffusion(tmp_path / "a", 0, series, head() * 4, 2.0, b0_scale)
    other = series if is_one_series else generate_uid()
    philips_diffusion(tmp_path / "b", 1000, other, head() * 8, rescale, scale)

    patient = read_patient(tmp_path)

    assert "adc" not in patient.images
    assert any("the private tag (2005,100E) that undoes it is missing" in note for note in patient.notes)


def test_b_values_of_philips_with_other_slices_are_said_to_differ_in_grid(tmp_path):
    series = generate_uid()
    philips_diffusion(tmp_path / "a", 0, series, head() * 4, scale=None)
    philips_diffusion(tmp_path / "b", 1000, series, head()[:-1], scale=None)

    patient = read_patient(tmp_path)

    assert "adc" not in patient.images
    (told,) = [note for note in patient.notes if note.startswith("No ADC map")]
    assert told.endswith(": they differ in grid or echo time.")


@pytest.mark.parametrize("role", ["t1", "t2", "flair"])
def test_image_of_philips_is_as_it_is_displayed(role, tmp_path):
    tags = {**tags_of(role), "RescaleSlope": 2.0, "Manufacturer": "Philips"}
    classic(tmp_path, head(), private=[(*PHILIPS_SCALE, 0.25)], **tags)

    assert np.array_equal(array_of(read_patient(tmp_path), role), head() * 2)


def test_image_of_philips_whose_slices_are_scaled_differently_is_the_signal(tmp_path):
    tags = {**tags_of("flair"), "RescaleSlope": PerSlice([1.0, 2.0] * 3), "Manufacturer": "Philips"}
    classic(tmp_path, head(), private=[(*PHILIPS_SCALE, 0.5)], **tags)

    assert np.array_equal(array_of(read_patient(tmp_path), "flair"), head() / 0.5)


def test_adc_map_of_philips_keeps_the_unit_that_is_displayed(tmp_path):
    values = np.full((6, 10, 12), 800) + head(scale=0) % 2
    tags = {"ImageType": ["DERIVED", "PRIMARY", "ADC", "ADC"], "RescaleSlope": 1.0, "Manufacturer": "Philips"}
    classic(tmp_path / "a", values, private=[(*PHILIPS_SCALE, 0.5)], **tags)
    philips_diffusion(tmp_path / "b", 1000, generate_uid(), head())
    assert np.median(array_of(read_patient(tmp_path), "adc")) == pytest.approx(0.8, rel=0.01)


BROKEN = {
    "missing": (
        {"skipped": (2, 3)},
        "lacks 2 of 8 slices .the first after slice 2: 15.00 mm to the next, elsewhere 5.00",
    ),
    "tilt": ({"step": (0, 1.0, 5.0)}, r"sheared by 11.3 degrees \(gantry tilt\?\)"),
    "few": ({"skipped": (2, 3, 4, 5, 6, 7)}, "has 2 slices; a scan of a head has at least 5"),
    "mosaic": ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "Siemens mosaic"),
    "uneven": (
        {"ImagePositionPatient": PerSlice([[0, 0, z] for z in (0, 5, 10, 16, 20, 25)])},
        "slices that lie 4.00 to 6.00 mm apart; even spacing is needed",
    ),
}


@pytest.mark.parametrize(("tags", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_geometry_is_refused_with_its_numbers(tmp_path, tags, message):
    folder = tmp_path / "p"
    classic(folder, head(len(tags.get("ImagePositionPatient", range(8)))), **tags)
    with pytest.raises(InputError, match=message):
        read_patient(folder, {"t2": folder})


def test_series_with_a_missing_slice_is_left_out_and_noted(tmp_path):
    classic(tmp_path / "1", head(8), number=1, skipped=(3,), **tags_of("t2"))
    classic(tmp_path / "2", number=2, **tags_of("t1"))
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"t1"}
    assert any("series 1" in note and "(T2) is left out: it lacks 1 of 8 slices" in note for note in patient.notes)


def test_spacing_that_is_nearly_even_is_evened_out_and_said(tmp_path):
    positions = PerSlice([[0, 0, z] for z in (0, 5, 10, 15.3, 20, 25)])
    classic(tmp_path, ImagePositionPatient=positions, **tags_of("t1"))
    patient = read_patient(tmp_path)
    assert patient.images["t1"].image.GetSpacing()[2] == pytest.approx(5.0)
    assert any("4.70 to 5.30 mm apart; they are taken as 5.00 mm" in note for note in patient.notes)


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")
@pytest.mark.parametrize(
    "turned",
    [[0] * 6, [1, 0, 0, 0, 1], [2, 0, 0, 0, 2, 0], [1, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], ["nan", 0, 0, 0, 1, 0]],
    ids=["zeros", "five numbers", "length 2", "no column", "parallel", "not finite"],
)
def test_series_without_an_orientation_is_left_out_in_a_sentence_that_names_the_tag(tmp_path, turned):
    classic(tmp_path / "1", number=1, **tags_of("t1"))
    classic(tmp_path / "2", number=2, ImageOrientationPatient=turned, **tags_of("t2"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        patient = read_patient(tmp_path)

    assert set(patient.images) == {"t1"}
    assert patient.damaged == ("t2",)
    (note,) = patient.notes
    assert note.startswith("series 2") and "(T2) is left out: it has an Image Orientation (Patient) (0020,0037)" in note
    assert "that is no orientation" in note


def test_localizer_of_three_orientations_is_passed_over(tmp_path):
    series = generate_uid()
    for number, turned in enumerate(([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])):
        classic(
            tmp_path / str(number), head(2), SeriesInstanceUID=series, ImageOrientationPatient=turned, **tags_of("t1")
        )
    classic(tmp_path / "t2", number=2, **tags_of("t2"))
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"t2"}


@pytest.mark.parametrize("tags", [{"Rows": 60000, "Columns": 60000}, {"NumberOfFrames": 2_000_000_000}, {"Rows": 2000}])
def test_header_that_announces_more_than_the_file_holds_is_refused(tmp_path, tags):
    (bomb,) = classic(tmp_path / "bomb", head(1), number=2)
    edit(bomb, **tags)
    classic(tmp_path / "good", **tags_of("t1"))

    patient = read_patient(tmp_path)

    assert set(patient.images) == {"t1"}
    assert any("1 DICOM file" in note and "announces" in note for note in patient.notes)


def test_damaged_file_among_good_series_is_noted(tmp_path):
    classic(tmp_path / "good", **tags_of("t1"))
    (tmp_path / "half.dcm").write_bytes((tmp_path / "good" / "IM0000").read_bytes()[:300])
    (tmp_path / "empty").write_bytes(b"")
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"t1"}
    assert any(note.startswith("1 DICOM file: left out") for note in patient.notes)


def test_copies_of_a_slice_count_once(tmp_path):
    files = classic(tmp_path / "a", **tags_of("t1"))
    (tmp_path / "copy").mkdir()
    for path in files:
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    assert array_of(read_patient(tmp_path), "t1").shape == (6, 10, 12)


def test_two_patients_in_one_folder_are_refused(tmp_path):
    classic(tmp_path / "a", **tags_of("t1"))
    classic(tmp_path / "b", PatientID="ANOTHER", **tags_of("t2"))
    with pytest.raises(InputError, match="holds scans of 2 patients"):
        read_patient(tmp_path)


def test_two_patients_named_apart_are_refused(tmp_path):
    classic(tmp_path / "a", **tags_of("t1"))
    classic(tmp_path / "b", PatientID="ANOTHER", **tags_of("t2"))
    with pytest.raises(InputError, match="the scans are of 2 patients by their DICOM headers"):
        read_patient(None, {"t1": tmp_path / "a", "t2": tmp_path / "b"})
    with pytest.raises(InputError, match="the scans are of 2 patients by their DICOM headers"):
        read_patient(tmp_path / "a", {"t2": tmp_path / "b"})


def test_file_that_is_left_out_does_not_tell_its_path(tmp_path):
    folder = tmp_path / "DOE^JOHN_19500101"
    classic(folder / "1", **tags_of("t1"))
    for path in classic(folder / "2", head(2)):
        edit(path, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    (folder / "2/half.dcm").write_bytes((folder / "1/IM0000").read_bytes()[:300])
    (folder / "torn.nii").write_bytes(b"torn")
    patient = read_patient(tmp_path)
    told = [choice.source for choice in patient.choices if choice.role is None]
    assert sorted(told) == ["1 DICOM file", "2 DICOM files", "DOE^JOHN_19500101/torn.nii"]
    assert any(
        note.startswith("2 DICOM files: left out; holds no MR image (Secondary Capture") for note in patient.notes
    )


def test_nothing_that_names_the_patient_leaves_the_header(tmp_path):
    secret = "Mustermann"
    classic(
        tmp_path / "mustermann_erika", SeriesDescription=f"T1 {secret}", ProtocolName=f"{secret} T1", **tags_of("t1")
    )
    classic(tmp_path / "GEHEIM4711", head(3), number=2, **tags_of("t2"))

    patient = read_patient(tmp_path)

    told = repr([patient.choices, patient.notes, [raw.source for raw in patient.images.values()]]).casefold()
    told += repr([raw.image.GetMetaDataKeys() for raw in patient.images.values()])
    for value in (*SECRETS.values(), secret, "Erika"):
        assert value.casefold() not in told


def test_names_and_descriptions_are_only_words(tmp_path):
    folder = tmp_path / "it's $(touch pwned) `id` %s %(x)s {0}"
    classic(folder / ".." / folder.name, SeriesDescription="$__import__('os').system('x') T1 ../%s", **tags_of("t1"))
    patient = read_patient(folder)
    assert set(patient.images) == {"t1"}
    assert not list(tmp_path.glob("**/pwned"))


def test_files_without_a_preamble_are_read(tmp_path):
    for path in classic(tmp_path, **tags_of("t1")):
        header = pydicom.dcmread(path)
        del header.file_meta
        header.preamble = None
        pydicom.dcmwrite(path, header, implicit_vr=True, little_endian=True, force_encoding=True)
    assert np.array_equal(array_of(read_patient(tmp_path), "t1"), head())


def test_deflated_file_is_refused_before_it_unpacks(tmp_path):
    (path,) = classic(tmp_path / "packed", head(1), number=2)
    header = pydicom.dcmread(path)
    header.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    header.save_as(path, enforce_file_format=True)
    classic(tmp_path / "good", **tags_of("t1"))
    patient = read_patient(tmp_path)
    assert any("deflated transfer syntax" in note for note in patient.notes)


def test_protocol_that_names_an_adc_too_leaves_the_dwi_a_dwi(tmp_path):
    classic(tmp_path, DiffusionBValue=1000.0, ProtocolName="DWI_ADC")
    assert set(read_patient(tmp_path).images) == {"dwi"}


def test_double_echo_gives_its_late_echo(tmp_path):
    series = generate_uid()
    for echo in (15, 100):
        tags = {**tags_of("t2"), "EchoTime": echo, "SeriesInstanceUID": series, "SeriesDescription": "PD T2 TSE"}
        classic(tmp_path / str(echo), head(scale=echo), **tags)
    assert np.array_equal(array_of(read_patient(tmp_path), "t2"), head(scale=100))


def test_header_damaged_anywhere_ends_in_a_sentence_without_its_text(tmp_path):
    (path,) = classic(tmp_path / "p", head(1), **tags_of("t1"))
    whole, chance = path.read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in chance.integers(128, len(whole) - 240, size=3):
            damaged[place] = chance.integers(256)
        path.write_bytes(damaged)
        with warnings.catch_warnings(), pytest.raises(InputError) as refused:
            warnings.simplefilter("error")
            read_patient(tmp_path / "p")
        assert "ustermann" not in str(refused.value)
