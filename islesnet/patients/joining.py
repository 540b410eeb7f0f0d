"""What names say of files and folders beside each other: series of one patient, or different people's."""

import re
import unicodedata
from collections.abc import Sequence, Set
from pathlib import Path

from islesnet.patients.folders import is_volume, name_without_suffix, volumes_below
from islesnet.scanner import sequence_by_name
from islesnet.volumes.file_names import (
    BRAIN_WORDS,
    DRAWN_WORDS,
    MADE_FOLDERS,
    MASK_WORDS,
    ORIGIN_FOLDERS,
    says_only_how,
    words_of,
)

_OF_MASKS = MASK_WORDS | BRAIN_WORDS
_NOBODYS = _OF_MASKS | DRAWN_WORDS | {"session", "ses", "run", "acq"}
# What stands before a patient's name or number.
_LABEL = r"((patient|pat|subject|sub)[_ -]?)?"
# A number without a label is a patient's where it is so long, and no date and time.
_FEWEST_DIGITS = 7
_DATE = re.compile(r"(19|20)\d\d[01]\d[0-3]\d(\d{4}(\d\d)?)?|([0-3]\d){2}(19|20)\d\d")


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
    """Tell whether a folder holds more of the patient whose scans lie beside it.

    Its name says so: that of a series, of masks or originals, or one that all those scans bear. And no volume in it is
    named after somebody else.

    Args:
        folder: the folder.
        scans: all that lie beside it.
    """
    is_own = bool(scans) and all(_holds_word(name_without_suffix(scan), folder.name) for scan in scans)
    is_named = (
        is_own or is_named_as_series(folder.name) or _is_named_by(ORIGIN_FOLDERS | _OF_MASKS | DRAWN_WORDS, folder)
    )
    return is_named and not _holds_others(folder, scans)


def is_beside(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether a folder holds masks or originals of the patients whose scans lie beside it, or results."""
    known = ORIGIN_FOLDERS | MADE_FOLDERS | _OF_MASKS | DRAWN_WORDS
    return _is_named_by(known, folder) and not _holds_others(folder, scans)


def names_somebody(scan: Path) -> bool:
    """Tell whether a volume's name says more than its sequence, how it was acquired, and the folder's own name."""
    persons = _persons_in(name_without_suffix(scan), scan.parent.name)
    return is_volume(scan) and not all(map(str.isdigit, persons))


def is_anothers(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether a folder is somebody else's: by the number in its name, or by the names of the volumes in it."""
    container = folder.parent.name
    numbers = [_numbers_in(name_without_suffix(scan), container) for scan in scans]
    others, own = set[str]().union(*numbers), _numbers_in(folder.name, container)
    has_another = bool(own and others) and own.isdisjoint(others) and not is_named_as_series(folder.name)
    return has_another or _holds_others(folder, scans)


def have_no_name_in_common(volumes: Sequence[Path]) -> bool:
    """Tell whether all volumes of a folder bear words that may be names, and no such word is in all of them."""
    persons = [_persons_in(name_without_suffix(volume), volume.parent.name) for volume in volumes]
    return len(persons) > 1 and all(persons) and not set.intersection(*persons)


def _holds_others(folder: Path, scans: Sequence[Path]) -> bool:
    """Tell whether scans name people, and volumes in the folder beside them, masks aside, name others."""
    persons = set[str]().union(*(_persons_in(name_without_suffix(scan), scan.parent.name) for scan in scans))
    for volume in volumes_below(folder):
        parts = _parts_below(volume, folder)
        is_sequence = any(map(sequence_by_name, parts))  # a stripped brain is one too
        if not is_sequence and any(_OF_MASKS.intersection(words_of(part)) for part in (folder.name, *parts)):
            continue
        others = set[str]().union(*(_persons_in(part, folder.parent.name) for part in parts))
        if persons and not others <= persons:
            return True
    return False


def _parts_below(volume: Path, folder: Path) -> list[str]:
    return [*volume.relative_to(folder).parent.parts, name_without_suffix(volume)]


def _is_named_by(known: Set[str], folder: Path) -> bool:
    words = set(words_of(folder.name))
    return bool(words) and words <= known


def _persons_in(name: str, container: str) -> set[str]:
    """Return what may be a person's name or number: words, each with the number after it, and a leading one like 007.

    The container's name is left out, and so are words for how a scan was acquired, for masks and for visits.
    """
    persons, before = set[str](), ""
    for word in _words_without(name, container):
        if word.isdigit():
            is_in_front = before == "" and _is_patients_number(word)
            is_labelled = before in persons or before == "p"
            persons |= {before + word.lstrip("0")} if is_labelled or is_in_front else set()
        elif _is_name(word):
            persons.add(re.sub(r"(?<=[a-z])0+(?=\d)", "", word))
        before = word
    return persons


def _is_name(word: str) -> bool:
    is_long = len(word) > 1 or not word.isascii()
    return is_long and word not in _NOBODYS and not says_only_how(word) and not re.match(r"b\d+$", word)


def _is_patients_number(word: str) -> bool:
    return word.startswith("0") or (len(word) >= _FEWEST_DIGITS and _DATE.fullmatch(word) is None)


def _numbers_in(name: str, container: str) -> set[str]:
    return {word for word in _words_without(name, container) if word.isdigit()}


def _words_without(name: str, container: str) -> list[str]:
    """Return a name's words without the container's name; accents are dropped, other alphabets make their own words."""
    own = re.sub(_LABEL + _as_word(container), " ", name, flags=re.IGNORECASE)
    plain = (letter for letter in unicodedata.normalize("NFKD", own.casefold()) if not unicodedata.combining(letter))
    # Every second part is of another alphabet.
    parts = enumerate(re.split(r"([^\W\d_a-z]+)", "".join(plain)))
    return [word for index, part in parts for word in ([part] if index % 2 else words_of(part))]


def _holds_word(text: str, name: str) -> bool:
    has_letter = re.search("[a-z]", name, re.IGNORECASE) is not None  # a number may be a series'
    return has_letter and re.search(_as_word(name), text, re.IGNORECASE) is not None


def _as_word(name: str) -> str:
    return rf"(?<![0-9a-z]){re.escape(name)}(?![0-9a-z])"
