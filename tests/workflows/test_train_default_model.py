import pytest

from islesnet.data import find_cases, read_volume
from islesnet.errors import InputError
from islesnet.phantom import write_wide_dataset
from workflows.claims import claim_folder
from workflows.train_default_model import TEST, VALIDATION, _is_skull_stripped, main, make_phantoms, split


def test_whether_a_phantom_has_a_skull_is_known_from_its_number(tmp_path):
    write_wide_dataset(tmp_path, 4, seed=3, spacing_mm=(5.0, 5.0), workers=1)
    cases = find_cases(tmp_path)

    told = [_is_skull_stripped(case, seed=3) for case in cases]
    heads_ml = [(read_volume(case.sequences["flair"]).array > 0).sum() * 0.125 for case in cases]
    assert told == [volume_ml < 2200 for volume_ml in heads_ml]
    assert set(told) == {True, False}


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


def test_phantoms_shared_between_runs_are_refused_where_they_were_drawn_in_another_way(tmp_path, monkeypatch):
    monkeypatch.setattr("workflows.train_default_model.VALIDATION", 1)
    monkeypatch.setattr("workflows.train_default_model.TEST", 1)
    monkeypatch.setattr("workflows.train_default_model.SPACING_MM", (6.0, 6.0))
    wide = make_phantoms(tmp_path, 3, seed=0, lesions=None)

    again = make_phantoms(tmp_path, 3, seed=0, lesions=None)
    with pytest.raises(InputError, match="begun with another choice of narrow"):
        make_phantoms(tmp_path, 3, seed=0, lesions=None, narrow=True)

    assert [case.patient for case in again.cases] == [case.patient for case in wide.cases] == ["1", "2", "3"]
