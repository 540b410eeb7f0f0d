"""What names say of files and folders beside each other: series of one patient, or different people's."""

import re
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from islesnet.patients.folders import folders_in, is_volume, name_without_suffix, scans_in
from islesnet.scanner import sequence_by_name
from islesnet.volumes.file_names import BRAIN_WORDS, MASK_WORDS, says_only_how, words_of

# How a folder is called that holds what scans were converted from, what was made of them, or masks.
_ORIGINS = {"dicom", "dicoms", "dcm", "source", "sourcedata", "orig", "original", "originals", "raw", "export"}
_MADE = {"derivatives", "results", "output"}
_OF_MASKS = MASK_WORDS | BRAIN_WORDS
_DRAWN_BY = {"manual", "expert", "corrected", "annotations"}
_NOBODYS = _OF_MASKS | _DRAWN_BY | {"session", "ses", "run", "acq"}
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
        folder: its name must say so, and no volume in it that it is somebody else's.
        scans: all that lie beside it.
    """
    is_own = bool(scans) and all(_holds_word(name_without_suffix(scan), folder.name) for scan in scans)
    is_named = is_own or is_named_as_series(folder.name) or _is_named_by(_ORIGINS | _OF_MASKS | _DRAWN_BY, folder)
    return is_named and not _holds_others(folder, scans)


def is_beside(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether a folder holds masks or originals of the patients whose scans lie beside it, or what was made."""
    known = _ORIGINS | _MADE | _OF_MASKS | _DRAWN_BY
    return _is_named_by(known, folder) and not _holds_others(folder, scans)


def names_somebody(scan: Path) -> bool:
    """Tell whether a volume's name says more than its sequence, how it was acquired, and the folder's own name."""
    persons = _persons_in(name_without_suffix(scan), scan.parent.name)
    return is_volume(scan) and not all(map(str.isdigit, persons))


def is_anothers(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether a folder is somebody else's by numbers alone: its name's, or those of the volumes in it."""
    container = folder.parent.name
    numbers = [_numbers_in(name_without_suffix(scan), container) for scan in scans]
    others, own = set[str]().union(*numbers), _numbers_in(folder.name, container)
    has_another = bool(own and others) and own.isdisjoint(others) and not is_named_as_series(folder.name)
    return has_another or _holds_others(folder, scans)


def _holds_others(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether volumes in a folder, masks aside, are named by people, and by others than the scans beside it."""
    persons = set[str]().union(*(_persons_in(name_without_suffix(scan), scan.parent.name) for scan in scans))
    for volume in _volumes_below(folder):
        parts = [*volume.relative_to(folder).parent.parts, name_without_suffix(volume)]
        is_sequence = any(map(sequence_by_name, parts))  # a stripped brain is one too
        if not is_sequence and any(_OF_MASKS.intersection(words_of(part)) for part in (folder.name, *parts)):
            continue
        others = set[str]().union(*(_persons_in(part, folder.parent.name) for part in parts))
        if persons and not others <= persons:
            return True
    return False


def _volumes_below(folder: Path, depth: int = 3) -> Iterator[Path]:
    yield from (scan for scan in scans_in(folder) if is_volume(scan))
    if depth > 0:
        for child in folders_in(folder):
            yield from _volumes_below(child, depth - 1)


def _is_named_by(known: Set[str], folder: Path) -> bool:
    words = set(words_of(folder.name))
    return bool(words) and words <= known


def _persons_in(name: str, container: str) -> set[str]:
    """Return what may be somebody's name: words, each with the number after it, and a number in front like 007.

    That is not the container's name, nor how a scan was acquired, nor a mask's, nor a visit's.
    """
    persons, before = set[str](), ""
    for word in _words_without(name, container):
        if word.isdigit():
            is_in_front = before == "" and word.startswith("0")
            persons |= {before + word} if before in persons or is_in_front else set()
        elif len(word) > 1 and word not in _NOBODYS and not says_only_how(word) and not re.match(r"b\d+$", word):
            persons.add(word)
        before = word
    return persons


def _numbers_in(name: str, container: str) -> set[str]:
    return {word for word in _words_without(name, container) if word.isdigit()}


def _words_without(name: str, container: str) -> list[str]:
    return words_of(re.sub(_LABEL + _as_word(container), " ", name, flags=re.IGNORECASE))


def _holds_word(text: str, name: str) -> bool:
    has_letter = re.search("[a-z]", name, re.IGNORECASE) is not None  # a number may be a series'
    return has_letter and re.search(_as_word(name), text, re.IGNORECASE) is not None


def _as_word(name: str) -> str:
    return rf"(?<![0-9a-z]){re.escape(name)}(?![0-9a-z])"
