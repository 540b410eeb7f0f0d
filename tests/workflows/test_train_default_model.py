import pytest

from islesnet.errors import InputError
from workflows.train_default_model import TEST, VALIDATION, make_phantoms, split


def test_nobody_is_in_two_sections():
    sections = split(range(VALIDATION + TEST + 10))

    everybody = [case for section in sections.values() for case in section]
    assert sorted(everybody) == list(range(VALIDATION + TEST + 10))
    assert [len(section) for section in sections.values()] == [10, VALIDATION, TEST]


def test_cohort_without_anybody_to_train_on_is_refused(tmp_path):
    with pytest.raises(InputError, match="--patients is 44: 44 validate and test"):
        make_phantoms(tmp_path, VALIDATION + TEST, seed=0, lesions=None)
