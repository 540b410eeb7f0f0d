"""BIDS: `sub-*[/ses-*]`, with masks beside the images or in `derivatives` (ISLES 2022, ATLAS R2, SOOP)."""

import re
from pathlib import Path

from islesnet.data.case import Case
from islesnet.data.layouts.assembly import assemble, claim, reading_of
from islesnet.data.layouts.listing import folders_in, own_folders_in, tell_others, volumes_in
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import NameReading

NAME = "bids"
DESCRIPTION = "BIDS (ISLES 2022, ATLAS, SOOP): sub-*/[ses-*/]{anat,dwi}/*_dwi.nii.gz, masks there or in derivatives/"

_SUBJECT = re.compile(r"sub-[0-9A-Za-z]+$")
_SESSION = re.compile(r"ses-[0-9A-Za-z]+$")
_SUFFIXES = {"dwi", "trace", "t1w", "t2w", "flair", "msk", "mask", "roi", "lesion", "label", "seg", "t1", "t2"}


def recognises(folder: Path) -> bool:
    """Tell whether a folder is a BIDS subject, a data set, or holds data sets (`rawdata`, ATLAS's cohorts)."""
    return any(_imaged_sessions(subject) for subject in _subjects(folder))


def find(folder: Path) -> list[Case]:
    """Find the subjects; one with several sessions gives a case a session, named `sub-*_ses-*`."""
    cases = []
    for subject in _subjects(folder):
        tell_others(subject)
        sessions = _imaged_sessions(subject)
        derived = _derived_labels(subject)
        for session in sessions:
            claims = _claims(session)
            if not any(role == "label" for role, _ in claims):
                claims += [("label", path) for path in derived if _is_of_session(path, session)]
            case = assemble(subject.name if len(sessions) == 1 else f"{subject.name}_{session.name}", claims)
            if case is not None:
                cases.append(case)
    return cases


def _subjects(folder: Path) -> list[Path]:
    """Find `sub-*` folders: the folder itself, below it, or up to three levels down, the nearest level first."""
    if _SUBJECT.match(folder.name) and _is_subject(folder):
        return [folder]
    level = [folder]
    for _ in range(3):
        below = [child for parent in level for child in folders_in(parent) if child.name != "derivatives"]
        subjects = [child for child in below if _SUBJECT.match(child.name)]
        if subjects:
            return subjects
        level = below
    return []


def _is_subject(folder: Path) -> bool:
    return any(child.name in ("anat", "dwi") or _SESSION.match(child.name) for child in folders_in(folder))


def _imaged_sessions(subject: Path) -> list[Path]:
    """List the `ses-*` folders that hold sequences; the subject itself where it has no sessions."""
    sessions = [child for child in own_folders_in(subject, subject) if _SESSION.match(child.name)] or [subject]
    return [session for session in sessions if any(_reading(path).role in SEQUENCES for path in _files(session))]


def _claims(session: Path) -> list[tuple[str, Path]]:
    roles = [(claim(path, _reading(path)), path) for path in _files(session)]
    return [(role, path) for role, path in roles if role is not None]


def _files(folder: Path) -> list[Path]:
    subject = next((place for place in (folder, *folder.parents) if _SUBJECT.match(place.name)), folder)
    volumes = [path for place in (folder, *own_folders_in(folder, subject)) for path in volumes_in(place)]
    return [path for path in volumes if path.name.partition(".")[0].rpartition("_")[2].lower() in _SUFFIXES]


def _reading(path: Path) -> NameReading:
    # Entities such as `sub-T1study` or `acq-dwi` name people and protocols, not what the file is.
    told = re.sub(r"(?:sub|ses|task|dir|run|acq(?!-adc|-b0))-[0-9A-Za-z]+_", "", path.name, flags=re.IGNORECASE)
    return reading_of(Path(told))


def _derived_labels(subject: Path) -> list[Path]:
    """List a subject's lesion masks in its data set's `derivatives`, up to two pipelines' folders down."""
    root = subject.parent.parent if subject.parent.name == "rawdata" else subject.parent
    if not (root / "derivatives").is_dir():
        return []
    homes = [home for pattern in ("", "*/", "*/*/") for home in (root / "derivatives").glob(pattern + subject.name)]
    folders = [folder for home in homes if home.is_dir() for folder in (home, *folders_in(home))]
    paths = dict.fromkeys(path for folder in folders for path in _files(folder))
    return [path for path in paths if claim(path, _reading(path)) == "label"]


def _is_of_session(path: Path, session: Path) -> bool:
    named = re.findall(r"ses-[0-9A-Za-z]+", f"{path.parent.parent.name}/{path.parent.name}/{path.name}")
    return not named or session.name in named or not _SESSION.match(session.name)
