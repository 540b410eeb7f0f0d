"""The label of a patient that a file's or a folder's name begins with: "PAT001_dwi", "sub-anna_ses-1_FLAIR"."""

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

from islesnet.volumes.file_names import sequence_named, stem_of

# The p of a name in front is a patient's; within it may be a protocol's, p2 of an acceleration.
_WORD = "patient|participant|proband|pat|pt|subject|subj|sub|case|mrn"
# Where hyphens part a centre and its patient, P-12-001, both are the label; P-12-1000 has a b-value.
_NUMBER = r"(?:[_ #]?\d+|-\d+(?:-0\d+)*)(?![0-9a-z])"
_LABEL = re.compile(rf"(?:{_WORD}|p)(?P<number>{_NUMBER})|sub-(?P<word>[0-9a-z]+)")
_LABEL_AFTER_FOLDER = re.compile(rf"(?:{_WORD})(?P<number>{_NUMBER})|sub-(?P<word>[0-9a-z]+)")
_BIDS_WITHIN = re.compile(r"(?<![0-9a-z])sub-(?:(?P<number>\d+(?:-0\d+)*)(?![0-9a-z])|(?P<word>[a-z]*\d[0-9a-z]*))")
# BIDS's label of one who is called PAT001 elsewhere.
_NUMBER_OF_WORD = re.compile(rf"(?:{_WORD}|p)?(\d+)")
_NOBODY = re.compile(r"(?:mni|icbm|template|atlas|average)[0-9a-z]*|\d+(?:mm|iso)")


def label_of(name: str, folder_name: str = "") -> str | None:
    """Return the label in front of a name, after the name of the folder, or after "sub-", without the word before it.

    Args:
        name: of a file without its suffix, or of a folder.
        folder_name: of the folder that the patient is to be called by.

    Returns:
        in lower case, numbers without leading zeros; None where there is no label, or a sequence's or a template's
        name, or a voxel size, in its place.
    """
    text = name.lower()
    after_folder = _LABEL_AFTER_FOLDER.match(text, _end_of(folder_name.lower(), text))
    found = _LABEL.match(text) or after_folder or _BIDS_WITHIN.search(text)
    if found is None:
        return None
    label = found["word"] or found["number"].strip("_ #-")
    if sequence_named(label) or _NOBODY.fullmatch(label):
        return None
    number = _NUMBER_OF_WORD.fullmatch(label)
    return re.sub(r"0*(\d+)", r"\1", label if number is None else number[1])


def files_of_two_patients(files: Iterable[Path], folder: Path) -> tuple[Path, Path] | None:
    """Return two files that bear the labels of two patients, in their names or in those of the folders around them.

    Args:
        files: volumes in the folder or below it; others are not looked at.
        folder: the patient's; its own name does not count.

    Returns:
        their places in the folder; None where all may be one patient's.
    """
    places = [path.relative_to(folder) for path in files if path.is_relative_to(folder)]
    return next((pair for pair in itertools.combinations(places, 2) if _are_two_patients(*pair, folder.name)), None)


def _are_two_patients(first: Path, second: Path, folder_name: str) -> bool:
    names = [label_of(stem_of(place.name) or place.name, folder_name) for place in (first, second)]
    if names[0] is not None and names[1] is not None:
        shorter, longer = sorted(names, key=str)  # "12" may be "12-1"
        return shorter != longer and not str(longer).startswith(f"{shorter}-")
    labels = [
        {label_of(part, folder_name) for part in place.parent.parts} | {name}
        for place, name in zip((first, second), names, strict=True)
    ]
    own, other = (found - {None} for found in labels)
    return bool(own and other) and own.isdisjoint(other)


def _end_of(folder_name: str, name: str) -> int:
    own = re.match(rf"{re.escape(folder_name)}[_ .-]+", name)
    return 0 if own is None else own.end()
