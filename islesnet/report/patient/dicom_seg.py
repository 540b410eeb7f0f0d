"""The mask as a DICOM segmentation, which a PACS lays over the series it was made from."""

import importlib.util
import logging
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import islesnet
from islesnet.errors import InputError
from islesnet.files import whole_file

if TYPE_CHECKING:
    from pydicom import Dataset

# What a segmentation needs to know of the slices it lies on; nothing else is read from their headers.
GEOMETRY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
)
# Who the patient is, as the standard's patient and study modules ask for it; each may be empty.
IDENTITY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
# SNOMED CT, morphologic abnormality.
INFARCT = ("55641003", "SCT", "Infarct")
# A voxel of the mask may lie this share of a voxel beside that of the DICOM file.
TOLERANCE_VOXELS = 0.1
SERIES_NUMBER = 9000
MOST_LETTERS = 64


def write_dicom_seg(
    path: Path,
    mask: np.ndarray,
    affine: np.ndarray,
    sources: Sequence[Path],
    patient: str,
    *,
    keeps_identity: bool = False,
) -> Path:
    """Write a mask as one DICOM segmentation on the slices of the series it belongs to.

    It carries the pseudonym as name and id, and no date; the UIDs of study, series and slices tie it to its source. To
    send it back to the archive that the scans came from, keep the identity.

    Args:
        path: of the file to be.
        mask: lesion where > 0.5.
        affine: voxel index to mm, RAS+.
        sources: the DICOM files of the series, one a slice.
        patient: pseudonym.
        keeps_identity: copy the patient's name, id and the like from the sources instead.

    Shapes:
        mask ``(X, Y, Z)``, on the sources' grid, in any order of the axes.

    Raises:
        InputError: highdicom is not installed, a source is not a single slice of one series, or the mask is not on the
            sources' grid. A slice is named by its number among the sources, for a path or a UID may lead to a person.
    """
    highdicom = _highdicom()
    slices = [_read_slice(source, number, patient, keeps_identity) for number, source in enumerate(sources, 1)]
    _check_series(slices)
    frames = np.stack([_frame(np.asarray(mask) > 0.5, affine, slices, index) for index in range(len(slices))])
    marked = int((np.asarray(mask) > 0.5).sum())
    if frames.sum() != marked:
        raise InputError(
            f"{path.name}: of the mask's {marked} voxels, {int(frames.sum())} lie on the {len(slices)} DICOM slices "
            "given; give every file of the series that the mask was made on, once."
        )
    segmentation = _segment(highdicom, slices, frames)
    with whole_file(path) as part:
        segmentation.save_as(part)
    return path


def is_highdicom_installed() -> bool:
    """Tell whether `write_dicom_seg` has what it needs."""
    return importlib.util.find_spec("highdicom") is not None


def _highdicom() -> Any:
    try:
        import highdicom
    except ImportError as error:
        raise InputError("A DICOM segmentation needs highdicom: pip install 'islesnet[dicom]'.") from error
    logging.getLogger("highdicom").setLevel(logging.WARNING)  # it tells of every UID that it copies
    return highdicom


def _segment(highdicom: Any, slices: Sequence["Dataset"], frames: np.ndarray) -> Any:
    with warnings.catch_warnings():
        # A pseudonym has no family name and first name.
        warnings.filterwarnings("ignore", message="The string .* is unlikely to represent")
        return highdicom.seg.Segmentation(
            source_images=slices,
            pixel_array=frames.astype(np.uint8),
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[_description(highdicom)],
            series_instance_uid=highdicom.UID(),
            series_number=SERIES_NUMBER,
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer="islesnet",
            manufacturer_model_name="islesnet",
            software_versions=islesnet.__version__,
            device_serial_number="none",
            content_label="STROKE_LESION",
            content_description="Research use only, not a medical device",
            series_description="Stroke lesion, research use only",
            # Empty slices stay, so that readers who stack the frames get the source's grid.
            omit_empty_frames=False,
        )


def _read_slice(source: Path, number: int, patient: str, keeps_identity: bool) -> "Dataset":
    """Read what is needed of a slice, and nothing else, into a header of its own."""
    from pydicom import Dataset, dcmread
    from pydicom.errors import InvalidDicomError

    try:
        header = dcmread(source, stop_before_pixels=True)
    except InvalidDicomError as error:
        raise InputError(f"File {number} of the series is not a DICOM file.") from error
    absent = [name for name in GEOMETRY if name not in header]
    if absent:
        hint = "; an enhanced multi-frame file is not supported" if "NumberOfFrames" in header else ""
        raise InputError(
            f"Slice {number} of the series has no {absent[0]}, so no segmentation can be laid on it{hint}."
        )
    known = Dataset()
    known.file_meta = header.file_meta
    for name in GEOMETRY:
        known[name] = header[name]
    for name in IDENTITY:
        setattr(known, name, header.get(name, "") if keeps_identity else "")
    if not keeps_identity:
        # ^ and = part a name of DICOM, a backslash parts values.
        known.PatientName = known.PatientID = re.sub(r"[\\^=\x00-\x1f]", "_", patient)[:MOST_LETTERS]
        known.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    elif "SpecificCharacterSet" in header:
        known.SpecificCharacterSet = header.SpecificCharacterSet
    # A scanner may leave it empty, a segmentation may not.
    known.SliceThickness = header.get("SliceThickness") or header.get("SpacingBetweenSlices") or 1.0
    return known


def _check_series(slices: Sequence["Dataset"]) -> None:
    if not slices:
        raise InputError("No DICOM files were given to lay the segmentation on.")
    for number, dataset in enumerate(slices, 1):
        if dataset.SeriesInstanceUID != slices[0].SeriesInstanceUID:
            raise InputError(f"Slices 1 and {number} are of different series; give the files of one.")


def _frame(mask: np.ndarray, affine: np.ndarray, slices: Sequence["Dataset"], index: int) -> np.ndarray:
    """Take the mask's voxels at the pixels of a slice, ``(X, Y, Z)`` -> ``(rows, columns)``."""
    dataset = slices[index]
    to_pixels = np.linalg.inv(affine) @ _pixel_affine(dataset)
    rows, columns = np.mgrid[: dataset.Rows, : dataset.Columns]
    pixels = np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)])
    places = (to_pixels @ pixels)[:3]
    nearest = np.rint(places).astype(int)
    if np.abs(places - nearest).max() > TOLERANCE_VOXELS:
        raise InputError(
            f"The mask's voxels do not lie on the pixels of slice {index + 1} of the DICOM series; "
            "resample the mask to the series' grid."
        )
    is_inside = ((nearest >= 0) & (nearest < np.array(mask.shape)[:, None])).all(axis=0)
    values = np.zeros(rows.size, dtype=bool)
    values[is_inside] = mask[tuple(nearest[:, is_inside])]
    return values.reshape(rows.shape)


def _pixel_affine(dataset: "Dataset") -> np.ndarray:
    """Place (column, row, 1) in RAS+ mm, ``(4, 3)``; DICOM PS3.3 C.7.6.2.1.1, which is in LPS."""
    orientation = np.array(dataset.ImageOrientationPatient, dtype=float)
    between_rows, between_columns = (float(length) for length in dataset.PixelSpacing)
    placed = np.zeros((4, 3))
    placed[:3, 0] = orientation[:3] * between_columns
    placed[:3, 1] = orientation[3:] * between_rows
    placed[:, 2] = [*(float(place) for place in dataset.ImagePositionPatient), 1.0]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ placed


def _description(highdicom: Any) -> Any:
    from pydicom.sr.codedict import codes

    return highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="Ischemic stroke lesion",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=highdicom.sr.CodedConcept(*INFARCT),
        anatomic_regions=[codes.SCT.Brain],
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="islesnet", version=islesnet.__version__, family=codes.DCM.ArtificialIntelligence
        ),
    )
