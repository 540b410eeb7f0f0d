import pytest

from islesnet.errors import InputError
from islesnet.trust import SubsetScores, read_subsets

SCORES = SubsetScores({"t1": 0.0, "t2+flair": 0.171, "dwi": 0.323}, {"t1": 24, "t2+flair": 24, "dwi": 21})


@pytest.mark.parametrize(
    ("present", "reasons", "notes"),
    [(["t1"], 1, 0), (["t2", "flair"], 0, 1), (["dwi"], 0, 0), (["dwi", "t1"], 0, 0)],  # the last was not measured
)
def test_mean_dice_decides_between_reason_note_and_nothing(present, reasons, notes):
    assert len(SCORES.check(present, 0.1)) == reasons
    assert len(SCORES.note(present, 0.1, 0.2)) == notes


def test_reason_says_what_was_measured_and_what_it_means():
    (finding,) = SCORES.check(["t1"], 0.1)

    assert finding.sentence == (
        "With T1 alone this network reaches a mean Dice of 0.00 on 24 synthetic patients, next to nothing. What it "
        "marks may be right, but an empty or small mask excludes no infarct."
    )


def test_scores_come_back_from_the_file_beside_the_weights(tmp_path):
    SCORES.write(tmp_path / "model_subsets.json")
    assert read_subsets(tmp_path / "model.pt") == SCORES


def test_weights_without_the_file_have_no_scores(tmp_path):
    assert read_subsets(tmp_path / "model.pt") is None


@pytest.mark.parametrize("content", ["{", "[]", '{"tested_on": "phantoms", "subsets": {"t1": 0.1}}'])
def test_damaged_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "model_subsets.json").write_text(content)
    with pytest.raises(InputError, match=r"model_subsets\.json does not hold the scores"):
        read_subsets(tmp_path / "model.pt")
