"""Checks across patients: the same name twice, the same voxels under two names."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from islesnet.data.case import Case
from islesnet.data.checks.problem import Problem


class Fingerprint(NamedTuple):
    """The fingerprint of a sequence's voxels."""

    patient: str
    file: Path
    digest: str


def check_names(cases: Sequence[Case]) -> list[Problem]:
    """Report patients whose name comes more than once."""
    counts = Counter(case.patient for case in cases)
    return [
        Problem(name, None, f"the name comes {count} times; every patient needs its own", "error")
        for name, count in counts.items()
        if count > 1
    ]


def check_fingerprints(fingerprints: Sequence[Fingerprint]) -> list[Problem]:
    """Report files that hold the same voxels: an error in two patients (a leak), a warning in one."""
    problems = []
    first_of: dict[str, Fingerprint] = {}
    for own in fingerprints:
        first = first_of.setdefault(own.digest, own)
        if first is own:
            continue
        if first.patient != own.patient:
            message = f"holds the same voxels as {first.file} of patient {first.patient}: one scan under two names"
            problems.append(Problem(own.patient, own.file, message, "error"))
        else:
            message = f"holds the same voxels as {first.file}: one scan given as two sequences"
            problems.append(Problem(own.patient, own.file, message, "warning"))
    return problems
