"""What lies in a folder: scans, folders of scans, results that are passed over."""

import logging
from collections.abc import Iterator
from pathlib import Path

from islesnet.scanner import is_dicom
from islesnet.volumes.file_names import MARK_OF_RESULTS, SYSTEM_FOLDERS, is_written, natural_key, stem_of, words_of

logger = logging.getLogger(__name__)

# Folders within folders that are looked through for a first scan: patient, examination, series and one to spare.
_DEEPEST = 4
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")


def stem(path: Path) -> str:
    """Give a file's name without the suffix of a volume; a name without such a suffix, whole."""
    return stem_of(path.name) or path.name


def scans_in(folder: Path) -> Iterator[Path]:
    """Go through the volumes and DICOM files directly in a folder, without the masks that islesnet wrote."""
    return (path for path in _entries(folder) if path.is_file() and (is_volume(path) or _is_dicom(path)))


def first_scan(folder: Path, depth: int = _DEEPEST) -> Path | None:
    """Find any scan in a folder or below it."""
    scan = next(scans_in(folder), None)
    if scan is None and depth > 0:
        below = (first_scan(child, depth - 1) for child in folders_in(folder))
        scan = next((found for found in below if found is not None), None)
    return scan


def _holds_scan(folder: Path) -> bool:
    """Tell whether a folder is to be looked at: it holds a scan, or nobody can tell because it cannot be opened."""
    if first_scan(folder) is not None:
        return True
    try:
        next(folder.iterdir(), None)
    except OSError:
        return True
    is_packed = any(path.suffix.lower() in _ARCHIVES for path in _entries(folder))
    logger.warning("%s holds no scan; left out%s", folder, " (unpack what is zipped there)" if is_packed else "")
    return False


def folders_of_scans(folder: Path) -> list[Path]:
    """List the folders directly in a folder that hold scans; others are left out with a warning."""
    for path in _entries(folder):
        scans = scans_in(path) if _holds_results(path) else iter(())
        scan = next((scan for scan in scans if not stem(scan).endswith("_probability")), None)
        if scan is not None:
            logger.warning("%s holds results and is left out, with %s beside them; move either away", path, scan.name)
    return [child for child in folders_in(folder) if _holds_scan(child)]


def folders_in(folder: Path) -> list[Path]:
    """List the folders directly in a folder, without those of results."""
    return [path for path in _entries(folder) if path.is_dir() and not _holds_results(path)]


def _holds_results(folder: Path) -> bool:
    return (folder / MARK_OF_RESULTS).exists()


def _entries(folder: Path) -> list[Path]:
    try:
        shown = [path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in SYSTEM_FOLDERS]
    except OSError as error:
        logger.warning("The folder %s cannot be opened (%s)", folder, (error.strerror or "").lower())
        return []
    return sorted(shown, key=lambda path: natural_key(path.name))


def is_volume(path: Path) -> bool:
    """Tell by its name whether a file is a volume, and none that islesnet wrote."""
    stem = stem_of(path.name)
    return stem is not None and not is_written(words_of(stem) or [""])


def _is_dicom(path: Path) -> bool:
    if stem_of(path.name) is not None or path.name.upper() == "DICOMDIR":  # the latter says what lies elsewhere
        return False
    try:
        return is_dicom(path)
    except OSError:
        return False
