"""What a DICOM segmentation needs to know of the slices it lies on, in headers of their own."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from islesnet.errors import InputError

if TYPE_CHECKING:
    from pydicom import Dataset

    from islesnet.scanner import DicomFrame

OF_THE_FILE = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "Rows",
    "Columns",
)
OF_A_FRAME = ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient")
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
MOST_LETTERS = 64


def read_slices(sources: Sequence["DicomFrame"], patient: str) -> list["Dataset"]:
    """Read what is needed of each slice, and nothing else, into a header of its own, as a file of one slice has it.

    Args:
        sources: the slices of one series.
        patient: pseudonym, for name and id.

    Raises:
        InputError: they are not slices of one series, or lie in several multi-frame files. A slice is named by its
            number, for a path or a UID may lead to a person.
    """
    if not sources:
        raise InputError("No DICOM files were given to lay the segmentation on.")
    if any(source.frame is not None for source in sources) and len({source.path for source in sources}) > 1:
        raise InputError("The slices lie in several multi-frame files; a segmentation can be laid on one alone.")
    headers_of = cache(_headers_of)  # a file is opened once, however many frames it has
    slices = []
    for number, source in enumerate(sources, 1):
        headers = headers_of(source.path)
        if not headers:
            raise InputError(f"File {number} of the series is not a DICOM file.")
        slices.append(_bare(headers[source.frame or 0], number, patient))
        if slices[-1].SeriesInstanceUID != slices[0].SeriesInstanceUID:
            raise InputError(f"Slices 1 and {number} are of different series; give the files of one.")
    return slices


def as_multi_frame(slices: Sequence["Dataset"]) -> "Dataset":
    """Put slices of one multi-frame file, as `read_slices` gives them, into one header that has these frames alone.

    Source: DICOM PS3.3 C.7.6.16, Multi-frame Functional Groups.
    """
    from pydicom import Dataset

    first = slices[0]
    whole = Dataset()
    whole.file_meta = first.file_meta
    for element in first:
        if element.keyword not in (*OF_A_FRAME, "SliceThickness"):
            whole[element.keyword] = element
    shared = Dataset()
    shared.PixelMeasuresSequence = [_only(first, "PixelSpacing", "SliceThickness")]
    shared.PlaneOrientationSequence = [_only(first, "ImageOrientationPatient")]
    whole.SharedFunctionalGroupsSequence = [shared]
    whole.PerFrameFunctionalGroupsSequence = []
    for header in slices:
        own = Dataset()
        own.PlanePositionSequence = [_only(header, "ImagePositionPatient")]
        whole.PerFrameFunctionalGroupsSequence.append(own)
    whole.NumberOfFrames = len(slices)
    return whole


def _headers_of(path: Path) -> list["Dataset"]:
    """Read the header of each frame of a file, each with the file's meta information; none where it is not DICOM."""
    # Here, because a report without DICOM needs no SimpleITK.
    from islesnet.scanner import UnusableError, is_dicom
    from islesnet.scanner.dicom import frame_headers, open_header

    try:
        if not is_dicom(path):
            return []
        header = open_header(path)
        frames: list[Dataset] = frame_headers(header)
    except UnusableError as refusal:
        raise InputError(f"A DICOM file of the series {refusal}.") from refusal
    for frame in frames:
        frame.file_meta = header.file_meta
    return frames


def _bare(header: "Dataset", number: int, patient: str) -> "Dataset":
    absent = [name for name in (*OF_THE_FILE, *OF_A_FRAME) if name not in header]
    if absent:
        raise InputError(f"Slice {number} of the series has no {absent[0]}, so no segmentation can be laid on it.")
    known = _only(header, *OF_THE_FILE, *OF_A_FRAME)
    known.file_meta = header.file_meta
    for name in IDENTITY:
        setattr(known, name, "")
    # ^ and = part a name of DICOM, a backslash parts values.
    known.PatientName = known.PatientID = re.sub(r"[\\^=\x00-\x1f]", "_", patient)[:MOST_LETTERS]
    known.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    # A scanner may leave it empty, a segmentation may not.
    known.SliceThickness = header.get("SliceThickness") or header.get("SpacingBetweenSlices") or 1.0
    return known


def _only(header: "Dataset", *names: str) -> "Dataset":
    """Copy some elements into a header of their own."""
    from pydicom import Dataset

    chosen = Dataset()
    for name in names:
        chosen[name] = header[name]
    return chosen
