"""What is read of a patient's raw scans: images, what was taken for what and why, and what a reader should know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from islesnet.sequences import SEQUENCES

# What helps to read a DWI, and is not fed to the network.
COMPANIONS = ("adc", "b0")
ROLES = SEQUENCES + COMPANIONS

Image = Any  # SimpleITK has no annotations


class DicomFrame(NamedTuple):
    """One slice of an image in its DICOM file.

    Args:
        path: the file.
        frame: its place in a multi-frame file, from 0; None in a file of one frame.
        tile: its place in a mosaic, a picture of all slices side by side, from 0; None in any other.
    """

    path: Path
    frame: int | None = None
    tile: int | None = None


class Choice(NamedTuple):
    """What one series, or one volume of it, was taken for.

    Args:
        source: the series' number and its first file below the patient's folder, or the file.
        role: one of `ROLES`, or None where it was passed over.
        why: the reason, in words.
    """

    source: str
    role: str | None
    why: str


@dataclass(frozen=True)
class RawImage:
    """One sequence as the scanner gave it.

    Args:
        image: 3D SimpleITK image of float32 on the grid of the file; ADC in 1e-3 mm2/s.
        source: where it comes from, as in `Choice`.
        dicom: the slices it was read from, in the order of its third axis; empty where it came from other files.
            Of a mean over directions, those of the first direction.
        b_value: in s/mm2, of a DWI or b0 where it is known.
        file: the file that holds this volume, this one alone and as it is; None for DICOM, or what was repaired.
        origin: the file that it was read from, whatever else that holds; None for DICOM, or what was computed.
    """

    image: Image
    source: str
    dicom: tuple[DicomFrame, ...] = ()
    b_value: float | None = None
    file: Path | None = None
    origin: Path | None = None


@dataclass(frozen=True)
class RawPatient:
    """A patient's scans, read and told apart, not yet registered. Holds no name, birth date or id of a header.

    Args:
        images: any of `ROLES`, at least one of `SEQUENCES`.
        choices: every series and volume that was looked at.
        notes: repairs and warnings, in sentences.
        damaged: the sequences, or "adc", that are there and cannot be used, with nothing in their stead.
    """

    images: Mapping[str, RawImage]
    choices: list[Choice] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    damaged: tuple[str, ...] = ()
