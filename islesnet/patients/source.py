"""What a patient's results were made from, so that another patient's scans under the same name are noticed."""

import hashlib
import itertools
import os
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from islesnet.patients.folders import folders_from, is_dicom_file, is_volume, scans_in, volumes_below
from islesnet.scanner import ROLES, examination_of

_LOOKED_AT = 2**20  # bytes of a file
_LONGEST_HEADER = 2**16
# MetaImage's "ElementDataFile = x.raw" and NRRD's "data file: x.raw"; LOCAL and LIST are no files.
_DATA_FILE = re.compile(rb"^(?:ElementDataFile\s*=|data ?file:)([^\r\n]+)\r?$", re.MULTILINE)


def source_of(item: Mapping[Hashable, Any]) -> str:
    """Give digests by which a patient's scans are recognised later: of each examination, each volume, and their folder.

    Volumes that were moved are recognised by themselves, and those that were replaced by better ones by their folder.
    DICOM is recognised by its examinations alone, because an inbox has the same path every day.

    Args:
        item: the patient's, as `RawScans` and `islesnet.data.Case` give it.

    Returns:
        the digests, separated by blanks; empty where nothing can be read.
    """
    keys = ("folder",) if "folder" in item else [role for role in ROLES if role in item]
    paths = [Path(os.path.abspath(item[key])) for key in keys]  # noqa: PTH100  - links stay
    examinations, volumes = set[str](), list[Path]()
    for path in paths:
        if path.is_dir():
            volumes += volumes_below(path)
            examinations |= _examinations_in(path)
        elif not path.is_file():  # reading from a pipe would block
            continue
        elif is_volume(path):
            volumes.append(path)
        elif is_dicom_file(path):
            examinations.add(examination_of(path))
    told = {*examinations, *map(_fingerprint, volumes)} - {""}
    if volumes:
        home = paths[0] if "folder" in item else os.path.commonpath([path.parent for path in paths])
        told.add(os.path.realpath(home))
    return " ".join(sorted(map(_digest, told)))


def is_same_source(first: str, second: str) -> bool:
    """Tell whether two sources, as `source_of` gives them, may be one patient's scans."""
    return not first or not second or not set(first.split()).isdisjoint(second.split())


def _examinations_in(folder: Path) -> set[str]:
    """Read of each folder's DICOM files the first whose examination can be read."""
    examinations = set[str]()
    for place in folders_from(folder):
        slices = (scan for scan in scans_in(place) if not is_volume(scan))
        examinations |= set(itertools.islice(filter(None, map(examination_of, slices)), 1))
    return examinations


def _fingerprint(path: Path) -> str:
    """Give a digest of a volume's size and of what lies in its middle; its head is much the same in all patients."""
    try:
        path = _file_of_voxels(path)
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size // 2 - _LOOKED_AT // 2))
            return hashlib.sha256(b"%d " % size + file.read(_LOOKED_AT)).hexdigest()
    except OSError:  # what cannot be read is said where it would be used
        return ""


def _file_of_voxels(path: Path) -> Path:
    """Return the file that a header alone (.mhd, detached .nrrd) names, where it is there; others are their own."""
    with path.open("rb") as file:
        told = _DATA_FILE.search(file.read(_LONGEST_HEADER))
    if told is None:
        return path
    named = path.parent / os.fsdecode(told[1].strip())
    return named if named.is_file() else path


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]
