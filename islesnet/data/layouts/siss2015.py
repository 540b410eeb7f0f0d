"""ISLES 2015 SISS as distributed: `<n>/VSD.Brain.XX.O.MR_DWI.<id>/VSD.Brain.XX.O.MR_DWI.<id>.nii` and its variants."""

from pathlib import Path

from islesnet.data.case import Case
from islesnet.data.layouts.assembly import assemble, claim, reading_of
from islesnet.data.layouts.listing import entries, folders_in, own_folders_in, tell_others, volumes_in

NAME = "siss2015"
DESCRIPTION = "ISLES 2015 SISS: <n>/VSD.Brain.XX.O.MR_DWI.<id>/*.nii"


def recognises(folder: Path) -> bool:
    """Tell whether a folder is a SISS patient, a set of them, or holds the training and the testing set."""
    return bool(_patients(folder))


def find(folder: Path) -> list[Case]:
    """Find the SISS patients; where sets lie side by side, the set's name goes before the patient's number."""
    patients = _patients(folder)
    sets = {patient.parent for patient in patients}
    cases = []
    for patient in patients:
        name = patient.name if len(sets) == 1 else f"{patient.parent.name}-{patient.name}"
        case = assemble(name, _claims(patient))
        if case is not None:
            cases.append(case)
    return cases


def _patients(folder: Path) -> list[Path]:
    if _is_patient(folder):
        return [folder]
    below = folders_in(folder)
    patients = [child for child in below if _is_patient(child)]
    if patients:
        return patients
    return [grandchild for child in below for grandchild in folders_in(child) if _is_patient(grandchild)]


def _is_patient(folder: Path) -> bool:
    return any(entry.name.upper().startswith("VSD.BRAIN") for entry in entries(folder))


def _claims(patient: Path) -> list[tuple[str, Path]]:
    tell_others(patient)
    below = own_folders_in(patient, patient)
    volumes = [*volumes_in(patient), *(path for child in below for path in volumes_in(child))]
    claims = [(role, path) for path in volumes if (role := claim(path, reading_of(path))) is not None]
    # Some copies hold an original beside the registered "MR_DWI_reg": the registered one is meant.
    registered = {role for role, path in claims if _is_registered(path)}
    return [(role, path) for role, path in claims if role not in registered or _is_registered(path)]


def _is_registered(path: Path) -> bool:
    return "_reg." in path.name.lower()
