"""What names say of files and folders beside each other: series of one patient, or different people's."""

import re
from collections.abc import Sequence, Set
from pathlib import Path

from islesnet.patients.folders import is_volume, stem
from islesnet.scanner import sequence_by_name
from islesnet.volumes.file_names import BRAIN_WORDS, MASK_WORDS, says_only_how, words_of

# How a folder is called that holds what scans were converted from.
_ORIGINS = {"dicom", "dicoms", "dcm", "source", "sourcedata", "orig", "original", "originals", "raw", "export"}
_OF_MASKS = MASK_WORDS | BRAIN_WORDS
# What stands before a name or a number.
_LABELS = {"patient", "pat", "subject", "sub", "session", "ses", "run"}


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


def is_named_as_further(folder: Path, scan: Path) -> bool:
    """Tell whether a folder's name says that it holds more of a scan's patient: a series, an origin, that patient."""
    is_theirs = re.search(_as_word(folder.name), stem(scan), flags=re.IGNORECASE) is not None
    return is_theirs or is_named_as_series(folder.name) or _is_named_by(_ORIGINS | _OF_MASKS, folder)


def is_named_as_masks(folder: Path) -> bool:
    """Tell whether a folder's name says that it holds masks."""
    return _is_named_by(_OF_MASKS, folder)


def _is_named_by(known: Set[str], folder: Path) -> bool:
    words = set(words_of(folder.name))
    return bool(words) and words <= known


def names_somebody(scan: Path) -> bool:
    """Tell whether a volume's name says more than its sequence, how it was acquired, and the folder's own name."""
    said = re.sub(_as_word(scan.parent.name), " ", stem(scan), flags=re.IGNORECASE)
    words = [word for word in words_of(said) if len(word) > 1 and not says_only_how(word)]
    words = [word for word in words if word not in _OF_MASKS | _LABELS]
    return is_volume(scan) and any(re.search("[a-z]", word) and not re.fullmatch(r"b\d+", word) for word in words)


def _as_word(name: str) -> str:
    return rf"(?<![0-9a-z]){re.escape(name)}(?![0-9a-z])"
