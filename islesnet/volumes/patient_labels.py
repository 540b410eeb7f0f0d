"""The label of a patient that a file's or a folder's name begins with: "PAT001_dwi", "sub-anna_ses-1_FLAIR"."""

import re
from collections.abc import Iterable
from pathlib import Path

from islesnet.volumes.file_names import natural_key, sequence_named, stem_of

# The p of a name in front is a patient's; within it may be a protocol's, p2 of an acceleration.
_WORD = "patient|participant|proband|pat|pt|subject|subj|sub|case|mrn"
# Where hyphens part a centre and its patient, P-12-001, both are the label.
_NUMBER = r"(?:[_ #]?\d+|-\d+(?:-(?:0\d+|\d{3,5}))*)(?![0-9a-z])"
_LABEL = re.compile(rf"(?:{_WORD}|p)(?P<number>{_NUMBER})|sub-(?P<word>[0-9a-z]+)")
_LABEL_AFTER_FOLDER = re.compile(rf"(?:{_WORD})(?P<number>{_NUMBER})|sub-(?P<word>[0-9a-z]+)")
_BIDS_WITHIN = re.compile(r"(?<![0-9a-z])sub-(?:(?P<number>\d+(?:-0\d+)*)(?![0-9a-z])|(?P<word>[0-9a-z]+))")


def label_of(name: str, folder_name: str = "") -> str | None:
    """Return the label in front of a name, after the name of the folder, or after "sub-", without the word before it.

    Args:
        name: of a file without its suffix, or of a folder.
        folder_name: of the folder that the patient is to be called by.

    Returns:
        in lower case, numbers without leading zeros; None where there is no label, or a sequence's name in its place.
    """
    text = name.lower()
    after_folder = _LABEL_AFTER_FOLDER.match(text, _end_of(folder_name.lower(), text))
    found = _LABEL.match(text) or after_folder or _BIDS_WITHIN.search(text)
    if found is None:
        return None
    label = found["word"] or found["number"].strip("_ #-")
    return None if sequence_named(label) else re.sub(r"0*(\d+)", r"\1", label)


def labelled_files(files: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Return each label that names of files, or of folders on the way to them, begin with, and its first file.

    Args:
        files: volumes in the folder or below it; others are not looked at.
        folder: the patient's.

    Returns:
        in natural order of the labels.
    """
    labels: dict[str, Path] = {}
    for path in files:
        if not path.is_relative_to(folder):
            continue
        place = path.relative_to(folder)
        for part in (*place.parent.parts, stem_of(place.name) or place.name):
            label = label_of(part, folder.name)
            if label is not None:
                labels.setdefault(label, place)
    return dict(sorted(labels.items(), key=lambda told: natural_key(told[0])))


def _end_of(folder_name: str, name: str) -> int:
    own = re.match(rf"{re.escape(folder_name)}[_ .-]+", name)
    return 0 if own is None else own.end()
