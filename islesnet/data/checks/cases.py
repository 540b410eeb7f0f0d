"""Checks of cases, a file at a time: every file is read once."""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from islesnet.counts import counted
from islesnet.data.case import Case
from islesnet.data.checks.cohort import Fingerprint, check_fingerprints, check_names
from islesnet.data.checks.problem import Problem
from islesnet.data.datalist import cases_in_datalist
from islesnet.errors import InputError
from islesnet.files import NO_TARGET
from islesnet.volumes.finding import Finding, error, warning
from islesnet.volumes.geometry import check_grid, check_label_grid, check_sequence_grid
from islesnet.volumes.values import check_label_values, check_values
from islesnet.volumes.volume import Header, Volume, VolumeError, read_volume

logger = logging.getLogger(__name__)

# Each thread holds one volume; decompression and passes over the voxels release the interpreter's lock.
_MOST_THREADS = 4
_FEW_TO_VALIDATE = 3  # with fewer, one patient's chance decides which weights are kept


class _Look(NamedTuple):
    """What reading one file told: findings, and (where it could be used) its grid and fingerprint."""

    findings: list[Finding]
    header: Header | None
    digest: str | None


def check_cases(cases: Sequence[Case], progress: Callable[[int, int], None] | None = None) -> list[Problem]:
    """Check every case, and that no scan comes under two names.

    A case's files are to be readable, 3D, finite, with contrast, on sound grids that fit each other.

    Args:
        cases: of one data set.
        progress: called with (cases done, cases in all) after each case, from the caller's thread.

    Returns:
        The problems in the order of the cases.
    """
    looked: dict[int, tuple[list[Problem], list[Fingerprint]]] = {}
    threads = ThreadPoolExecutor(max_workers=min(_MOST_THREADS, os.cpu_count() or 1))
    try:
        pending = {threads.submit(_examine, case): index for index, case in enumerate(cases)}
        for done, future in enumerate(as_completed(pending), start=1):
            looked[pending[future]] = future.result()
            if progress is not None:
                progress(done, len(cases))
    finally:
        threads.shutdown(cancel_futures=True)  # Ctrl-C does not wait for the rest of the cohort
    in_order = [looked[index] for index in range(len(cases))]
    problems = check_names(cases)
    problems += [problem for own, _ in in_order for problem in own]
    return problems + check_fingerprints([own for _, fingerprints in in_order for own in fingerprints])


def require_sound(cases: Sequence[Case]) -> None:
    """Go on only where no check finds an error; warnings are logged.

    Raises:
        InputError: listing all errors; of a single case, whose patient the caller knows, by their files alone.
    """
    problems = check_cases(cases)
    for problem in problems:
        if problem.severity == "warning":
            logger.warning("%s", problem)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        said = [problem.without_patient() if len(cases) == 1 else str(problem) for problem in errors]
        if len(errors) == 1:
            raise InputError(said[0].removeprefix("error: "))
        listed = "".join(f"\n  {sentence}" for sentence in said)
        raise InputError(f"{len(errors)} errors in {counted(len(cases), 'case')}:{listed}")


def require_sound_datalist(path: Path | str, dataset_dir: Path | str | None = None, processes: int = 1) -> None:
    """Go on only where every patient of a datalist's labelled sections is sound and no scan comes under two names.

    So few patients to validate on that the best epoch is a matter of chance are warned of.

    Args:
        path: the datalist's file.
        dataset_dir: the folder that its paths start from; None is the file's own.
        processes: that train together. Each of them validates on patients of its own, so that none may be without.

    Raises:
        InputError: listing all errors of all patients; for no patient to train on, or too few to validate on.
    """
    sections = cases_in_datalist(path, dataset_dir)
    for section, why in (("training", "there is nothing to train on"), ("validation", "no weights would be kept")):
        if not sections.get(section):
            raise InputError(f"{path}: the section {section!r} has no patient, so {why}; see islesnet datalist --split")
    if (few := len(sections["validation"])) < processes:
        raise InputError(
            f"{path}: {counted(few, 'validation patient')} cannot be shared by {processes} processes, each of which "
            f"validates on some: start {few} at most (--nproc_per_node={few}), or take more patients into the section "
            "'validation' (islesnet datalist --split)."
        )
    if few < _FEW_TO_VALIDATE:
        logger.warning(
            "%s: the best epoch is chosen by %s alone, so largely by chance; islesnet datalist --split can give more.",
            path,
            counted(few, "validation patient"),
        )
    cases = [case for section in sections.values() for case in section if case.label is not None]
    logger.info("Checking the files of %d patients", len(cases))
    require_sound(cases)


def _examine(case: Case) -> tuple[list[Problem], list[Fingerprint]]:
    looks = {key: _look(path, is_label=key == "label") for key, path in case.files.items()}
    findings = {key: [*look.findings, *_compare(case, looks, key)] for key, look in looks.items()}
    problems = [
        Problem(case.patient, case.files[key], finding.message, finding.severity)
        for key, own in findings.items()
        for finding in own
    ]
    problems += [Problem(case.patient, None, f"{role.upper()}: is {NO_TARGET}", "error") for role in case.lost]
    fingerprints = [
        Fingerprint(case.patient, case.files[key], look.digest)
        for key, look in looks.items()
        if look.digest is not None
    ]
    return problems, fingerprints


def _look(path: Path, is_label: bool) -> _Look:
    try:
        volume = read_volume(path)
    except VolumeError as refusal:
        return _Look([error(refusal.reason)], None, None)
    grid = check_grid(volume.header)
    values = check_label_values(volume.array) if is_label else check_values(volume.array)
    surplus = [warning("goes on after its last voxel: the header may be wrong")] if volume.has_surplus else []
    is_usable = not any(finding.severity == "error" for finding in grid)
    # Labels on one grid may well be equal: all empty ones are.
    digest = None if is_label or values else _digest(volume)
    return _Look([*surplus, *values, *grid], volume.header if is_usable else None, digest)


def _compare(case: Case, looks: dict[str, _Look], key: str) -> list[Finding]:
    if not case.sequences or key == case.reference:
        return []
    header, reference = looks[key].header, looks[case.reference].header
    if header is None or reference is None:
        return []
    check = check_label_grid if key == "label" else check_sequence_grid
    return check(header, reference, case.reference)


def _digest(volume: Volume) -> str:
    told = hashlib.sha256(repr((volume.array.dtype.str, volume.header.shape)).encode())
    told.update(volume.array.ravel(order="K").view("u1").data)
    return told.hexdigest()
