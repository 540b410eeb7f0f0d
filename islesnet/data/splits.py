"""Split patients into training, validation and test, each with small and large lesions alike."""

import itertools
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence

from islesnet.data.case import Case
from islesnet.errors import InputError
from islesnet.volumes.file_names import natural_key, subject_of
from islesnet.volumes.volume import read_volume

SECTIONS = ("training", "validation", "test")
UNLABELLED = "unlabelled"


def lesion_volume_ml(case: Case) -> float:
    """Return the volume of a case's label in ml: its voxels above 0.5 times the volume of one.

    Raises:
        InputError: where the case has no label or the label cannot be read.
    """
    if case.label is None:
        raise InputError(f"patient {case.patient!r} has no label, so its lesion volume is not known")
    label = read_volume(case.label)
    return float((label.array > 0.5).sum()) * math.prod(label.spacing) / 1000.0


def split_cases(
    cases: Sequence[Case],
    fractions: tuple[float, float, float] = (0.7, 0.2, 0.1),
    seed: int = 0,
    volumes_ml: Mapping[str, float] | None = None,
) -> dict[str, list[Case]]:
    """Split by person, stratified by lesion volume, the same way for the same seed whatever the order of the cases.

    People are sorted by volume and cut into blocks; within each, chance deals the sections, so that every section
    gets small, medium and large lesions. Sessions of one person ("sub-1_ses-1", "sub-1_ses-2") stay together. From
    three people on, every section that is asked for gets at least one.

    Args:
        cases: each patient once.
        fractions: shares of training, validation and test; they sum to 1.
        seed: of the dealing.
        volumes_ml: lesion volume of each labelled patient, where already known; else the labels are read.

    Returns:
        The sections "training", "validation" and "test", and "unlabelled" where cases have no label.

    Raises:
        InputError: for fractions that do not sum to 1, a patient given twice, or no labelled patient.
    """
    require_shares(fractions)
    people = group_people(cases, volumes_ml)
    sections: dict[str, list[Case]] = {section: [] for section in SECTIONS}
    for person, section in deal_people(list(people), share_out(len(people), fractions), seed):
        sections[section] += people[person]
    unlabelled = [case for case in cases if case.label is None]
    if unlabelled:
        sections[UNLABELLED] = unlabelled
    return {name: sorted(own, key=lambda case: natural_key(case.patient)) for name, own in sections.items()}


def group_people(cases: Sequence[Case], volumes_ml: Mapping[str, float] | None = None) -> dict[str, list[Case]]:
    """Group the labelled cases by person, sorted by their (largest) lesion volume, whatever the order of the cases.

    Raises:
        InputError: for a patient given twice, or no labelled patient.
    """
    require_once(cases)
    people: dict[str, list[Case]] = {}
    for case in cases:
        if case.label is not None:
            people.setdefault(subject_of(case.patient), []).append(case)
    if not people:
        raise InputError(f"none of the {len(cases)} patients has a label; a split needs expert lesion masks")
    volumes = {person: max(_volume_ml(case, volumes_ml) for case in own) for person, own in people.items()}
    return {person: people[person] for person in sorted(people, key=lambda name: (volumes[name], name))}


def deal_people(people: Sequence[str], counts: Mapping[str, int], seed: int) -> list[tuple[str, str]]:
    """Deal people, sorted by volume, to sections: the smallest section sets how many blocks there are.

    Args:
        people: in the order of their lesion volume.
        counts: how many each section gets; they sum to the number of people.
        seed: of the dealing.

    Returns:
        each person with the section, block by block.
    """
    chance = random.Random(seed)
    # Each section's turns are spread evenly: with 20/5/3, the lower, middle and upper third each hold one of the test.
    turns = sorted(((turn + 0.5) / count, section) for section, count in counts.items() for turn in range(count))
    blocks = min(count for count in counts.values() if count)
    bounds = [round(len(people) * block / blocks) for block in range(blocks + 1)]
    dealt = []
    for begin, end in itertools.pairwise(bounds):
        sections = [section for _, section in turns[begin:end]]
        chance.shuffle(sections)
        dealt += list(zip(people[begin:end], sections, strict=True))
    return dealt


def require_once(cases: Sequence[Case]) -> None:
    """Refuse a patient that is given twice.

    Raises:
        InputError: naming the first.
    """
    counts = Counter(case.patient for case in cases)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        raise InputError(f"the patient {twice!r} is given {counts[twice]} times; each must come once")


def share_out(whole: int, fractions: tuple[float, float, float]) -> dict[str, int]:
    """Share out whole people (or slices) by the largest remainder; no section asked for is empty if they suffice.

    Args:
        whole: how many there are.
        fractions: shares of training, validation and test; they sum to 1.
    """
    shares = [whole * fraction for fraction in fractions]
    counts = [math.floor(share + 1e-9) for share in shares]
    # Rounded, so that of equal remainders (28 x 0.7 and 28 x 0.2) the larger section comes first.
    by_remainder = sorted(range(3), key=lambda index: round(counts[index] - shares[index], 9))
    for index in by_remainder[: whole - sum(counts)]:
        counts[index] += 1
    asked = [index for index in range(3) if fractions[index] > 0]
    for index in asked[:whole]:
        if counts[index] == 0:
            counts[counts.index(max(counts))] -= 1
            counts[index] = 1
    return dict(zip(SECTIONS, counts, strict=True))


def require_shares(fractions: tuple[float, float, float]) -> None:
    """Refuse fractions that are not three shares of a whole.

    Raises:
        InputError: saying the fractions.
    """
    if len(fractions) != 3 or min(fractions) < 0 or not math.isclose(sum(fractions), 1.0, abs_tol=1e-6):
        raise InputError(f"the fractions {tuple(fractions)} are not three shares that sum to 1, as (0.7, 0.2, 0.1)")


def _volume_ml(case: Case, volumes_ml: Mapping[str, float] | None) -> float:
    if volumes_ml is None:
        return lesion_volume_ml(case)
    if case.patient not in volumes_ml:
        raise InputError(f"no lesion volume is given for patient {case.patient!r}")
    return volumes_ml[case.patient]
