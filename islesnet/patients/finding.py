"""Find the patients in a folder: a data set in a known layout, one patient's raw scans, or a folder for each."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from islesnet.data import Case, detect_layout, find_cases
from islesnet.errors import InputError, require_switch
from islesnet.patients.grids import is_on_one_grid
from islesnet.patients.scans import RawScans
from islesnet.scanner import examination_of, is_dicom
from islesnet.volumes.file_names import is_written, natural_key, read_name, stem_of, words_of

logger = logging.getLogger(__name__)

# Folders within folders that are looked through for a first scan: patient, examination, series and one to spare.
_DEEPEST = 4
# Every run of islesnet leaves this file in its folder.
_MARK_OF_RESULTS = "provenance.json"


def find_patients(folder: Path | str, one_patient: bool = False) -> list[Case | RawScans]:
    """Find the patients, prepared and raw alike, in natural order.

    Files that are named by their sequence are taken as they are named (`islesnet.data.find_cases`); everything else,
    DICOM, files of any names, sequences on grids of their own, is left to `islesnet.scanner.read_patient`, patient by
    patient, later. DICOM folders side by side are one patient where they are of one examination, otherwise one
    patient each. Folders of results are passed over.

    Args:
        folder: a data set, a folder of patients' folders, one patient's folder, or a CSV table.
        one_patient: the folder is one patient's, however it looks.

    Raises:
        InputError: where nothing is found, or for a ``one_patient`` that is neither True nor False.
    """
    require_switch(one_patient, "one_patient")
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  - "data/.." names its parent, links stay
    if one_patient:
        return [RawScans(folder.name, folder)]
    layout = _layout_of(folder)
    if layout not in (None, "folders"):
        return list(find_cases(folder, layout or "auto"))
    if next(_scans_in(folder), None) is not None:
        return _patients_of_folder(folder)
    first_scans = {child: scan for child in _folders_in(folder) if (scan := _first_scan(child)) is not None}
    if _are_of_one_examination(list(first_scans.values())):
        return [RawScans(folder.name, folder)]
    if not first_scans or (layout == "folders" and _are_parts(list(first_scans))):
        return list(find_cases(folder))  # or it says what lies there, and what would be understood
    patients = [patient for child in first_scans for patient in _patients_of_folder(child)]
    return sorted(patients, key=lambda patient: natural_key(patient.patient))


def _layout_of(folder: Path) -> str | None:
    try:
        return detect_layout(folder)
    except InputError:
        if not folder.is_dir():
            raise
        return None


def _are_of_one_examination(scans: Sequence[Path]) -> bool:
    """Tell whether scans, one of each folder, are all DICOM and of one study; one folder alone is a study's own."""
    if not scans or any(_is_volume(scan) for scan in scans):
        return False
    examinations = {examination_of(scan) for scan in scans}
    return len(scans) == 1 or (len(examinations) == 1 and "" not in examinations)


def _are_parts(children: Sequence[Path]) -> bool:
    """Tell whether folders are parts of one patient: dwi/ and FLAIR/, with files of any name."""
    return all(child.name.lower() == "anat" or read_name(child.name).role for child in children)


def _patients_of_folder(folder: Path) -> list[Case | RawScans]:
    """Take what lies directly in a folder by its names where that is prepared, or else leave it to the scanner."""
    raw = RawScans(folder.name, folder)
    if not any(_is_volume(scan) for scan in _scans_in(folder)):
        return [raw]
    try:
        cases = find_cases(folder, "folders")
    except InputError as refusal:  # no names, or two files of one name: which is meant, the scanner's reading may know
        logger.debug("%s", refusal)
        return [raw]
    return [raw] if len(cases) == 1 and not is_on_one_grid(cases[0].sequences.values()) else list(cases)


def _scans_in(folder: Path) -> Iterator[Path]:
    """Go through the volumes and DICOM files directly in a folder, without the masks that islesnet wrote."""
    return (path for path in _entries(folder) if path.is_file() and (_is_volume(path) or _is_dicom(path)))


def _first_scan(folder: Path, depth: int = _DEEPEST) -> Path | None:
    """Find any scan in a folder or below it."""
    scan = next(_scans_in(folder), None)
    if scan is None and depth > 0:
        below = (_first_scan(child, depth - 1) for child in _folders_in(folder))
        scan = next((found for found in below if found is not None), None)
    return scan


def _folders_in(folder: Path) -> list[Path]:
    return [path for path in _entries(folder) if path.is_dir() and not (path / _MARK_OF_RESULTS).exists()]


def _entries(folder: Path) -> list[Path]:
    try:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        logger.warning("The folder %s cannot be opened (%s); left out", folder, (error.strerror or "").lower())
        return []
    return sorted(shown, key=lambda path: natural_key(path.name))


def _is_volume(path: Path) -> bool:
    stem = stem_of(path.name)
    return stem is not None and not is_written(words_of(stem) or [""])


def _is_dicom(path: Path) -> bool:
    if stem_of(path.name) is not None:
        return False
    try:
        return is_dicom(path)
    except OSError:
        return False
