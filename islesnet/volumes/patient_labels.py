"""The label of a patient that a file's or a folder's name begins with: "PAT001_dwi", "sub-anna_ses-1_FLAIR"."""

import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from islesnet.volumes.file_names import sequence_named, stem_of

# At the beginning of a name "p" and a number are a patient's label; further on they may be the protocol's, as "p2" is
# for a twofold acceleration.
_WORD = "patient|participant|proband|pat|pt|subject|subj|sub|case|mrn"
# In "P-12-001" and "P12.001" the label is centre and patient, 12-001; in "P-12-1000" it is 12, and a b-value follows.
_NUMBER = r"(?:[_ #]?\d+(?:\.0\d+)*|-\d+(?:[-.]0\d+)*)(?![0-9a-z])"
_BIDS = r"sub-(?P<word>[0-9a-z]+)(?![0-9a-z])"
_LABEL = re.compile(rf"(?:{_WORD}|p)(?P<number>{_NUMBER})|{_BIDS}")
_LABEL_AFTER_FOLDER = re.compile(rf"(?:{_WORD})(?P<number>{_NUMBER})|{_BIDS}")
_BIDS_WITHIN = re.compile(r"(?<![0-9a-z])sub-(?:(?P<number>\d+(?:[-.]0\d+)*)|(?P<word>[a-z]*\d[0-9a-z]*))(?![0-9a-z])")
# What BIDS calls "sub-PAT001" may be called "PAT001" elsewhere: the number is what both share.
_NUMBER_OF_WORD = re.compile(rf"(?:{_WORD}|p)?(\d+)")
# Templates, voxel sizes (1mm, 1p5mm, 1p5, 1x1x1) and field strengths (3t, 7t); "1p001" and "2t" are patients.
_LENGTH = r"\d+(?:p\d+)?"
_NOBODY = re.compile(
    rf"(?:mni|icbm|template|atlas|average)[0-9a-z]*|{_LENGTH}(?:mm|iso)|{_LENGTH}(?:x{_LENGTH})+(?:mm|iso)?|\dp\d|[37]t"
)
# Taken out of a name first, as it looks like a label and is none: "sub-1.5mm", "p0.9x0.9x3", "sub-1.5t".
_DECIMAL = r"\d+(?:\.\d+)?"
_SIZE = re.compile(
    rf"(?<![0-9a-z])(?:{_WORD}|p)[_ -]?\d{{1,2}}\.\d+"
    rf"(?:(?:x{_DECIMAL})+(?:[_ -]?(?:mm|iso))?|[_ -]?(?:mm|iso)|t)(?![0-9a-z])"
)


class Label(NamedTuple):
    """A patient's label, and whether the name goes on with a number that was not taken for a part of it."""

    text: str
    goes_on: bool


def label_of(name: str, folder_name: str = "") -> Label | None:
    """Return a patient's label: at the beginning of a name, after the folder's name there, or after "sub-".

    The word before it, such as "patient", is left out.

    Args:
        name: of a file without its suffix, or of a folder.
        folder_name: name of the folder that the patient is named after.

    Returns:
        the label in lower case, numbers without leading zeros; None where there is none, or a sequence's or a
        template's name, or a voxel size, in its place.
    """
    text = _SIZE.sub("", name.lower())
    after_folder = _LABEL_AFTER_FOLDER.match(text, _end_of(folder_name.lower(), text))
    found = _LABEL.match(text) or after_folder or _BIDS_WITHIN.search(text)
    if found is None:
        return None
    label = found["word"] or found["number"].strip("_ #-").replace(".", "-")
    if sequence_named(label) or _NOBODY.fullmatch(label):
        return None
    number = _NUMBER_OF_WORD.fullmatch(label)
    goes_on = re.match(r"[-.]\d", text[found.end() :]) is not None
    return Label(re.sub(r"0*(\d+)", r"\1", label if number is None else number[1]), goes_on)


def files_of_two_patients(files: Iterable[Path], folder: Path) -> tuple[Path, Path] | None:
    """Return two files that bear the labels of two patients, in their names or in those of the folders around them.

    Args:
        files: volumes; those that do not lie in the folder or below it are ignored.
        folder: the patient's; its own name does not count.

    Returns:
        their places in the folder; None where all may be one patient's.
    """
    places = [path.relative_to(folder) for path in files if path.is_relative_to(folder)]
    return next((pair for pair in itertools.combinations(places, 2) if _are_two_patients(*pair, folder.name)), None)


def _are_two_patients(first: Path, second: Path, folder_name: str) -> bool:
    names = [label_of(stem_of(place.name) or place.name, folder_name) for place in (first, second)]
    if None not in names:  # what the files themselves say, counts; folders around them may hold many patients
        places = [{name} for name in names]
    else:
        parents = ({label_of(part, folder_name) for part in place.parent.parts} for place in (first, second))
        places = [{name} | around for name, around in zip(names, parents, strict=True)]
    own, other = ([label for label in labels if label is not None] for labels in places)
    return bool(own and other) and not any(_may_be_same(*pair) for pair in itertools.product(own, other))


def _may_be_same(first: Label, second: Label) -> bool:
    """Tell whether two labels may be one patient's: "P-12-1000", whose b-value is left off, may be "P-12-001"."""
    if first.text == second.text:
        return True
    shorter, longer = sorted((first, second), key=lambda label: len(label.text))
    return shorter.goes_on and longer.text.startswith(f"{shorter.text}-")


def _end_of(folder_name: str, name: str) -> int:
    own = re.match(rf"{re.escape(folder_name)}[_ .-]+", name)
    return 0 if own is None else own.end()
