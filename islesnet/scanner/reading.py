"""From a folder of raw scans to a patient's sequences, with every choice and its reason kept."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from islesnet.errors import InputError
from islesnet.scanner.candidate import Candidate
from islesnet.scanner.choosing import Chooser
from islesnet.scanner.dicom.persons import count_persons
from islesnet.scanner.patient import ROLES, Choice, RawImage, RawPatient
from islesnet.scanner.recognition import Reading, recognise, sequence_by_name
from islesnet.scanner.survey import UNNAMED, Survey, files_of, survey
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import is_archive, stem_of
from islesnet.volumes.patient_labels import files_of_two_patients

_MOST_TOLD = 8


def read_patient(folder: Path | None, named: Mapping[str, Path] | None = None, one_patient: bool = False) -> RawPatient:
    """Read a patient's raw scans: DICOM as a PACS exports it, or NIfTI, NRRD and MetaImage files of any names, mixed.

    Args:
        folder: where they lie, nested anyhow; None where those that are named are all.
        named: what the user says is a sequence: "dwi", "t1", "t2", "flair", "adc" or "b0" -> a volume file, a folder
            of one series, or one slice of it. The rest is guessed.
        one_patient: volumes whose names bear the labels of several patients are one's all the same.

    Raises:
        InputError: where nothing is recognised, two series claim to be the DWI and none is better, two examinations
            are mixed and it is not clear which is meant, the folder holds two patients or they and what was named are
            of two, by DICOM headers or by the labels in the names of the volumes that were taken, or what was named
            cannot be used.
    """
    named = {role: Path(os.path.abspath(path)) for role, path in (named or {}).items()}  # noqa: PTH100  - links stay
    if folder is None and not named:
        raise InputError("There is nothing to read: give the folder of one patient's scans, or name its scans")
    home = Path(os.path.abspath(folder)) if folder is not None else next(iter(named.values())).parent  # noqa: PTH100
    if not home.is_dir():
        raise InputError(f"{home} is not a folder; give the folder of one patient's scans")
    chooser = Chooser(home)
    given = {role: _survey_named(role, path, home) for role, path in named.items()}
    for role, own in given.items():
        chooser.take_named(role, own.candidates, named[role])
    spoken_for = {path for own in given.values() for path in files_of(own.candidates)}
    found = survey(home, home.name, spoken_for) if folder is not None else Survey()
    _require_one_person(home, [found, *given.values()])
    _tell_unreadable(chooser, found)
    chooser.take(_read_all(found.candidates))
    if folder is not None and not one_patient:
        _require_one_label(home, chooser.images.values())
    # The directions of a series have one name and often one fault: what was said of one is not said again.
    choices, notes = list(dict.fromkeys(chooser.choices)), list(dict.fromkeys(chooser.notes))
    if not any(role in chooser.images for role in SEQUENCES):
        raise _nothing_found(home, choices, found, bool(chooser.damaged))
    damaged = tuple(role for role in (*SEQUENCES, "adc") if role in chooser.damaged and role not in chooser.images)
    return RawPatient(chooser.images, choices, notes, damaged)


def _read_all(candidates: list[Candidate]) -> list[tuple[Candidate, Reading]]:
    weighted = {c.series for c in candidates if (c.facts.b_value or 0.0) > 0}
    return [(candidate, recognise(candidate.facts, candidate.series in weighted)) for candidate in candidates]


def _survey_named(role: str, path: Path, folder: Path) -> Survey:
    if role not in ROLES:
        raise InputError(f"{role!r} is no sequence that can be named; right are {', '.join(ROLES)}")
    if not path.exists():
        raise InputError(f"--{role} {path}: does not exist")
    found = survey(path, folder.name)
    if not found.candidates:
        reason = found.unreadable[0][1] if found.unreadable else "holds no DICOM, NIfTI, NRRD or MetaImage file"
        raise InputError(f"{path} ({role.upper()}): {reason}")  # named by the user, or found by its name
    return found


def _require_one_person(home: Path, surveys: Sequence[Survey]) -> None:
    persons = {person for found in surveys for person in found.persons}
    if (count := count_persons(persons)) > 1:
        raise InputError(f"{home}: the scans are of {count} patients by their DICOM headers; give those of one")


def _require_one_label(home: Path, images: Iterable[RawImage]) -> None:
    """Refuse volumes of two patients by their names, in the folder of one: sub-01_dwi and sub-02_flair."""
    of_two = files_of_two_patients((image.origin for image in images if image.origin is not None), home)
    if of_two is not None:
        raise InputError(
            f"{home}: by their names {of_two[0]} and {of_two[1]} are of two patients; take out what is another's, or "
            "segment this folder by itself with --one-patient where they are one's"
        )


def _tell_unreadable(chooser: Chooser, found: Survey) -> None:
    """Note what could not be read, files with one reason together; of DICOM files only how many they are."""
    reasons: dict[tuple[str, bool], list[str]] = {}
    for source, reason in found.unreadable:
        reasons.setdefault((reason, source == UNNAMED), []).append(source)
        if source != UNNAMED and (role := _role_by_names(Path(source))):
            chooser.damaged.setdefault(role, source)
    for (reason, is_unnamed), sources in reasons.items():
        if is_unnamed:
            told = f"{len(sources)} {UNNAMED}{'s' if len(sources) > 1 else ''}"
        else:
            told = sources[0] if len(sources) == 1 else f"{len(sources)} files, {sources[0]} the first"
        chooser.choices.append(Choice(told, None, reason))
        chooser.notes.append(f"{told}: left out; {reason}.")


def _role_by_names(source: Path) -> str | None:
    return sequence_by_name(stem_of(source.name) or source.stem) or sequence_by_name(source.parent.name)


def _nothing_found(folder: Path, choices: list[Choice], found: Survey, is_damaged: bool) -> InputError:
    if not found.candidates and not found.unreadable:
        hint = " (unpack what is zipped there)" if any(is_archive(path.name) for path in folder.rglob("*")) else ""
        return InputError(
            f"{folder}: no scan found; a patient's folder holds DICOM, NIfTI, NRRD or MetaImage files{hint}"
        )
    seen = "".join(f"\n  {choice.source}: {choice.why}" for choice in choices[:_MOST_TOLD])
    more = len(choices) - _MOST_TOLD
    seen += f"\n  and {more} more" if more > 0 else ""
    if is_damaged:
        return InputError(f"{folder}: what there is of DWI, T1, T2 and FLAIR cannot be used. Looked at:{seen}")
    roles = {choice.role for choice in choices}
    alone = " An ADC map alone is not segmented." if "adc" in roles else ""
    alone += " A b = 0 image alone is not segmented; the diffusion-weighted one is missing." if "b0" in roles else ""
    return InputError(
        f"{folder}: no DWI, T1, T2 or FLAIR was recognised; name one: --dwi PATH (or --t1, --t2, --flair).{alone} "
        f"Looked at:{seen}"
    )
