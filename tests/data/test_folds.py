import random
from pathlib import Path

import pytest

from islesnet.data import Case, deal_folds, fold_sections
from islesnet.errors import InputError


def cohort(count):
    """Patients whose n-th has a lesion of n ml."""
    cases = [Case(f"p{number}", {"dwi": Path("dwi.nii")}, Path("label.nii")) for number in range(1, count + 1)]
    return cases, {case.patient: float(number) for number, case in enumerate(cases, start=1)}


def names(cases):
    return [case.patient for case in cases]


@pytest.mark.parametrize(("count", "folds"), [(28, 5), (10, 5), (7, 3), (2, 2), (5, 5)])
def test_every_patient_is_in_exactly_one_fold_and_folds_are_of_one_size(count, folds):
    cases, volumes = cohort(count)

    dealt = deal_folds(cases, folds, seed=1, volumes_ml=volumes)

    assert sorted(name for fold in dealt for name in names(fold)) == sorted(names(cases))
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1


def test_every_fold_has_small_and_large_lesions():
    cases, volumes = cohort(30)

    for fold in deal_folds(cases, 5, seed=2, volumes_ml=volumes):
        # One of each block of five neighbours in volume.
        assert sorted((int(volumes[name]) - 1) // 5 for name in names(fold)) == [0, 1, 2, 3, 4, 5]


def test_dealing_depends_on_the_seed_and_not_on_the_order_of_the_cases():
    cases, volumes = cohort(20)
    shuffled = random.Random(0).sample(cases, len(cases))

    dealt = deal_folds(cases, 4, seed=3, volumes_ml=volumes)

    assert deal_folds(shuffled, 4, seed=3, volumes_ml=volumes) == dealt
    assert deal_folds(cases, 4, seed=4, volumes_ml=volumes) != dealt


def test_sessions_of_one_person_stay_in_one_fold():
    sessions = [
        Case(f"sub-{person}_ses-{session}", {"dwi": Path("dwi.nii")}, Path("label.nii"))
        for person in range(6)
        for session in (1, 2)
    ]

    for fold in deal_folds(sessions, 3, volumes_ml={case.patient: 1.0 for case in sessions}):
        people = [name.partition("_ses-")[0] for name in names(fold)]
        assert all(people.count(person) == 2 for person in people)


def test_patients_without_a_label_are_left_out():
    cases, volumes = cohort(4)
    unknown = Case("unknown", {"dwi": Path("dwi.nii")})

    assert "unknown" not in [
        name for fold in deal_folds([*cases, unknown], 2, volumes_ml=volumes) for name in names(fold)
    ]


@pytest.mark.parametrize("folds", [0, 1, 5])
def test_impossible_number_of_folds_is_refused(folds):
    cases, volumes = cohort(4)

    with pytest.raises(InputError, match=f"{folds} folds for 4 people: there can be from 2 folds"):
        deal_folds(cases, folds, volumes_ml=volumes)


def test_sections_of_a_fold_share_nobody_and_leave_nobody_out():
    cases, volumes = cohort(28)
    folds = deal_folds(cases, 5, volumes_ml=volumes)

    for index, fold in enumerate(folds):
        sections = fold_sections(folds, index, seed=7, volumes_ml=volumes)
        assert sections["test"] == fold
        dealt = [name for section in ("training", "validation", "test") for name in names(sections[section])]
        assert sorted(dealt) == sorted(names(cases))
        assert 2 <= len(sections["validation"]) <= 4
