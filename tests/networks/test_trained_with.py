"""Weights that say what they were trained with are used with it."""

import pytest
import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import (
    EnsembleNetwork,
    join_weights,
    require_weights,
    start_from,
    trained_spacing,
    trained_with_file,
    write_ensemble,
    write_trained_with,
)
from islesnet.networks.trained_with import other_choices, read_trained_with

CHOICES = {"sequences": ["flair"], "spacing": [1.8, 1.8, 1.0], "context": 1, "head": "softmax"}


@pytest.fixture
def make(tmp_path):
    """Write the weights of a network under a name, trained with `CHOICES` but for some."""

    def write(name="model", **others):
        path = tmp_path / f"{name}.pt"
        torch.save(nn.Conv3d(1, 2, 1).state_dict(), path)
        write_trained_with(path, {**CHOICES, **others})
        return path

    return write


def network():
    return nn.Conv3d(1, 2, 1)


def test_weights_are_taken_with_what_they_were_trained_with(make):
    path = make()

    require_weights(path, network(), CHOICES)
    require_weights(path, network(), {**CHOICES, "spacing": (1.8 + 1e-8, 1.8, 1)})
    require_weights(path, network(), {**CHOICES, "unknown": 1})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sequences", ["dwi"], "with sequences flair, and are to be used with dwi. Use .*: --sequence flair, which"),
        (
            "spacing",
            [2.0, 2.0, 2.0],
            r"with spacing 1\.8, 1\.8, 1\.0, and .* with 2\.0, 2\.0, 2\.0\. Use .*: without",
        ),
        ("head", "sigmoid", 'with head softmax, and are to be used with sigmoid. Use .*: --head "softmax"'),
        ("context", 2, 'with context 1, and are to be used with 2. Use them as they were trained: --context "1"'),
    ],
)
def test_weights_trained_with_another_choice_are_refused_with_both_and_what_to_do(make, name, value, sentence):
    with pytest.raises(InputError, match=sentence):
        require_weights(make(), network(), {**CHOICES, name: value})


def test_weights_that_say_nothing_are_taken_as_before(make):
    path = make()
    trained_with_file(path).unlink()

    require_weights(path, network(), {**CHOICES, "head": "sigmoid"})
    assert other_choices(path, CHOICES) == []


def test_spacing_that_the_weights_do_not_hold_is_read_beside_them(make):
    assert trained_spacing(make()) == [1.8, 1.8, 1.0]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_damaged_file_is_refused_by_name(make, content):
    path = make()
    trained_with_file(path).write_text(content)

    with pytest.raises(InputError, match=r"model_trained_with\.json: what the weights were trained with cannot"):
        require_weights(path, network(), CHOICES)


def test_training_that_starts_from_weights_trained_otherwise_says_so(make, caplog):
    path = make()

    start_from(network(), path, CHOICES)
    assert caplog.messages == []
    start_from(network(), path, {**CHOICES, "sequences": ["dwi"], "spacing": [2.0, 2.0, 2.0]})

    assert [message.partition("were ")[2] for message in caplog.messages] == [
        "trained with sequences flair, and this training is with dwi.",
        "trained with spacing 1.8, 1.8, 1.0, and this training is with 2.0, 2.0, 2.0.",
    ]


def test_ensemble_was_trained_with_what_its_members_were(make, tmp_path):
    write_ensemble([make("a"), make("b")], tmp_path / "ensemble.pt")

    assert read_trained_with(tmp_path / "ensemble.pt") == CHOICES
    with pytest.raises(InputError, match="sequences flair"):
        require_weights(tmp_path / "ensemble.pt", EnsembleNetwork(network(), 2), {"sequences": ["dwi"]})
    with pytest.raises(InputError, match=r"c\.pt was trained with sequences t1, others with flair"):
        join_weights([make("a"), make("c", sequences=["t1"])])
