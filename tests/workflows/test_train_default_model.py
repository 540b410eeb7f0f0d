import pytest

from islesnet.errors import InputError
from workflows.claims import claim_folder
from workflows.train_default_model import TEST, VALIDATION, main, make_phantoms, split


def test_nobody_is_in_two_sections():
    sections = split(range(VALIDATION + TEST + 10))

    everybody = [case for section in sections.values() for case in section]
    assert sorted(everybody) == list(range(VALIDATION + TEST + 10))
    assert [len(section) for section in sections.values()] == [10, VALIDATION, TEST]


def test_cohort_without_anybody_to_train_on_is_refused(tmp_path):
    with pytest.raises(InputError, match="--patients is 44: 44 validate and test"):
        make_phantoms(tmp_path, VALIDATION + TEST, seed=0, lesions=None)


def test_folder_begun_with_another_seed_is_refused_before_its_phantoms_are_taken_for_these(tmp_path, capsys):
    begun = {"lesions": None, "patients": 60, "seed": 4, "minutes": 5.0, "start_from": None}
    claim_folder(tmp_path, "begun_with.json", begun)

    code = main(["--out", str(tmp_path), "--patients", "60", "--minutes", "5", "--seed", "5"])

    assert code == 1
    assert "was begun with another choice of seed" in capsys.readouterr().err
    assert not (tmp_path / "phantoms").exists()
