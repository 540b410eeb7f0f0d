"""What lies in a folder: scans, folders of scans, and a run's results, which are passed over; so is what is closed."""

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from islesnet.files import exists, is_file, is_folder
from islesnet.result_files import has_results, is_result, is_run_folder
from islesnet.scanner import is_dicom, may_be_sequence, sequence_by_name
from islesnet.volumes.file_names import (
    is_archive,
    is_drawn,
    is_written,
    stem_of,
    unread_format,
    without_patient,
    words_of,
)
from islesnet.volumes.links import leads_to_others
from islesnet.volumes.listing import can_be_listed, shown_in

logger = logging.getLogger(__name__)

# Folders within folders that are looked through: deeper than any export lies, and less than Python's recursion allows.
_DEEPEST = 64
# Templates that analyses bring along are nobody's scans.
_NOBODYS = {"template", "atlas", "mni", "mni152", "icbm", "icbm152"}


def name_without_suffix(path: Path) -> str:
    """Give a file's name without the suffix of a volume; a name without such a suffix, whole."""
    return stem_of(path.name) or path.name


def scans_in(folder: Path) -> Iterator[Path]:
    """Go through the volumes and DICOM files directly in a folder, without what islesnet wrote."""
    return (path for path in _entries_if_open(folder) if is_file(path) and (is_volume(path) or is_dicom_file(path)))


def volumes_but_results(folder: Path) -> Iterator[Path]:
    """Go through the volumes directly in a folder, without what islesnet wrote."""
    return (path for path in _entries_if_open(folder) if is_volume(path) and is_file(path))


def folders_from(folder: Path, depth: int = _DEEPEST) -> Iterator[Path]:
    """Go through a folder and those below it, results left out, each once whatever links lead to it.

    What links lead to from a patient's folder to others of the data set is left out.
    """
    return _folders_from(folder, folder, depth, set())


def unread_in(folder: Path) -> Iterator[Path]:
    """Go through the volumes directly in a folder whose formats are not read."""
    return (path for path in _entries_if_open(folder) if unread_format(path.name) and is_file(path))


def archives_in(folder: Path) -> Iterator[Path]:
    """Go through the archives directly in a folder."""
    return (path for path in _entries_if_open(folder) if is_archive(path.name) and is_file(path))


def volumes_below(folder: Path) -> Iterator[Path]:
    """Go through the volumes in a folder and below it, without what islesnet wrote."""
    return (path for place in folders_from(folder) for path in volumes_but_results(place))


def first_scan(folder: Path) -> Path | None:
    """Find any scan in a folder or below it."""
    return next((scan for place in folders_from(folder) for scan in scans_in(place)), None)


def may_hold_sequence(folder: Path) -> bool:
    """Tell whether DICOM or what may be a sequence by its name, or by its folder's, lies in a patient's folder."""
    scans = (scan for place in folders_from(folder) for scan in scans_in(place))
    return any(not is_volume(scan) or _may_be_sequence(scan) for scan in scans)


def folders_of_scans(folder: Path) -> list[Path]:
    """List the folders directly in a folder that hold scans; others, but results, are left out with a warning."""
    return [child for child in folders_but_results(folder) if _holds_scan(child)]


def folders_of_unread(folder: Path) -> list[Path]:
    """List the folders directly in a folder that hold no scan, but volumes whose formats are not read."""
    return [child for child in folders_but_results(folder) if first_scan(child) is None and _holds_unread(child)]


def folders_of_archives(folder: Path) -> list[Path]:
    """List the folders directly in a folder that hold archives and nothing else."""
    return [child for child in folders_but_results(folder) if _holds_archives_alone(child)]


def folders_of_results(folder: Path) -> list[Path]:
    """List the patients' results directly in a folder that hold scans: those that a run registered."""
    return [path for path in _entries_if_open(folder) if is_result(path) and first_scan(path) is not None]


def folders_but_results(folder: Path) -> list[Path]:
    """List the folders directly in a folder, without patients' results."""
    return [path for path in _entries_if_open(folder) if is_folder(path) and not is_result(path)]


def is_volume(path: Path) -> bool:
    """Tell by its name whether a file is a volume, and none that islesnet wrote."""
    stem = stem_of(path.name)
    return stem is not None and not is_written(words_of(stem) or [""]) and not is_result(path)


def is_dicom_file(path: Path) -> bool:
    """Tell whether a file begins as DICOM does, and is neither a volume nor a DICOMDIR."""
    if stem_of(path.name) is not None or path.name.upper() == "DICOMDIR":  # the latter says what lies elsewhere
        return False
    try:
        return is_dicom(path)
    except OSError:
        return False


def _folders_from(folder: Path, top: Path, depth: int, seen: set[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    yield folder
    for child in folders_but_results(folder) if depth > 0 else []:
        if not leads_to_others(child, top):
            yield from _folders_from(child, top, depth - 1, seen)


def _holds_scan(folder: Path) -> bool:
    """Tell whether a folder is to be looked at: it holds a scan, or one that cannot be opened or is not there."""
    if any(map(_is_closed, folders_from(folder))):
        return True
    loose = list(scans_in(folder))
    is_of_results = any(map(is_result, _entries_if_open(folder)))
    # Masks that somebody corrected lie among results, and are no scans.
    passed_over = [scan.name for scan in loose if is_of_results and is_volume(scan) and _is_of_results(scan)]
    if len(passed_over) < len(loose) or any(first_scan(child) is not None for child in folders_but_results(folder)):
        return True
    if any(next(_lost_scans_in(place), None) for place in folders_from(folder)):
        return True
    if passed_over:
        told = "holds a run's results, and beside them only what may be corrected masks"
        hint = "left out; name a patient's scan by its sequence"
        logger.warning("%s %s (%s); %s", folder, told, ", ".join(passed_over), hint)
    elif not is_of_results and not _holds_unread(folder) and not _holds_archives_alone(folder):
        logger.warning("%s holds no scan; left out", folder)
    return False


def _holds_archives_alone(folder: Path) -> bool:
    files = (path for place in folders_from(folder) for path in _entries_if_open(place) if not is_folder(path))
    first = next(files, None)
    return first is not None and is_archive(first.name) and all(is_archive(path.name) for path in files)


def _holds_unread(folder: Path) -> bool:
    return any(next(unread_in(place), None) for place in folders_from(folder))


def _is_of_results(scan: Path) -> bool:
    """Tell whether a volume among results is named as drawn or by one of their patients, and not by a sequence."""
    stem = name_without_suffix(scan)
    if sequence_by_name(stem, scan.parent.name) is not None:
        return False
    beginnings = [stem[: separator.start()] for separator in re.finditer(r"[_ .-]", stem)]
    # Without a run's provenance results may have been copied to a patient's scans.
    is_patients = is_run_folder(scan.parent) and any(has_results(scan.parent, name) for name in beginnings)
    return is_patients or is_drawn(without_patient(stem, scan.parent.name))


def _entries_if_open(folder: Path) -> list[Path]:
    """List what lies in a folder; nothing where it cannot be opened, which `_holds_scan` notices."""
    try:
        return [folder / name for name in shown_in(folder)]
    except OSError as error:
        logger.debug("The folder %s cannot be opened (%s)", folder, (error.strerror or "").lower())
        return []


def _is_closed(folder: Path) -> bool:
    """Tell whether a folder cannot be opened."""
    return not (can_be_listed(folder) and os.access(folder, os.X_OK))


def _lost_scans_in(folder: Path) -> Iterator[Path]:
    """Go through what may be sequences, directly in a folder, and are links to files that are not there."""
    lost = (path for path in _entries_if_open(folder) if stem_of(path.name) and path.is_symlink() and not exists(path))
    return (
        path for path in lost if _may_be_sequence(path) and _NOBODYS.isdisjoint(words_of(name_without_suffix(path)))
    )


def _may_be_sequence(volume: Path) -> bool:
    return may_be_sequence(name_without_suffix(volume)) or sequence_by_name(volume.parent.name) is not None
