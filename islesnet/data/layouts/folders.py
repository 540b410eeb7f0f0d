"""Plain folders: a folder a patient, or one patient's own folder, or a flat folder; the file names say the sequence."""

import logging
from pathlib import Path

from islesnet.data.case import Case
from islesnet.data.layouts.assembly import assemble, assemble_by_name, claim, reading_of
from islesnet.data.layouts.listing import (
    DICOM_HINT,
    entries,
    folders_in,
    holds_dicom,
    own_folders_in,
    tell_others,
    volumes_in,
)
from islesnet.volumes.file_names import NameReading, natural_key, read_name, says_only_how

NAME = "folders"
DESCRIPTION = (
    "a folder of patients' folders, one patient's folder, or a flat folder, "
    "with files named by sequence: dwi.nii.gz, <patient>_FLAIR.nii.gz"
)

logger = logging.getLogger(__name__)


def recognises(folder: Path) -> bool:
    """Tell whether any file in the folder or in its subfolders is named by a sequence."""
    below = folders_in(folder)
    return any(_holds_sequences(child) for child in [folder, *below]) or any(
        _holds_sequences(part) for child in below for part in _parts(child)
    )


def find(folder: Path) -> list[Case]:
    """Find the patients; files directly in the folder come first, subfolders count only where there are none.

    Raises:
        InputError: where two files claim the same sequence of a patient.
    """
    if _holds_sequences(folder):
        if any(_holds_sequences(child) for child in folders_in(folder)):
            logger.warning("%s holds sequences itself: its subfolders are not looked into", folder)
        return cases_in_files(folder)
    cases = []
    for child in folders_in(folder):
        case = _case_of_folder(child)
        if case is None:
            logger.warning("%s holds no file named by a sequence; left out (%s)", child, _seen(child))
        else:
            cases.append(case)
    if not cases and (own := _case_of_folder(folder)) is not None:
        return [own]
    return cases


def cases_in_files(folder: Path) -> list[Case]:
    """Make one case of the files directly in a folder, or several where their names tell patients apart.

    Returns:
        the cases in natural order; none where no file is named by a sequence.

    Raises:
        InputError: where two files claim the same sequence of a patient.
    """
    if not _holds_sequences(folder):
        return []
    readings = [(path, reading_of(path, folder.name)) for path in volumes_in(folder)]
    named = [(path, reading) for path, reading in readings if claim(path, reading) is not None]
    if _tells_patients_apart([reading for _, reading in named]):
        patients: dict[str, list[tuple[str, Path]]] = {}
        for path, reading in named:
            patients.setdefault(reading.rest, []).append((str(reading.role), path))
        cases = [assemble(patient, claims) for patient, claims in patients.items()]
        return sorted((case for case in cases if case is not None), key=lambda case: natural_key(case.patient))
    case = assemble(folder.name, [(str(reading.role), path) for path, reading in named])
    return [case] if case is not None else []


def _case_of_folder(folder: Path) -> Case | None:
    tell_others(folder)
    paths = volumes_in(folder)
    if not any(_is_sequence(path, folder) for path in paths):
        paths = paths + [path for part in _parts(folder) for path in volumes_in(part)]
    return assemble_by_name(folder.name, paths)


def _parts(folder: Path) -> list[Path]:
    """List the subfolders that belong to the same patient: `anat`, `dwi`, `FLAIR`, `label`."""
    children = own_folders_in(folder, folder)
    return [child for child in children if child.name.lower() == "anat" or read_name(child.name).role]


def _tells_patients_apart(readings: list[NameReading]) -> bool:
    """A folder is flat where a role comes twice and the rest of the names groups the files without a clash."""
    roles = [reading.role for reading in readings]
    if len(set(roles)) == len(roles):
        return False
    rests = [reading.rest for reading in readings]
    keys = list(zip(rests, roles, strict=True))
    is_clean = all(rests) and len(set(rests)) > 1 and len(set(keys)) == len(keys)
    # "AX_T1, SAG_T1, AX_T2" are one patient's too; a "head_t1" among others is a patient's.
    if sum(map(says_only_how, set(rests))) > len(set(rests)) / 2:
        return False
    # "AX_DWI_4, AX_DWI_5, T1_2" are series of one patient, not three patients: nothing groups them.
    return is_clean and (len(set(rests)) < len(rests) or len(set(roles)) == 1)


def _holds_sequences(folder: Path) -> bool:
    return any(_is_sequence(path, folder) for path in volumes_in(folder))


def _is_sequence(path: Path, folder: Path) -> bool:
    role = reading_of(path, folder.name).role
    return role is not None and role != "label"


def _seen(folder: Path) -> str:
    names = [entry.name for entry in entries(folder)]
    if holds_dicom(folder):
        return f"it holds {DICOM_HINT}"
    return "it holds " + (", ".join(names[:4]) + (" ..." if len(names) > 4 else "") if names else "nothing")
