"""Patients of data sets in a known layout, whose files' names say what they are."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from islesnet.data import Case, detect_layout, find_cases, name_of_patient
from islesnet.errors import InputError
from islesnet.patients.folders import folders_but_results, folders_of_archives, folders_of_unread, may_hold_sequence
from islesnet.patients.scans import RawScans
from islesnet.volumes.file_names import natural_key
from islesnet.volumes.patient_labels import files_of_two_patients

logger = logging.getLogger(__name__)


def layout_of(folder: Path) -> str | None:
    """Name the layout that a folder or a table has; None for a folder of none.

    Raises:
        InputError: for a file that is no table, and where there is nothing.
    """
    try:
        return detect_layout(folder)
    except InputError as refusal:
        if folder.is_file():
            told = (
                f"{folder} is neither a folder nor a table (.csv, .tsv); give its folder, or say what it is: --dwi PATH"
            )
            raise InputError(told) from refusal
        if not folder.is_dir():
            raise
        return None


def patients_in_layout(folder: Path, layout: str) -> list[Case | RawScans]:
    """Find a data set's patients; a BIDS subject of whom two files say they are the same is left to the scanner."""
    try:
        cases = find_cases(folder, layout, with_lost=True)
        if layout != "bids":
            return [with_lost(case) for case in cases]
        found = [with_lost(as_one_persons(case, _home_of(case))) for case in cases]
        return sorted([*found, *_unnamed_subjects(folder, cases)], key=lambda patient: natural_key(patient.patient))
    except InputError:
        if layout != "bids":
            raise
        if _is_subject(folder):
            return [raw_patient(folder)]
        below = [
            child for child in folders_but_results(folder) if child.name != "derivatives" and layout_of(child) == layout
        ]
        if not below:
            raise
        return [patient for child in below for patient in patients_in_layout(child, layout)]


def with_lost(patient: Case | RawScans) -> Case | RawScans:
    """Let a prepared patient whose sequences are not all there go on with that word."""
    if isinstance(patient, RawScans) or not patient.lost_sequences:
        return patient
    return RawScans(patient.patient, None, patient.sequences, label=patient.label, lost=patient.lost_sequences)


def as_one_persons(case: Case, folder: Path) -> Case | RawScans:
    """Leave a patient whose scans bear the labels of several to the scanner's reading, which refuses that patient."""
    is_several = files_of_two_patients(case.sequences.values(), folder) is not None
    return RawScans(case.patient, folder) if is_several else case


def raw_patient(folder: Path) -> RawScans:
    """Take all that lies in a folder for the raw scans of one patient."""
    return RawScans(name_of_patient(folder), folder)


def _unnamed_subjects(folder: Path, cases: Sequence[Case]) -> list[RawScans]:
    """Find the subjects of a BIDS data set whose scans are not named as BIDS has it: DICOM, other formats, archives."""
    known = [path for case in cases for path in case.sequences.values()]
    packed, others = [*folders_of_unread(folder), *folders_of_archives(folder)], []
    for subject in filter(_is_subject, folders_but_results(folder)):
        if not _holds_any(subject, known):
            others += [raw_patient(subject)] if subject in packed or may_hold_sequence(subject) else []
            continue
        for session in folders_but_results(subject):
            if session.name.startswith("ses-") and not _holds_any(session, known) and may_hold_sequence(session):
                logger.warning("%s: its scans are not named as BIDS has it; left out", session)
    return others


def _holds_any(folder: Path, files: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for path in files)


def _home_of(case: Case) -> Path:
    """Give the folder that all files of a BIDS subject's session lie in."""
    return Path(os.path.commonpath([path.parent for path in case.sequences.values()] or [Path("/")]))


def _is_subject(folder: Path) -> bool:
    return folder.name.startswith("sub-")
