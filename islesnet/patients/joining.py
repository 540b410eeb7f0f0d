"""What names say of files and folders beside each other: series of one patient, or different people's."""

import re
from collections.abc import Sequence
from pathlib import Path

from islesnet.patients.folders import first_scan, folders_in, is_volume, name_without_suffix
from islesnet.scanner import sequence_by_name
from islesnet.volumes.file_names import BRAIN_WORDS, MASK_WORDS, says_only_how, words_of

# How a folder is called that holds what scans were converted from, or what was made of them.
_ORIGINS = {"dicom", "dicoms", "dcm", "source", "sourcedata", "orig", "original", "originals", "raw", "export"}
_MADE = {"derivatives", "results", "output"}
# What stands before a patient's name or number.
_LABEL = r"((patient|pat|subject|sub)[_ -]?)?"


def are_named_as_series(folders: Sequence[Path]) -> bool:
    """Tell whether folders are named by at least two sequences, and otherwise by how a series was acquired alone."""
    sequences = {sequence_by_name(folder.name) for folder in folders} - {None}
    return len(sequences) > 1 and all(is_named_as_series(folder.name) for folder in folders)


def is_named_as_series(name: str) -> bool:
    """Tell whether a name says a sequence, or nothing but how a series was acquired: "12_localizer"."""
    return is_part(name) or says_only_how(re.sub(r"\d+[_ .-]+|[_ .-]+\d+$", "", name))  # the series' number aside


def are_parts(folders: Sequence[Path]) -> bool:
    """Tell whether folders are parts of one patient: dwi/ and FLAIR/, with files of any name."""
    return all(is_part(folder.name) for folder in folders)


def is_part(name: str) -> bool:
    """Tell whether a name is that of a part of one patient: a sequence, or anat."""
    return name.lower() == "anat" or sequence_by_name(name) is not None


def is_further(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether a folder holds more of the patient whose scans lie beside it: a series, masks, originals, its own.

    Args:
        folder: whose name is asked; of originals, that they are not different people's.
        scans: all that lie beside it.
    """
    if is_named_as_series(folder.name) or is_named_as_beside(folder):
        below = [child for child in folders_in(folder) if first_scan(child) is not None]
        return len(below) < 2 or all(is_named_as_series(child.name) for child in below) or _are_dicom(below)
    is_name = re.search("[a-z]", folder.name, flags=re.IGNORECASE) is not None  # a number may be a series'
    return (
        is_name
        and bool(scans)
        and all(re.match(_as_word(folder.name), name_without_suffix(scan), re.IGNORECASE) for scan in scans)
    )


def is_named_as_beside(folder: Path) -> bool:
    """Tell whether a folder's name says that it holds masks, originals, or what was made of scans, of anybody."""
    words = set(words_of(folder.name))
    return bool(words & MASK_WORDS) or (bool(words) and words <= _ORIGINS | _MADE)


def names_somebody(scan: Path) -> bool:
    """Tell whether a volume's name says more than its sequence, how it was acquired, and the folder's own name."""
    said = re.sub(_LABEL + _as_word(scan.parent.name), " ", name_without_suffix(scan), flags=re.IGNORECASE)
    words = [word for word in words_of(said) if len(word) > 1 and not says_only_how(word)]
    words = [word for word in words if word not in MASK_WORDS | BRAIN_WORDS]
    return is_volume(scan) and any(re.search("[a-z]", word) and not re.fullmatch(r"b\d+", word) for word in words)


def _are_dicom(folders: Sequence[Path]) -> bool:
    """Tell whether folders hold DICOM, whose headers say later whose they are."""
    return not any(is_volume(scan) for folder in folders if (scan := first_scan(folder)) is not None)


def _as_word(name: str) -> str:
    return rf"(?<![0-9a-z]){re.escape(name)}(?![0-9a-z])"
