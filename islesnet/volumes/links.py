"""Where links within a patient's folder lead to: links of folders are how data sets share and store scans."""

import os
from pathlib import Path

from islesnet.files import is_link
from islesnet.volumes.file_names import MADE_FOLDERS, MASK_WORDS, ORIGIN_FOLDERS

# What is said of a folder that `leads_to_others`.
OF_OTHERS = "a link to what else lies in the data set (another patient's?)"
# Folders of a data set that hold what is of many patients.
_POOLS = ORIGIN_FOLDERS | MADE_FOLDERS | MASK_WORDS | {"rawdata", "store", "labels", "masks"}


def leads_to_others(folder: Path, patient: Path) -> bool:
    """Tell whether a folder within a patient's is a link to another patient's folder, or to what holds the patients.

    The folder that the patient's lies in is taken for the data set, and where the patient's is a link, the one that it
    leads to also; each folder in it for a patient's, but those that are hidden or have one of `_POOLS`' names.
    Links out of the data set, and to what bears the patient's name, do not lead to others.

    Args:
        folder: it may be no link.
        patient: the patient's folder.
    """
    if not is_link(folder):
        return False
    target, own = Path(os.path.realpath(folder)), Path(os.path.realpath(patient))
    if target.is_relative_to(own):
        return False
    for data_set in (own.parent, Path(os.path.realpath(patient.parent))):
        if data_set.is_relative_to(target):
            return True
        is_inside = target.is_relative_to(data_set) and data_set != Path(data_set.anchor)
        inside = target.relative_to(data_set).parts if is_inside else ()
        is_pool = bool(inside) and (inside[0].startswith(".") or inside[0].lower() in _POOLS)
        if inside and not is_pool and patient.name not in inside:
            return True
    return False
