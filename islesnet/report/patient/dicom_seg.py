"""The mask as a DICOM segmentation, which a PACS lays over the series it was made from."""

import importlib.util
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import islesnet
from islesnet.errors import InputError
from islesnet.files import whole_file
from islesnet.report.patient.dicom_sources import as_multi_frame, read_slices
from islesnet.volumes.axes import RAS_TO_LPS

if TYPE_CHECKING:
    from pydicom import Dataset

    from islesnet.scanner import DicomFrame

# SNOMED CT, morphologic abnormality.
INFARCT = ("55641003", "SCT", "Infarct")
# A voxel of the mask may lie this share of a voxel beside that of the DICOM file.
TOLERANCE_VOXELS = 0.1
SERIES_NUMBER = 9000


def write_dicom_seg(
    path: Path,
    mask: np.ndarray,
    affine: np.ndarray,
    sources: Sequence["DicomFrame"],
    patient: str,
) -> Path:
    """Write a mask as one DICOM segmentation on the slices of the series it belongs to.

    It carries the pseudonym as name and id, and no date; the UIDs of study, series and slices tie it to its source.

    Args:
        path: of the file to be.
        mask: lesion where > 0.5.
        affine: voxel index to mm, RAS+.
        sources: the slices of the series, in files of their own or frames of one file.
        patient: pseudonym.

    Shapes:
        mask ``(X, Y, Z)``, on the sources' grid, in any order of the axes.

    Raises:
        InputError: highdicom is not installed, the sources are not slices of one series or lie in several multi-frame
            files, or the mask is not on their grid. A slice is named by its number among the sources, for a path or
            a UID may lead to a person.
    """
    highdicom = _highdicom()
    slices = read_slices(sources, patient)
    frames = np.stack([_frame(np.asarray(mask) > 0.5, affine, slices, index) for index in range(len(slices))])
    marked = int((np.asarray(mask) > 0.5).sum())
    if frames.sum() != marked:
        raise InputError(
            f"{path.name}: of the mask's {marked} voxels, {int(frames.sum())} lie on the {len(slices)} DICOM slices "
            "given; give every slice of the series that the mask was made on, once."
        )
    numbers = [source.frame + 1 for source in sources if source.frame is not None]
    segmentation = _segment(highdicom, [as_multi_frame(slices)] if numbers else slices, frames)
    if numbers:
        _refer_to_frames(segmentation, numbers)
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
        raise InputError("A DICOM segmentation needs highdicom: pip install highdicom.") from error
    logging.getLogger("highdicom").setLevel(logging.WARNING)  # it tells of every UID that it copies
    return highdicom


def _segment(highdicom: Any, sources: Sequence["Dataset"], frames: np.ndarray) -> Any:
    with warnings.catch_warnings():
        # A pseudonym has no family name and first name.
        warnings.filterwarnings("ignore", message="The string .* is unlikely to represent")
        return highdicom.seg.Segmentation(
            source_images=sources,
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


def _refer_to_frames(segmentation: Any, numbers: Sequence[int]) -> None:
    """Say of every slice which frame of its source it lies on, counted in the file and not among those used."""
    for item in segmentation.PerFrameFunctionalGroupsSequence:
        for derivation in item.DerivationImageSequence:
            for source in derivation.SourceImageSequence:
                source.ReferencedFrameNumber = numbers[int(source.ReferencedFrameNumber) - 1]


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
    return RAS_TO_LPS @ placed


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
