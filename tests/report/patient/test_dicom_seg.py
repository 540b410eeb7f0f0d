import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from islesnet.errors import InputError
from islesnet.report.patient.dicom_seg import write_dicom_seg
from islesnet.scanner import DicomFrame, affine_of, read_patient
from tests.scanner.made_dicom import enhanced, head

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("highdicom")

REAL = Path(os.environ.get("ISLESNET_REAL_DATA", Path(__file__).parents[4] / "shared/real")) / "dicom-dwi" / "b1000"
NAME = "Doe^Jane"
# Rows and columns of oblique slices: 20 degrees about the patient's left-right axis.
TURN = np.radians(20)
ORIENTATION = [1, 0, 0, 0, np.cos(TURN), np.sin(TURN)]


def write_series(folder, slices=4, rows=6, columns=8):
    """A series as a scanner stores it, its pixels telling where they are; gives the files."""
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    study, series, frame = (generate_uid() for _ in range(3))
    normal = np.cross(ORIENTATION[:3], ORIENTATION[3:])
    paths = []
    for index in range(slices):
        header = pydicom.Dataset()
        header.SOPClassUID, header.SOPInstanceUID = MRImageStorage, generate_uid()
        header.StudyInstanceUID, header.SeriesInstanceUID, header.FrameOfReferenceUID = study, series, frame
        header.PatientName, header.PatientID, header.PatientBirthDate = NAME, "GEHEIM4711", "19500101"
        header.StudyDate, header.AccessionNumber, header.InstitutionName = "20260101", "A1", "Hospital"
        header.Modality, header.InstanceNumber = "MR", index + 1
        header.Rows, header.Columns, header.PixelSpacing = rows, columns, [2.0, 1.5]
        header.SliceThickness = 5.0
        header.ImageOrientationPatient = [float(part) for part in ORIENTATION]
        header.ImagePositionPatient = [float(part) for part in np.array([-10, 20, 30]) + 5 * index * normal]
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 0
        header.PixelData = np.full((rows, columns), index, np.uint16).tobytes()
        paths.append(folder / f"{index}.dcm")
        header.file_meta = pydicom.dataset.FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.save_as(paths[-1], enforce_file_format=True)
    return paths


def read_marks(path, image):
    """The segmentation as SimpleITK reads it, put where it lies in the series (slices may be top down)."""
    stored = SimpleITK.ReadImage(str(path))
    assert sorted(stored.GetSize()) == sorted(image.GetSize())
    placed = SimpleITK.Resample(stored, image, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    assert (SimpleITK.GetArrayFromImage(placed) > 0).sum() == (SimpleITK.GetArrayFromImage(stored) > 0).sum()
    return SimpleITK.GetArrayFromImage(placed).T > 0


def read_series(paths):
    """The series' shape and RAS affine as SimpleITK reads it, and the image."""
    image = SimpleITK.ReadImage([str(path) for path in paths])
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return image, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


@pytest.fixture
def series(tmp_path):
    return write_series(tmp_path)


def slices(files):
    return [DicomFrame(path) for path in files]


def marks(image):
    mask = np.zeros(image.GetSize(), np.uint8)
    mask[2:5, 1:3, 1] = mask[3, 2, 2] = 1
    return mask


def test_segmentation_lies_on_the_series_for_simpleitk_and_pydicom(series, tmp_path):
    image, affine = read_series(series)
    mask = marks(image)
    path = write_dicom_seg(tmp_path / "out" / "mask.dcm", mask, affine, slices(series), "007")
    assert np.array_equal(read_marks(path, image), mask)
    stored = pydicom.dcmread(path)
    assert stored.SOPClassUID.name == "Segmentation Storage"
    assert stored.pixel_array.sum() == mask.sum()
    segment = stored.SegmentSequence[0]
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "55641003"
    assert stored.ReferencedSeriesSequence[0].SeriesInstanceUID == pydicom.dcmread(series[0]).SeriesInstanceUID


def test_another_order_of_axes_and_of_files_is_the_same_segmentation(series, tmp_path):
    image, affine = read_series(series)
    flipped = marks(image)[::-1, :, ::-1].transpose(1, 2, 0)
    turn = np.zeros((4, 4))
    turn[0, 2], turn[1, 0], turn[2, 1], turn[3, 3] = -1, 1, -1, 1
    turn[0, 3], turn[2, 3] = image.GetSize()[0] - 1, image.GetSize()[2] - 1
    path = write_dicom_seg(tmp_path / "mask.dcm", flipped, affine @ turn, slices(series[::-1]), "007")
    assert np.array_equal(read_marks(path, image), marks(image))


def test_pseudonym_stands_for_the_patient_and_nothing_else_of_the_header_leaves(series, tmp_path):
    image, affine = read_series(series)
    path = write_dicom_seg(tmp_path / "mask.dcm", marks(image), affine, slices(series), "007")
    stored = pydicom.dcmread(path)
    assert (str(stored.PatientName), stored.PatientID) == ("007", "007")
    written = path.read_bytes()
    assert not [
        word for word in (b"Doe", b"GEHEIM4711", b"19500101", b"20260101", b"A1 ", b"Hospital") if word in written
    ]


@pytest.mark.parametrize(
    ("patient", "written"), [("Jürgen 患者", "Jürgen 患者"), ("a\\b^c=d", "a_b_c_d"), ("x" * 99, "x" * 64)]
)
def test_odd_pseudonyms_are_written_as_dicom_can_hold_them(series, tmp_path, patient, written):
    image, affine = read_series(series)
    stored = pydicom.dcmread(write_dicom_seg(tmp_path / "mask.dcm", marks(image), affine, slices(series), patient))
    assert (str(stored.PatientName), stored.PatientID) == (written, written)


def test_an_empty_mask_is_a_segmentation_without_a_voxel(series, tmp_path):
    image, affine = read_series(series)
    path = write_dicom_seg(tmp_path / "mask.dcm", np.zeros(image.GetSize()), affine, slices(series), "007")
    assert pydicom.dcmread(path).pixel_array.shape == (4, 6, 8)
    assert pydicom.dcmread(path).pixel_array.sum() == 0


def enhanced_scans(folder):
    """A b = 0 and a b = 1000 in one multi-frame file, their slices in turn; gives the b = 1000 as it is read."""
    volumes = [(0, "NONE", None, head()), (1000, "ISOTROPIC", None, head(scale=700))]
    enhanced(folder / "all.dcm", volumes, PatientName=NAME, PatientID="GEHEIM4711", FrameOfReferenceUID="1.2.3")
    return read_patient(folder).images["dwi"]


def test_segmentation_lies_on_the_frames_that_were_used_of_a_multi_frame_file(tmp_path):
    (tmp_path / "scans").mkdir()
    scan = enhanced_scans(tmp_path / "scans")
    mask = marks(scan.image)
    path = write_dicom_seg(tmp_path / "mask.dcm", mask, affine_of(scan.image), scan.dicom, "007")
    assert np.array_equal(read_marks(path, scan.image), mask)
    stored = pydicom.dcmread(path)
    places = {}
    for item in stored.PerFrameFunctionalGroupsSequence:
        source = item.DerivationImageSequence[0].SourceImageSequence[0]
        places[float(item.PlanePositionSequence[0].ImagePositionPatient[2])] = source.ReferencedFrameNumber
    assert places == {-20.0 + 5 * index: 2 * index + 2 for index in range(6)}
    assert not [word for word in (b"Doe", b"GEHEIM4711") if word in path.read_bytes()]


def test_slices_in_several_multi_frame_files_are_refused(tmp_path):
    (tmp_path / "scans").mkdir()
    scan = enhanced_scans(tmp_path / "scans")
    sources = [*scan.dicom[:-1], DicomFrame(tmp_path / "other.dcm", 0)]
    with pytest.raises(InputError, match="in several multi-frame files"):
        write_dicom_seg(tmp_path / "mask.dcm", marks(scan.image), affine_of(scan.image), sources, "007")


def test_what_does_not_fit_is_refused(series, tmp_path):
    image, affine = read_series(series)
    shifted = affine.copy()
    shifted[0, 3] += 0.7
    (tmp_path / "other").mkdir()
    other = write_series(tmp_path / "other")
    (tmp_path / "text.dcm").write_text("not DICOM")
    for sources, place, message in (
        (series, shifted, "do not lie on the pixels of slice 1 of the DICOM series"),
        (series[:2], affine, "of the mask's 7 voxels, 6 lie on the 2 DICOM slices"),
        ([series[0], *other[1:]], affine, "^Slices 1 and 2 are of different series"),
        ([], affine, "No DICOM files"),
        ([tmp_path / "text.dcm"], affine, "^File 1 of the series is not a DICOM file"),
    ):
        with pytest.raises(InputError, match=message):
            write_dicom_seg(tmp_path / "mask.dcm", marks(image), place, slices(sources), "007")
    assert not (tmp_path / "mask.dcm").exists()


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no DICOM series at {REAL}; see ISLESNET_REAL_DATA")
def test_segmentation_lies_on_a_real_series(tmp_path):
    reader = SimpleITK.ImageSeriesReader()
    files = [Path(name) for name in reader.GetGDCMSeriesFileNames(str(REAL))]
    image, affine = read_series(files)
    mask = np.zeros(image.GetSize(), np.uint8)
    mask[40:60, 30:45, 12:16] = 1
    path = write_dicom_seg(tmp_path / "mask.dcm", mask, affine, slices(files), "007")
    assert np.array_equal(read_marks(path, image), mask)
