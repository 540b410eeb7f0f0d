"""Look through a patient's folder: every file opened once, every volume described, what cannot be read set aside."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from islesnet.errors import InputError
from islesnet.failures import printable
from islesnet.result_files import is_result
from islesnet.scanner.candidate import Candidate, UnusableError
from islesnet.scanner.dicom import Frame, candidates_in_series, is_dicom, read_frames, series_name
from islesnet.scanner.dicom.persons import Person, count_persons
from islesnet.scanner.volume_files import candidates_in_file
from islesnet.volumes.file_names import SYSTEM_FOLDERS, natural_key, stem_of, unread_format
from islesnet.volumes.links import OF_OTHERS, leads_to_others

# A PACS may name files and folders after the patient, and a file that cannot be read does not say who that is.
UNNAMED = "DICOM file"

_MOST_FILES = 100_000


@dataclass
class Survey:
    """What lies in a folder.

    Args:
        candidates: every volume that was described, sound or not.
        unreadable: (file, reason) of what could not be read at all; `UNNAMED` for a file whose name must not be shown.
        persons: digests of the patients that the DICOM headers name; never shown.
    """

    candidates: list[Candidate] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    persons: set[Person] = field(default_factory=set)


def survey(root: Path, patient: str, leave_out: Collection[Path] = ()) -> Survey:
    """Describe the volumes below a folder, or in one file.

    Args:
        root: the folder, or a file: a volume, or one slice of the DICOM series that is meant.
        patient: name of the patient's folder.
        leave_out: files that are not looked at, because they are in use already.

    Raises:
        InputError: for two patients in one folder, or a folder that cannot be looked through.
    """
    found = Survey()
    frames: list[Frame] = []
    base = root if root.is_dir() else root.parent
    for path in _files(root, found):
        inside = printable(str(path.relative_to(base)))
        if path in leave_out:
            continue
        try:
            frames += _describe(path, inside, patient, found)
        except UnusableError as error:
            _leave_out(found, path, inside, str(error))
        except OSError as error:
            _leave_out(found, path, inside, f"cannot be read ({(error.strerror or 'damaged').lower()})")
    if root.is_file() and frames:
        frames = _series_around(root, frames[0].series)
    found.persons = {frame.person for frame in frames}
    if (count := count_persons(found.persons)) > 1:
        raise InputError(f"{root} holds scans of {count} patients by their DICOM headers; one folder a patient")
    _add_series(found, frames)
    return found


def files_of(candidates: Collection[Candidate]) -> set[Path]:
    """Return the files that candidates are read from."""
    frames = {frame.path for candidate in candidates for frame in candidate.frames}
    return frames | {Path(candidate.series) for candidate in candidates if not candidate.frames}


def _describe(path: Path, inside: str, patient: str, found: Survey) -> list[Frame]:
    """Add a file's volumes to what was found, or give its DICOM slices; a file of any other kind gives neither.

    Raises:
        UnusableError: for a file that should be read and cannot be.
        OSError: where it cannot be opened.
    """
    if path.exists() and not path.is_file():  # reading from a pipe would block
        raise UnusableError("is a device or a pipe, not a file")
    if stem_of(path.name) is not None:
        found.candidates += candidates_in_file(path, inside, patient, Path(inside).parent.name)
        return []
    if is_dicom(path):
        return read_frames(path, inside)
    if (told := unread_format(path.name)) is not None:
        found.unreadable.append((inside, f"is {told}, which is not read: convert it to NIfTI (.nii.gz)"))
    return []


def _leave_out(found: Survey, path: Path, inside: str, reason: str) -> None:
    found.unreadable.append((UNNAMED if stem_of(path.name) is None else inside, reason))


def _files(root: Path, found: Survey) -> Iterator[Path]:
    """Walk the files in natural order, hidden names and islesnet's own results left out.

    Links are followed, but none twice and none to other patients.
    """
    if root.is_file():
        yield root
        return

    def note_closed(error: OSError) -> None:
        inside = printable(os.path.relpath(error.filename, root))
        found.unreadable.append((inside, f"the folder cannot be opened ({(error.strerror or str(error)).lower()})"))

    seen: set[str] = set()
    count = 0
    for folder, below, names in os.walk(root, onerror=note_closed, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        shown = [Path(folder) / name for name in sorted(below, key=natural_key) if _is_looked_into(Path(folder) / name)]
        others = [path for path in shown if leads_to_others(path, root)]
        found.unreadable += [(printable(str(path.relative_to(root))), f"is {OF_OTHERS}") for path in others]
        below[:] = [path.name for path in shown if path not in others]
        for name in sorted(names, key=natural_key):
            if name.startswith(".") or is_result(Path(folder) / name):
                continue
            count += 1
            if count > _MOST_FILES:
                raise InputError(f"{root} holds more than {_MOST_FILES:,} files; give one patient's folder")
            yield Path(folder) / name


def _is_looked_into(folder: Path) -> bool:
    return not (folder.name.startswith(".") or folder.name in SYSTEM_FOLDERS or is_result(folder))


def _series_around(path: Path, series: str) -> list[Frame]:
    """Gather all slices of a series from the folder in which one of them lies."""
    frames = []
    for other in sorted(path.parent.iterdir(), key=lambda entry: natural_key(entry.name)):
        try:
            if other.is_file() and stem_of(other.name) is None and is_dicom(other):
                frames += [frame for frame in read_frames(other, other.name) if frame.series == series]
        except (UnusableError, OSError):
            continue
    return frames


def _add_series(found: Survey, frames: list[Frame]) -> None:
    """Sort slices into series, copies left out, in the order of the series' numbers."""
    series: dict[str, dict[str, Frame]] = {}
    for frame in frames:
        series.setdefault(frame.series, {}).setdefault(frame.instance, frame)
    order = sorted(series, key=lambda key: (next(iter(series[key].values())).series_number or 0, key))
    for key in order:
        own = list(series[key].values())
        found.candidates += candidates_in_series(own, series_name(own))
