import pytest
import torch

from islesnet.errors import InputError
from islesnet.handlers import BegunWith

SPLIT = {"training": ["a", "b", "c"], "validation": ["d"]}


@pytest.mark.parametrize(
    ("choices", "split", "said"),
    [
        ({"seed": 0, "patch": [32, 32, 8]}, SPLIT, "patch was [32, 32, 4] and is [32, 32, 8]"),
        ({"seed": 1, "patch": 96}, SPLIT, "seed was 0 and is 1; patch was [32, 32, 4] and is 96"),
        ({"seed": 0}, SPLIT, "patch was [32, 32, 4] and is None"),
        (
            {"seed": 0, "patch": [32, 32, 4]},
            {"training": ["b", "c", "e", "f"], "validation": ["d"]},
            "of 3 training patients 1 left, and 2 joined",
        ),
        (
            {"seed": 0, "patch": [32, 32, 4]},
            {"training": ["a", "b"], "validation": ["c", "d"]},
            "of 3 training patients 1 left, and 0 joined; of 1 validation patients 0 left, and 1 joined",
        ),
    ],
)
def test_what_differs_is_refused_with_both_values_and_patients_are_counted(choices, split, said):
    saved = BegunWith({"seed": 0, "patch": [32, 32, 4]}, SPLIT).state_dict()

    with pytest.raises(InputError) as refused:
        BegunWith(choices, split).load_state_dict(saved)

    assert str(refused.value) == said


def test_same_choices_are_the_same_however_they_are_written_and_saved(tmp_path):
    written = BegunWith({"patch": (32, 32, 4), "rate": 1, "rotation": float("inf"), "head": None}, SPLIT)
    torch.save(written.state_dict(), tmp_path / "state.pt")
    read = torch.load(tmp_path / "state.pt", weights_only=True)

    in_other_order = {"validation": ["d"], "training": ["c", "b", "a"]}
    now = {"patch": [32, 32, 4], "rate": 1.0, "rotation": float("inf"), "head": None}
    BegunWith(now, in_other_order).load_state_dict(read)


@pytest.mark.parametrize("saved", [{}, {"choices": {"seed": 0}, "split": {}}])
def test_what_an_earlier_version_did_not_record_is_not_compared(saved):
    BegunWith({"seed": 0, "blur": 0.5}, SPLIT).load_state_dict(saved)
