"""Folds of a cross-validation: every patient is tested once, by networks that never saw this person."""

from collections.abc import Mapping, Sequence

from islesnet.data.case import Case
from islesnet.data.splits import deal_people, group_people, split_cases
from islesnet.errors import InputError
from islesnet.volumes.file_names import natural_key

VALIDATION_SHARE = 0.15  # of the patients outside the fold


def deal_folds(
    cases: Sequence[Case], folds: int, seed: int = 0, volumes_ml: Mapping[str, float] | None = None
) -> list[list[Case]]:
    """Deal labelled patients to folds, alike in lesion volume, the same way for the same seed whatever their order.

    Sessions of one person stay together.

    Args:
        cases: each patient once; those without a label are left out.
        folds: how many, 2 or more.
        seed: of the dealing.
        volumes_ml: lesion volume of each labelled patient, where already known; else the labels are read.

    Raises:
        InputError: for fewer than two folds, more folds than people, a patient given twice or no labelled patient.
    """
    people = group_people(cases, volumes_ml)
    if not 2 <= folds <= len(people):
        raise InputError(f"{folds} folds for {len(people)} people: there can be from 2 folds to one for each person")
    counts = {str(fold): len(range(fold, len(people), folds)) for fold in range(folds)}
    dealt: list[list[Case]] = [[] for _ in range(folds)]
    for person, fold in deal_people(list(people), counts, seed):
        dealt[int(fold)] += people[person]
    return [sorted(own, key=lambda case: natural_key(case.patient)) for own in dealt]


def fold_sections(
    folds: Sequence[Sequence[Case]],
    index: int,
    seed: int = 0,
    volumes_ml: Mapping[str, float] | None = None,
) -> dict[str, list[Case]]:
    """Give the sections of one fold: it is the test; of the others, most are the training and some the validation.

    So the choice of the best epoch, which the validation makes, never sees the fold.

    Args:
        folds: of `deal_folds`.
        index: of the fold to test on.
        seed: of the validation's dealing.
        volumes_ml: as for `deal_folds`.

    Returns:
        "training", "validation" and "test".

    Raises:
        InputError: where the other folds have fewer than two people, one to train and one to validate on.
    """
    others = [case for number, fold in enumerate(folds) if number != index for case in fold]
    dealt = split_cases(others, (1 - VALIDATION_SHARE, VALIDATION_SHARE, 0.0), seed, volumes_ml)
    if not dealt["training"] or not dealt["validation"]:
        raise InputError(
            f"{len(others)} patients beside fold {index + 1}: at least two people are needed, or fewer folds"
        )
    return {**dealt, "test": list(folds[index])}
