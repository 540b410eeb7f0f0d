"""Weights that say what they were trained with are used with it."""

import pytest
import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import (
    EnsembleNetwork,
    SlabNetwork,
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
    ("name", "value", "both", "way"),
    [
        ("sequences", ["dwi"], "flair, dwi", "recipe inference_paper.yaml and --sequence flair."),
        (
            "spacing",
            [2.0, 2.0, 2.0],
            "1.8, 1.8, 1.0, 2.0, 2.0, 2.0",
            "recipe and without --spacing or, for the paper's",
        ),
        ("head", "sigmoid", "softmax, sigmoid", 'recipe and --head "softmax".'),
        ("context", 2, "1, 2", 'recipe and --context "1".'),
    ],
)
def test_weights_trained_with_another_choice_are_refused_with_both_and_what_to_do(make, name, value, both, way):
    path = make()

    with pytest.raises(InputError) as caught:
        require_weights(path, network(), {**CHOICES, name: value})

    told = str(caught.value).replace(f", as {trained_with_file(path)} says, and are to be used with ", ", ")
    assert told.startswith(f"The weights at {path} were trained with {name} {both}. ")
    assert f"Use them as they were trained: with the bundle's {way}" in told


def test_weights_that_say_nothing_are_taken_as_before(make):
    path = make()
    trained_with_file(path).unlink()

    require_weights(path, network(), {**CHOICES, "head": "sigmoid"})
    assert other_choices(read_trained_with(path), CHOICES) == []


def test_spacing_that_the_weights_do_not_hold_is_read_beside_them(make):
    assert trained_spacing(make()) == [1.8, 1.8, 1.0]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_damaged_file_is_refused_by_name(make, content):
    path = make()
    trained_with_file(path).write_text(content)

    with pytest.raises(InputError, match=r"model_trained_with\.json: what the weights were trained with cannot"):
        require_weights(path, network(), CHOICES)


def test_file_that_names_another_spacing_than_the_weights_belongs_to_others_and_is_ignored(tmp_path, caplog):
    own = SlabNetwork(nn.Conv2d(3, 2, 1), spacing=(2.0, 2.0, 2.0))
    path = tmp_path / "model.pt"
    torch.save(own.state_dict(), path)
    write_trained_with(path, {**CHOICES, "spacing": [1.5, 1.5, 1.5]})
    wanted = {**CHOICES, "spacing": [2.0, 2.0, 2.0], "head": "sigmoid"}

    require_weights(path, own, wanted)
    start_from(own, path, wanted)
    write_ensemble([path] * 2, tmp_path / "ensemble.pt")

    assert not trained_with_file(tmp_path / "ensemble.pt").exists()
    told = (
        f"{trained_with_file(path)} belongs to other weights and is ignored: it says that they were trained on voxels"
    )
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert {warning.partition(" of 1.5")[0] for warning in warnings} == {told}
    assert f"1.5, 1.5, 1.5 mm, but those of {path} were on 2.0, 2.0, 2.0 mm" in caplog.text


def test_training_that_starts_from_weights_trained_otherwise_says_so(make, caplog):
    path = make()

    start_from(network(), path, CHOICES)
    assert caplog.messages == []
    start_from(network(), path, {**CHOICES, "sequences": ["dwi"], "spacing": [2.0, 2.0, 2.0]})

    source = f"as {trained_with_file(path)} says, and this training is with"
    assert [message.partition("were ")[2] for message in caplog.messages] == [
        f"trained with sequences flair, {source} dwi.",
        f"trained with spacing 1.8, 1.8, 1.0, {source} 2.0, 2.0, 2.0.",
    ]


def test_ensemble_was_trained_with_what_its_members_were(make, tmp_path):
    write_ensemble([make("a"), make("b")], tmp_path / "ensemble.pt")

    assert read_trained_with(tmp_path / "ensemble.pt") == CHOICES
    with pytest.raises(InputError, match="sequences flair"):
        require_weights(tmp_path / "ensemble.pt", EnsembleNetwork(network(), 2), {"sequences": ["dwi"]})
    with pytest.raises(
        InputError, match=r"c\.pt was trained with sequences t1, as .*c_trained_with\.json says, others with flair"
    ):
        join_weights([make("a"), make("c", sequences=["t1"])])
