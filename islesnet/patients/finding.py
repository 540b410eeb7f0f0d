"""Find the patients in a folder: a data set in a known layout, one patient's raw scans, or a folder for each."""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from islesnet.data import Case, cases_in_files, find_cases
from islesnet.errors import InputError, require_paths, require_switch
from islesnet.patients.data_sets import as_one_persons, layout_of, patients_in_layout, raw_patient, with_lost
from islesnet.patients.folders import (
    first_scan,
    folders_but_results,
    folders_of_archives,
    folders_of_results,
    folders_of_scans,
    folders_of_unread,
    is_volume,
    name_without_suffix,
    scans_in,
    unread_in,
)
from islesnet.patients.grids import is_on_one_grid
from islesnet.patients.joining import (
    are_named_as_series,
    are_parts,
    is_anothers,
    is_beside,
    is_further,
    names_somebody,
)
from islesnet.patients.scans import RawScans
from islesnet.patients.telling import (
    is_by_product,
    some,
    tell_apart,
    tell_as_one,
    tell_left_over,
    tell_passed_over,
    tell_unread,
    tell_without_common_name,
)
from islesnet.scanner import examination_of, sequence_by_name
from islesnet.volumes.file_names import natural_key
from islesnet.volumes.listing import listed_once

logger = logging.getLogger(__name__)


def find_patients(folder: Path | str, one_patient: bool = False) -> list[Case | RawScans]:
    """Find the patients, prepared and raw alike, in natural order.

    Files that are named by their sequence are taken as they are named (`islesnet.data.find_cases`); everything else,
    DICOM, files of any names, sequences on grids of their own, is left to `islesnet.scanner.read_patient`, patient by
    patient, later. DICOM folders side by side are one patient where they are of one examination, otherwise one
    patient each. Results of earlier runs are passed over, unless there is nothing else, and folders without a scan
    with a warning; one that cannot be opened is a patient, so that it is told among those that failed. Archives and
    volumes of formats that are not read are named in a warning; a folder that holds nothing else is a patient who
    fails.

    Args:
        folder: a data set, a folder of patients' folders, one patient's folder, or a CSV table.
        one_patient: the folder is one patient's, however it looks.

    Raises:
        InputError: where nothing is found, two patients would have one name, it is not clear whose a file is, for a
            folder that is no path, or a ``one_patient`` that is neither True nor False.
    """
    require_switch(one_patient, "one_patient")
    require_paths({"dataset_dir": folder})
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  - "data/.." names its parent, links stay
    patients: list[Case | RawScans] = []
    with listed_once():  # a hospital's share may take a second for each folder
        if one_patient:
            patients += [replace(raw_patient(folder), one_patient=True)]
        else:
            patients += _patients_in(folder)
        tell_unread(folder, patients)
    return patients


def _patients_in(folder: Path) -> list[Case | RawScans]:
    layout = layout_of(folder)
    if layout not in (None, "folders"):
        return patients_in_layout(folder, str(layout))
    if next(scans_in(folder), None) is not None:
        return _patients_of_flat_folder(folder)
    return _patients_of_children(folder, has_layout=layout is not None)


def _patients_of_flat_folder(folder: Path) -> list[Case | RawScans]:
    """Find the patients in a folder of scans: one, or several that the names of files tell apart."""
    tell_passed_over(folder)
    patients = _patients_of_folder(folder)
    if len(patients) > 1:
        _require_alone(folder)
        tell_apart(folder, patients)
        tell_left_over(folder, patients)
        return patients
    if patients == [raw_patient(folder)]:
        _require_clear(folder)
    tell_without_common_name(folder)
    return patients


def _patients_of_children(folder: Path, has_layout: bool) -> list[Case | RawScans]:
    """Find the patients in a folder that holds folders alone: parts of one patient, or one patient each.

    Args:
        folder: where they lie.
        has_layout: the folder looks like a data set of patients' folders.

    Raises:
        InputError: where nothing is found, or two patients would have one name.
    """
    children, unread = folders_of_scans(folder), folders_of_unread(folder)
    if children:
        tell_passed_over(folder)
    else:
        children = folders_of_results(folder)
    if not children and (next(unread_in(folder), None) or len(unread) == 1 or (unread and are_parts(unread))):
        return [raw_patient(folder)]  # whose reading says what to do
    is_among_others = len(children) == 1 and bool(unread) and not is_beside(children[0], [])
    if len(children) > 1:  # of one alone they may be a viewer or a letter
        unread += folders_of_archives(folder)
    if _hold_one_study(children) and not is_among_others:
        return [raw_patient(folder)]
    if are_named_as_series(children):
        tell_as_one(folder, children)
        return [raw_patient(folder)]
    if not (children or unread) or (has_layout and are_parts(children)):
        try:
            return [with_lost(as_one_persons(case, folder)) for case in find_cases(folder, with_lost=True)]
        except InputError as refusal:  # which says what lies there, and what data sets are understood
            told = f"{refusal}\n  raw scans: DICOM, NIfTI, NRRD or MHA of any names, a folder a patient (not zipped)"
            raise InputError(told) from refusal
    patients = [_patient_of_folder(child) for child in children] + [raw_patient(child) for child in unread]
    _require_each_once(patients, folder)
    return sorted(patients, key=lambda patient: natural_key(patient.patient))


def _require_alone(folder: Path) -> None:
    """Refuse folders of scans beside files that are several patients': whose they are, nobody can tell."""
    children, scans = folders_of_scans(folder), list(scans_in(folder))
    unclear = [child.name for child in children if not is_beside(child, scans)]
    if unclear:
        raise InputError(
            f"{folder} holds patients by its files' names, and folders of scans beside them ({some(unclear)}); move "
            "either away, so that nobody is left out"
        )
    if children:
        logger.warning("%s: %s: not looked into", folder, some([child.name for child in children]))


def _are_one_patient(folders: Sequence[Path]) -> bool:
    """Tell whether folders are parts of one patient: all DICOM of one study, or named as series are."""
    return _hold_one_study(folders) or are_named_as_series(folders)


def _hold_one_study(folders: Sequence[Path]) -> bool:
    """Tell whether every folder holds DICOM of one and the same study, by a scan of each.

    One folder alone holds a study of its own, even where its UID cannot be read.
    """
    scans = [scan for folder in folders if (scan := first_scan(folder)) is not None]
    if not scans or len(scans) < len(folders) or any(is_volume(scan) for scan in scans):
        return False
    studies = {examination_of(scan) for scan in scans}
    return len(scans) == 1 or (len(studies) == 1 and "" not in studies)


def _require_clear(folder: Path) -> None:
    """Refuse files beside patients' folders, whose scans would be taken for one patient's."""
    scans = [scan for scan in scans_in(folder) if is_volume(scan)]
    somebodys = [scan for scan in scans if names_somebody(scan)]
    children = [child for child in folders_of_scans(folder) if not is_further(child, somebodys or scans)]
    unread = [child for child in folders_of_unread(folder) if not is_further(child, somebodys or scans)]
    # One folder more may be of one patient's further scans, unless a file's name is somebody's.
    folders = children + unread
    if len(folders) > 1 and not _are_one_patient(folders):
        beside = f"{len(folders)} folders"
    elif len(children) == 1 and (somebodys or is_anothers(children[0], scans)):
        beside = "a folder"
    else:
        return
    loose = next(iter(somebodys), None) or next(scans_in(folder))
    raise InputError(
        f"{loose} lies beside {beside} of scans ({some([child.name for child in folders])}); move it away where "
        "they are patients, or say --one-patient where they are one"
    )


def _require_each_once(patients: Sequence[Case | RawScans], folder: Path) -> None:
    (name, times), *_ = Counter(patient.patient for patient in patients).most_common(1)
    if times > 1:
        raise InputError(f"{folder}: the patient {name!r} comes twice, and one's results would replace the other's")


def _patient_of_folder(folder: Path) -> Case | RawScans:
    """Take a folder among others for one patient's, whatever its files' names group."""
    patients = _patients_of_folder(folder)
    return patients[0] if len(patients) == 1 else raw_patient(folder)


def _patients_of_folder(folder: Path) -> list[Case | RawScans]:
    """Take what lies directly in a folder by its names where that is prepared, or else leave it to the scanner."""
    raw = raw_patient(folder)
    try:
        cases = cases_in_files(folder)
    except InputError as refusal:  # two files of one name: which is meant, the scanner's reading may know
        logger.debug("%s", refusal)
        return [raw]
    if len(cases) == 1:
        return [as_one_persons(cases[0], folder) if _is_prepared(cases[0], folder) else raw]
    return [with_lost(case) for case in cases] or [raw]


def _is_prepared(case: Case, folder: Path) -> bool:
    """Tell whether a folder's files are on one grid, and their names say all: no scan is left over or means another."""
    if case.lost_sequences:
        return False
    if any(sequence_by_name(name_without_suffix(path), folder.name) != role for role, path in case.sequences.items()):
        return False
    left_over = [scan for scan in scans_in(folder) if scan not in case.files.values() and not is_by_product(scan)]
    is_nested = any(first_scan(child) is not None for child in folders_but_results(folder))
    is_all = not left_over and not is_nested and next(unread_in(folder), None) is None
    return is_all and is_on_one_grid(case.sequences.values())
