"""Datalists: which patient is in which section, as JSON with paths relative to the data set."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import islesnet
from islesnet.data.case import Case
from islesnet.data.file_stamps import stamps_in_files
from islesnet.data.splits import UNLABELLED, lesion_volume_ml
from islesnet.errors import InputError
from islesnet.files import write_json
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import subject_of

logger = logging.getLogger(__name__)

# What "split_by" is in a datalist whose slices were dealt to the sections, and the stamp that it must bear.
BY_SLICES, LEAKY = "slices", "LEAKY"


def write_datalist(
    path: Path, sections: Mapping[str, Sequence[Case]], dataset_dir: Path, about: Mapping[str, object]
) -> None:
    """Write sections of cases as JSON, to a temporary name first.

    Args:
        path: the file to write.
        sections: as `split_cases` returns them.
        dataset_dir: the folder that holds every file of the cases; the datalist's paths are relative to it.
        about: what else to record: "name", "seed", "layout", ...; "volumes_ml" (patient -> ml) spares reading the
            labels once more; to "stamps" are added those that the scans bear in their own headers.

    Raises:
        InputError: for a file outside `dataset_dir`, a patient in two sections, or an `about` key that is a section.
    """
    clash = set(sections) & set(about)
    if clash:
        raise InputError(f"{path}: {sorted(clash)[0]!r} cannot be both a section and a remark about the data set")
    _require_one_section_each(path, sections, is_leaky=_is_leaky(about))
    known = about.get("volumes_ml", {})
    volumes = dict(known) if isinstance(known, Mapping) else {}
    present = {sequence for cases in sections.values() for case in cases for sequence in case.sequences}
    content: dict[str, object] = {"name": Path(dataset_dir).absolute().name, "islesnet": islesnet.__version__}
    content |= {key: value for key, value in about.items() if key != "volumes_ml"}
    if found := stamps_in_files(case for cases in sections.values() for case in cases):
        given = about.get("stamps", ())
        content["stamps"] = list(dict.fromkeys([*(given if isinstance(given, list | tuple) else ()), *found]))
    content["sequences"] = [sequence for sequence in SEQUENCES if sequence in present]
    for section, cases in sections.items():
        content[section] = [_entry(case, Path(dataset_dir), volumes) for case in cases]
    write_json(Path(path), content)


def make_way_for_datalist(path: Path, sections: Mapping[str, Sequence[Case]], replace: bool = False) -> Path | None:
    """Keep a datalist of another split from being written over, for a network may have been trained with it.

    Args:
        path: the file that is to be written.
        sections: what it is to say; where it says the same already, or is not there, nothing is done.
        replace: copy what is there to ``datalist_earlier_1.json`` beside it (the first free number).

    Returns:
        the copy; None where none was needed.

    Raises:
        InputError: where another split, or something unreadable, is there and `replace` is False.
    """
    if not path.is_file() or (difference := _difference_from(path, sections)) is None:
        return None
    number = 1
    while (aside := path.with_name(f"{path.stem}_earlier_{number}.json")).exists():
        number += 1
    if not replace:
        raise InputError(
            f"{difference}. It is left as it is, for a network may have been trained with it: give --replace to set it "
            f"aside as {aside.name} and write the new split, or -o FILE to write that elsewhere"
        )
    shutil.copyfile(path, aside)
    return aside


def read_datalist(path: Path | str, section: str, dataset_dir: Path | str | None = None) -> list[dict[str, str]]:
    """Read one section as MONAI's items: "patient", absolute paths of what is present, and "digest".

    The digest tells the sizes and times of the files, so that a cache keyed by the item notices a changed file.

    Args:
        path: the datalist.
        section: "training", "validation", "test", ...
        dataset_dir: the folder that its paths are relative to; by default the datalist's own.

    Raises:
        InputError: for an unknown section, a patient in two sections, a path that leaves the data set or is missing.
    """
    sections = _sections(Path(path), dataset_dir)
    if section not in sections:
        raise InputError(f"{path} has no section {section!r}; it has {', '.join(sections) or 'none'}")
    if not sections[section]:
        logger.warning("%s: the section %r is empty", path, section)
    items = []
    for case in sections[section]:
        for key, file in case.files.items():
            if not file.is_file():
                raise InputError(f"{path}: the {key} of patient {case.patient!r} does not exist: {file}")
        items.append(case.item() | {"digest": _digest(case)})
    return items


def cases_in_datalist(path: Path | str, dataset_dir: Path | str | None = None) -> dict[str, list[Case]]:
    """Read every section as cases, without looking whether their files exist.

    Raises:
        InputError: as `read_datalist`, but for files that are missing.
    """
    return _sections(Path(path), dataset_dir)


def stamps_of(path: Path | str) -> list[str]:
    """Give the words that everything made of a data set must bear, e.g. "PHANTOM"; none where the datalist has none.

    Raises:
        InputError: for a datalist that is missing or unreadable, or "stamps" that are not a list of words.
    """
    stamps = _content(Path(path)).get("stamps", [])
    if not isinstance(stamps, list) or not all(isinstance(stamp, str) and stamp for stamp in stamps):
        raise InputError(f'{path}: "stamps" is {stamps!r}; a list of words is expected, e.g. ["PHANTOM"]')
    return stamps


def _difference_from(path: Path, sections: Mapping[str, Sequence[Case]]) -> str | None:
    """Say in what the datalist on disk differs from a split; None where every patient is in the same section."""
    try:
        earlier = _section_of_each(_sections(path, None))
    except InputError as error:
        return str(error)
    now = _section_of_each(sections)
    if earlier == now:
        return None
    differ = [patient for patient in earlier | now if earlier.get(patient) != now.get(patient)]
    named = ", ".join(differ[:3]) + (", ..." if len(differ) > 3 else "")
    return f"{path} says another split: {len(differ)} of {len(earlier | now)} patients are in other sections ({named})"


def _section_of_each(sections: Mapping[str, Sequence[Case]]) -> dict[str, str]:
    return {case.patient: section for section, cases in sections.items() for case in cases}


def _entry(case: Case, dataset_dir: Path, volumes_ml: Mapping[str, float]) -> dict[str, object]:
    entry: dict[str, object] = {"patient": case.patient}
    root = os.path.abspath(dataset_dir)  # noqa: PTH100  - links must stay as they are
    for key, file in case.files.items():
        relative = os.path.relpath(os.path.abspath(file), root)  # noqa: PTH100
        if Path(relative).parts[0] == os.pardir:
            raise InputError(
                f"patient {case.patient!r}: {file} does not lie in {dataset_dir}; give the folder that holds "
                "every file, or put the table that lists them there"
            )
        entry[key] = Path(relative).as_posix()
    if case.label is not None:
        volume_ml = volumes_ml[case.patient] if case.patient in volumes_ml else lesion_volume_ml(case)
        entry["volume_ml"] = round(float(volume_ml), 4)
    return entry


def _sections(path: Path, dataset_dir: Path | str | None) -> dict[str, list[Case]]:
    root = path.absolute().parent if dataset_dir is None else Path(dataset_dir).absolute()
    content = _content(path)
    sections: dict[str, list[Case]] = {}
    for name, entries in content.items():
        # Everything else at the top ("name", "sequences", ...) tells about the data set.
        if name != "stamps" and isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
            sections[name] = [_case(path, name, number, entry, root) for number, entry in enumerate(entries, start=1)]
    is_leaky = _is_leaky(content)
    _require_one_section_each(path, sections, is_leaky)
    if is_leaky:
        logger.warning(
            "%s is LEAKY: it splits slices, so every patient is in all sections and scores are too high", path
        )
    return sections


def _content(path: Path) -> dict[str, Any]:
    if not path.parent.is_dir():
        raise InputError(f"the folder {path.parent} does not exist; --dataset_dir names that of the data")
    if not path.is_file():
        raise InputError(f"the datalist {path} does not exist; `islesnet datalist {path.parent}` writes one")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a datalist: an object with sections such as 'training' is expected")
    return content


def _case(path: Path, section: str, number: int, entry: dict[str, Any], root: Path) -> Case:
    place = f"{path}, section {section!r}, entry {number}"
    patient = entry.get("patient")
    if not isinstance(patient, str):
        raise InputError(f'{place}: "patient" is missing')
    files = {}
    for key in (*SEQUENCES, "label"):
        if key in entry:
            files[key] = _inside(place, key, entry[key], root)
    label = files.pop("label", None)
    try:
        return Case(patient, files, label)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _inside(place: str, key: str, value: object, root: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise InputError(f"{place}: {key!r} is not a path but {value!r}")
    relative = PurePosixPath(os.path.normpath(value))
    if relative.is_absolute() or Path(value).is_absolute() or relative.parts[:1] == ("..",):
        raise InputError(f"{place}: the path {value!r} leaves the data set's folder; paths must be relative to it")
    return root / relative


def _is_leaky(content: Mapping[str, Any]) -> bool:
    """Tell whether a datalist splits slices and says so: only there may a person be in several sections."""
    stamps = content.get("stamps")
    return content.get("split_by") == BY_SLICES and isinstance(stamps, list | tuple) and LEAKY in stamps


def _require_one_section_each(path: Path, sections: Mapping[str, Sequence[Case]], is_leaky: bool) -> None:
    """Refuse a patient that comes twice, and, but for leaky datalists, a person with sessions in two sections."""
    section_of: dict[str, str] = {}
    section_of_person: dict[str, str] = {}
    for section, cases in sections.items():
        for name in (case.patient for case in cases):
            if name in section_of:
                places = " and ".join(dict.fromkeys([repr(section_of[name]), repr(section)]))
                raise InputError(f"{path}: the patient {name!r} comes twice, in {places}; each must come once")
            section_of[name] = section
            if section == UNLABELLED or is_leaky:
                continue
            person = subject_of(name)
            if section_of_person.setdefault(person, section) != section:
                raise InputError(
                    f"{path}: sessions of {person!r} lie in {section_of_person[person]!r} and in {section!r}; "
                    "all sessions of a person belong in one section"
                )


def _digest(case: Case) -> str:
    told = [(key, file.stat().st_size, file.stat().st_mtime_ns) for key, file in case.files.items()]
    # With version and day: after a formula has changed, the same files give another preprocessed patient.
    made_by = islesnet.__version__, islesnet.RESULTS_SINCE
    return hashlib.sha256(repr((made_by, told)).encode()).hexdigest()[:16]
