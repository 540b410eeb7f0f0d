from pathlib import Path

import numpy as np
import pytest

from islesnet.data import Case, lesion_volume_ml, split_cases
from islesnet.errors import InputError


def patients(count, label=Path("label.nii")):
    return [Case(f"p{number}", {"dwi": Path("dwi.nii")}, label) for number in range(1, count + 1)]


def volumes(cases):
    return {case.patient: float(index) for index, case in enumerate(cases)}


def names(sections):
    return {section: [case.patient for case in cases] for section, cases in sections.items()}


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (1, 1, 1)), (4, (2, 1, 1)), (5, (3, 1, 1)), (10, (7, 2, 1)), (28, (20, 5, 3))],
)
def test_sizes_of_the_sections(count, sizes):
    cases = patients(count)
    sections = split_cases(cases, volumes_ml=volumes(cases))
    assert tuple(len(own) for own in sections.values()) == sizes
    assert list(sections) == ["training", "validation", "test"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fractions", [(0.7, 0.2, 0.1), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.34, 0.33, 0.33)])
def test_every_patient_comes_exactly_once(seed, fractions):
    for count in range(1, 40):
        cases = patients(count)
        sections = split_cases(cases, fractions, seed, volumes(cases))
        assert sorted(case.patient for own in sections.values() for case in own) == sorted(
            case.patient for case in cases
        )
        assert (
            all(bool(own) == (share > 0) for own, share in zip(sections.values(), fractions, strict=True)) or count < 3
        )


@pytest.mark.parametrize("seed", range(10))
def test_every_section_gets_small_and_large_lesions(seed):
    cases = patients(30)
    known = volumes(cases)
    for own in split_cases(cases, seed=seed, volumes_ml=known).values():
        ranks = [known[case.patient] for case in own]
        assert min(ranks) < 10
        assert max(ranks) >= 20
        assert 9 < np.mean(ranks) < 20


def test_seed_decides_and_the_order_of_the_cases_does_not():
    cases = patients(28)
    known = volumes(cases)
    first = names(split_cases(cases, seed=1, volumes_ml=known))
    assert names(split_cases(cases[::-1], seed=1, volumes_ml=known)) == first
    assert names(split_cases(cases, seed=2, volumes_ml=known)) != first


@pytest.mark.parametrize("seed", range(10))
def test_sessions_of_a_person_stay_together(seed):
    cases = [Case(f"sub-{n}_ses-{s}", {"t1": Path("t1.nii")}, Path("l.nii")) for n in range(9) for s in (1, 2)]
    sections = names(split_cases(cases, seed=seed, volumes_ml=volumes(cases)))
    people = [{patient[:5] for patient in own} for own in sections.values()]
    assert sum(len(own) for own in people) == 9


def test_patients_without_a_label_go_to_a_section_of_their_own():
    cases = [*patients(3), Case("x", {"dwi": Path("dwi.nii")})]
    sections = split_cases(cases, volumes_ml=volumes(cases))
    assert names(sections)["unlabelled"] == ["x"]
    assert sum(map(len, sections.values())) == 4


def test_volumes_are_read_from_the_labels_where_they_are_not_given(write_case):
    cases = [write_case(str(number), voxels) for number, voxels in enumerate((1, 5, 50))]
    assert sum(map(len, split_cases(cases).values())) == 3


def test_lesion_volume_counts_voxels_above_one_half(write_volume):
    label = np.zeros((16, 14, 12))
    label.flat[:10] = 0.9999999998
    label.flat[10:15] = 0.4
    case = Case("1", {"dwi": Path("dwi.nii")}, write_volume("label.nii", label, np.diag([-2.0, 2.0, 2.5, 1.0])))
    assert lesion_volume_ml(case) == pytest.approx(10 * 10.0 / 1000)


def test_lesion_volume_of_the_real_patient(real_data):
    folder = real_data / "isles22-0009"
    label = folder / "sub-strokecase0009_ses-0001_msk.nii.gz"
    assert lesion_volume_ml(Case("9", {"dwi": folder}, label)) == pytest.approx(4.184, abs=1e-3)


def test_lesion_volume_without_a_label_is_refused():
    with pytest.raises(InputError, match="'p1' has no label"):
        lesion_volume_ml(patients(1, label=None)[0])


@pytest.mark.parametrize(
    ("cases", "arguments", "message"),
    [
        (patients(3), {"fractions": (0.7, 0.2, 0.2)}, "not three shares that sum to 1"),
        (patients(3), {"fractions": (1.2, -0.2, 0.0)}, "not three shares that sum to 1"),
        (patients(3) + patients(1), {}, "'p1' is given 2 times"),
        (patients(3, label=None), {}, "none of the 3 patients has a label"),
        (patients(2), {"volumes_ml": {"p1": 3.0}}, "no lesion volume is given for patient 'p2'"),
    ],
)
def test_split_that_cannot_be_is_refused(cases, arguments, message):
    with pytest.raises(InputError, match=message):
        split_cases(cases, **arguments)
