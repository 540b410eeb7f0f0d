"""What is told of a folder in which patients were found: what was taken together, and what was left out."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from islesnet.data import Case
from islesnet.patients.folders import (
    archives_in,
    folders_but_results,
    folders_from,
    folders_of_results,
    is_volume,
    name_without_suffix,
    scans_in,
    unread_in,
    volumes_but_results,
)
from islesnet.patients.joining import have_no_name_in_common
from islesnet.patients.scans import RawScans
from islesnet.scanner import may_be_sequence, sequence_by_name
from islesnet.volumes.file_names import is_drawn, words_of

logger = logging.getLogger(__name__)

# Folders within folders: deeper than the sessions of a data set lie, and the kinds of scans in them.
_DEEPEST_TOLD = 3


def some(names: Sequence[str]) -> str:
    """Name the first four."""
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def tell_apart(folder: Path, patients: Sequence[Case | RawScans]) -> None:
    """Say that files are taken for several patients'."""
    told = f"these are {len(patients)} patients ({some([patient.patient for patient in patients])})"
    logger.info("%s: by the files' names %s; where they are one, say --one-patient", folder.name, told)


def tell_left_over(folder: Path, patients: Sequence[Case | RawScans]) -> None:
    """Name the scans of a flat folder that no patient has."""
    files = {path for patient in patients for path in _files_of(patient)}
    others = [scan for scan in scans_in(folder) if scan not in files and not is_by_product(scan)]
    left_over = [scan.name for scan in others if may_be_sequence(name_without_suffix(scan))]
    if left_over:
        told = f"{len(left_over)} left out, as the names do not say which sequence or whose"
        logger.warning("%s: %s: %s; name them, or give each patient a folder", folder, told, some(left_over))


def tell_without_common_name(folder: Path) -> None:
    """Say that files without a common name are taken for one patient's."""
    scans = [scan for scan in volumes_but_results(folder) if sequence_by_name(name_without_suffix(scan))]
    if have_no_name_in_common(scans):
        told = f"its files ({some([scan.name for scan in scans])}) are taken for one patient's"
        logger.info("%s: %s; where they are several people's, give each a folder", folder.name, told)


def tell_as_one(folder: Path, children: Sequence[Path]) -> None:
    """Say that folders named as sequences are taken for one patient's."""
    told = f"its folders ({some([child.name for child in children])}) are named as sequences"
    logger.info(
        "%s: %s and are taken for one patient's; where they are several people's, segment each by itself",
        folder.name,
        told,
    )


def tell_passed_over(folder: Path) -> None:
    """Name the results that are passed over."""
    results = [child.name for child in folders_of_results(folder)]
    if results:
        logger.warning("%s: results of an earlier run are passed over: %s", folder, some(results))


def tell_unread(folder: Path, patients: Sequence[Case | RawScans]) -> None:
    """Name the archives and the volumes of formats that are not read: they may be another patient's, or a sequence."""
    surveyed = [patient.folder for patient in patients if isinstance(patient, RawScans) and patient.folder is not None]
    unread = []
    below = [place for child in folders_but_results(folder) for place in folders_from(child, _DEEPEST_TOLD - 1)]
    for place in (folder, *below):
        volumes = list(unread_in(place))
        if volumes and any(place.is_relative_to(known) for known in surveyed):  # the reading of those scans tells them
            volumes = []
        unread += [*archives_in(place), *volumes]
    if unread:
        told = some([str(path.relative_to(folder)) for path in unread])
        logger.warning("%s: not read: %s; unpack archives of scans, and convert volumes to NIfTI", folder, told)


def is_by_product(scan: Path) -> bool:
    """Tell whether a file is a mask, or a map that is looked for beside the DWI."""
    name = name_without_suffix(scan)
    return is_volume(scan) and (is_drawn(name) or "adc" in words_of(name))


def _files_of(patient: Case | RawScans) -> Collection[Path]:
    return patient.files.values() if isinstance(patient, Case) else patient.named.values()
