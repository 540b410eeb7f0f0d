"""Look into a data set's folders: what lies there, results too; a closed folder is refused by its name."""

import logging
from pathlib import Path

from islesnet.counts import first_of
from islesnet.errors import InputError
from islesnet.volumes.file_names import stem_of
from islesnet.volumes.links import OF_OTHERS, leads_to_others
from islesnet.volumes.listing import shown_in

logger = logging.getLogger(__name__)

DICOM_HINT = "DICOM files: convert them to NIfTI for a data set, or give them to `islesnet segment`"


def entries(folder: Path) -> list[Path]:
    """List what lies in a folder, hidden names left out, in natural order.

    Raises:
        InputError: where the folder cannot be opened.
    """
    return [folder / name for name in _names_in(folder)]


def folders_in(folder: Path) -> list[Path]:
    """List the folders (and links to folders) that lie directly in a folder."""
    return [folder / name for name in _names_in(folder) if name.endswith("/")]


def own_folders_in(folder: Path, patient: Path) -> list[Path]:
    """List the folders directly in a patient's folder, or in one of its own, without links that lead to others."""
    return [child for child in folders_in(folder) if not leads_to_others(child, patient)]


def tell_others(patient: Path) -> None:
    """Name the links that lead from a patient's folder, and from those in it, to others of the data set."""
    places = [patient, *own_folders_in(patient, patient)]
    others = [child for place in places for child in folders_in(place) if leads_to_others(child, patient)]
    if others:
        names = first_of((str(child.relative_to(patient)) for child in others), most=4)
        logger.warning("%s: not looked into: %s; each is %s", patient, names, OF_OTHERS)


def volumes_in(folder: Path) -> list[Path]:
    """List the files (and links, even to nothing) directly in a folder whose suffix is that of a volume."""
    return [folder / name for name in _names_in(folder) if stem_of(name) is not None and not name.endswith("/")]


def holds_dicom(folder: Path) -> bool:
    """Tell whether files named as DICOM lie in a folder or directly below it."""
    files = [*entries(folder), *(path for child in folders_in(folder) for path in entries(child))]
    return any(path.suffix.lower() in (".dcm", ".ima") for path in files)


def _names_in(folder: Path) -> list[str]:
    try:
        return shown_in(folder)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"the folder {str(folder)!r} cannot be read ({reason}); allow reading it or move it out of the data set"
        ) from error
