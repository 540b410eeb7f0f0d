"""What is kept of each slice's header: enough to sort, to tell sequences apart and to read it later, and no more."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.scanner.candidate import UnusableError
from islesnet.scanner.dicom.b_values import b_value_of, direction_of, is_trace
from islesnet.scanner.dicom.headers import (
    Header,
    distrusted,
    frame_headers,
    has_items,
    number,
    numbers,
    open_header,
    require_plausible,
    text,
    texts,
)
from islesnet.scanner.dicom.mosaic import Mosaic, describe_mosaic, is_mosaic
from islesnet.scanner.dicom.persons import Person, is_person_named_in, person_of
from islesnet.scanner.facts import Facts, words_in, words_of_series
from islesnet.scanner.patient import DicomFrame

_MR_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.4",  # MR
    "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
    "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR
}
_ORDER = ("AcquisitionNumber", "TemporalPositionIndex", "InstanceNumber")
_DIRECTORY = "1.2.840.10008.1.3.10"
_NO_AGENT = {"NO", "NONE", "N", "0", "-", "NON", "NEIN", "KEIN", "KEINE", "KEINS", "OHNE", "WITHOUT", "NO CONTRAST"}
_PHILIPS_SCALE_SLOPE = (0x2005, 0x0E, "Philips MR Imaging DD 001")


@dataclass(frozen=True)
class Frame:
    """One slice.

    Args:
        place: its file, and its frame or tile there.
        inside: its file below the patient's folder.
        is_named_by_person: whether ``inside`` may repeat the patient's name, id or birth date and must not be shown.
        series: Series Instance UID; a key, never shown.
        study: Study Instance UID, likewise.
        person: digests of the patient's identity, to notice two patients in one folder; never shown.
        instance: SOP Instance UID, frame and tile, to notice copies.
        series_number: as the scanner counts; None where it is absent.
        order: acquisition and instance number.
        position: of the first voxel's centre in mm, left-posterior-superior.
        orientation: directions along a row and along a column, as the header has them; they may be none.
        spacing: mm between columns (along a row) and between rows.
        size: columns and rows.
        slope: of the rescaling to values.
        intercept: of the rescaling.
        scale_slope: Philips' second slope; None elsewhere.
        is_philips: whether Philips built the scanner.
        facts: of the sequence.
    """

    place: DicomFrame
    inside: str
    is_named_by_person: bool
    series: str
    study: str
    person: Person
    instance: str
    series_number: int | None
    order: tuple[float, ...]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    spacing: tuple[float, float]
    size: tuple[int, int]
    slope: float
    intercept: float
    scale_slope: float | None
    is_philips: bool
    facts: Facts

    @property
    def normal(self) -> NDArray[np.float64]:
        """Direction across the slice."""
        return np.cross(self.orientation[:3], self.orientation[3:])


def is_dicom(path: Path) -> bool:
    """Tell whether a file is DICOM by its first bytes, with its preamble or without.

    Raises:
        OSError: where it cannot be opened.
    """
    with path.open("rb") as stream:
        begin = stream.read(132)
    return begin[128:] == b"DICM" or begin[:4] in (b"\x08\x00\x05\x00", b"\x08\x00\x00\x00", b"\x08\x00\x08\x00")


def examination_of(path: Path) -> str:
    """Give the Study Instance UID of a DICOM file, a key that is never told; nothing where it cannot be read."""
    try:
        with distrusted():
            return text(open_header(path), "StudyInstanceUID")
    except UnusableError:
        return ""


def read_frames(path: Path, inside: str) -> list[Frame]:
    """Read the slices that a file describes; none where it is a DICOMDIR.

    Args:
        path: the file.
        inside: its path relative to the patient's folder.

    Raises:
        UnusableError: for a damaged file, or one that holds no MR image.
    """
    with distrusted():
        return _frames(path, inside)


def _frames(path: Path, inside: str) -> list[Frame]:
    header = open_header(path)
    kind = text(header, "SOPClassUID") or str(getattr(header.file_meta, "MediaStorageSOPClassUID", ""))
    if kind == _DIRECTORY:
        return []
    if kind not in _MR_IMAGES:
        raise UnusableError(f"holds no MR image ({_kind_in_words(kind, text(header, 'Modality'))})")
    if (number(header, "SamplesPerPixel") or 1) != 1:
        raise UnusableError("holds a colour picture, not a scan")
    require_plausible(header, path)
    flat = frame_headers(header)
    is_single = len(flat) == 1 and number(header, "NumberOfFrames") is None
    frames = [_frame(own, DicomFrame(path, None if is_single else index), inside) for index, own in enumerate(flat)]
    return _tiles(frames[0], describe_mosaic(header)) if len(flat) == 1 and is_mosaic(header) else frames


def _tiles(whole: Frame, mosaic: Mosaic) -> list[Frame]:
    """Take a picture of many slices for as many frames."""
    return [
        replace(
            whole,
            place=whole.place._replace(tile=tile),
            instance=f"{whole.instance} {tile}",
            order=(*whole.order, float(tile)),
            position=position,
            size=mosaic.size,
        )
        for tile, position in enumerate(mosaic.positions)
    ]


def _frame(header: Header, place: DicomFrame, inside: str) -> Frame:
    position, orientation = numbers(header, "ImagePositionPatient"), numbers(header, "ImageOrientationPatient")
    spacing = numbers(header, "PixelSpacing")
    rows, columns = (int(number(header, key) or 0) for key in ("Rows", "Columns"))
    if len(position) != 3 or not texts(header, "ImageOrientationPatient"):
        raise UnusableError("does not say where the slice lies (Image Position and Image Orientation of the patient)")
    if len(spacing) != 2 or min(spacing) <= 0:
        raise UnusableError("does not say how large a voxel is (Pixel Spacing)")
    series_number = number(header, "SeriesNumber")
    slope = number(header, "RescaleSlope")
    return Frame(
        place=place,
        inside=inside,
        is_named_by_person=is_person_named_in(inside, header),
        series=text(header, "SeriesInstanceUID"),
        study=text(header, "StudyInstanceUID"),
        person=person_of(header),
        instance=f"{text(header, 'SOPInstanceUID')} {place.frame}",
        series_number=None if series_number is None else int(series_number),
        order=(*(number(header, key) or 0.0 for key in _ORDER), float(place.frame or 0)),
        position=tuple(position),
        orientation=tuple(orientation),
        spacing=(spacing[1], spacing[0]),  # DICOM has the distance between rows first
        size=(columns, rows),
        slope=1.0 if slope is None else slope,
        intercept=number(header, "RescaleIntercept") or 0.0,
        scale_slope=_scale_slope(header),
        is_philips="PHILIPS" in text(header, "Manufacturer").upper(),
        facts=_facts(header, Path(inside).parent.name),
    )


def _facts(header: Header, folder: str) -> Facts:
    kinds = tuple(part.strip().upper() for part in texts(header, "ImageType") + texts(header, "FrameType"))
    echo = number(header, "EchoTime")
    inversion = number(header, "InversionTime")
    return Facts(
        words=words_of_series(*(text(header, key) for key in ("SeriesDescription", "ProtocolName", "Manufacturer"))),
        folder_words=words_in(folder),
        image_type=kinds,
        contrast=text(header, "AcquisitionContrast").upper(),
        scanning=_scanning(header),
        echo_time_ms=number(header, "EffectiveEchoTime") if echo is None else echo,
        repetition_time_ms=number(header, "RepetitionTime"),
        inversion_time_ms=number(header, "InversionTimes") if inversion is None else inversion,
        has_contrast_medium=_has_contrast_medium(header),
        b_value=b_value_of(header),
        direction=direction_of(header),
        is_trace=is_trace(header, kinds),
    )


def _scanning(header: Header) -> frozenset[str]:
    """Gather Scanning Sequence, or its equivalents in an enhanced file (PS3.3 C.8.13.5, MR Pulse Sequence)."""
    said = {part.upper() for part in texts(header, "ScanningSequence")}
    echo = text(header, "EchoPulseSequence").upper()
    said |= {"SE"} if echo in ("SPIN", "BOTH") else set()
    said |= {"GR"} if echo in ("GRADIENT", "BOTH") else set()
    said |= {"EP"} if text(header, "EchoPlanarPulseSequence").upper() == "YES" else set()
    said |= {"IR"} if text(header, "InversionRecovery").upper() == "YES" else set()
    return frozenset(said)


def _has_contrast_medium(header: Header) -> bool:
    """Tell whether a contrast medium was given; what the frame says counts first (PS3.3 C.7.6.4, C.7.6.16.2.12)."""
    usage = text(header, "ContrastBolusAgentAdministered").upper()
    if usage in ("YES", "NO"):
        return usage == "YES"
    agent = text(header, "ContrastBolusAgent").strip().upper()
    return (bool(agent) and agent not in _NO_AGENT) or has_items(header, "ContrastBolusAgentSequence")


def _scale_slope(header: Header) -> float | None:
    group, element, creator = _PHILIPS_SCALE_SLOPE
    try:
        found = float(header.private_block(group, creator)[element].value)
    except Exception:  # absent, or damaged in any way
        return None
    return found if found > 0 else None


def _kind_in_words(kind: str, modality: str) -> str:
    from pydicom.uid import UID

    name: Any = UID(kind).name if kind else ""
    known = name if name and name != kind else ""
    return known or (f"modality {modality}" if modality.isalnum() and len(modality) <= 16 else "of an unknown kind")
