"""What a training keeps of how its images look."""

import json

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.transforms import Compose

from islesnet.handlers import TrainingAppearance
from islesnet.handlers.appearance import at_even_steps
from islesnet.trust import AppearanceRanges, describe_appearance, read_appearance

SEQUENCES = ("dwi", "t2")


def image_of(case):
    """Make an image of noise; the T2 is absent but for the patients that have one."""
    image = torch.as_tensor(np.random.default_rng(int(case["patient"])).normal(0, 1, (2, 8, 8, 4)).clip(-5, 10))
    if "t2" not in case:
        image[1] = 0
    return {"image": image.float()}


@pytest.fixture
def train(tmp_path):
    """Run a training of no steps; return what lies beside its weights."""

    def run(cases, **settings):
        trainer = Engine(lambda engine, batch: None)
        TrainingAppearance(tmp_path / "model.pt", cases, Compose([image_of]), SEQUENCES, **settings).attach(trainer)
        assert read_appearance(tmp_path / "model.pt") is None
        trainer.run([0], max_epochs=1)
        return read_appearance(tmp_path / "model.pt")

    return run


def cases_of(patients, with_t2=0):
    return [{"patient": str(n), "dwi": "x"} | ({"t2": "x"} if n < with_t2 else {}) for n in range(patients)]


def test_ranges_of_the_training_patients_lie_beside_the_weights_once_it_ends(train):
    cases = cases_of(12, with_t2=12)

    assert train(cases) == AppearanceRanges.fit(describe_appearance(image_of(c)["image"], SEQUENCES) for c in cases)


def test_sequence_that_few_patients_have_is_left_out(train):
    assert train(cases_of(12, with_t2=9)).images == {"dwi": 12}


def test_too_few_patients_give_no_ranges(train, caplog):
    with caplog.at_level("INFO"):
        assert train(cases_of(9)) is None
    assert "9 patients are too few to say how the training's images look" in caplog.text


@pytest.mark.parametrize(("most", "described"), [(10, 10), (13, 13), (20, 20), (100, 20)])
def test_no_more_patients_are_described_than_asked_for(train, tmp_path, most, described):
    train(cases_of(20), most_patients=most)

    assert json.loads((tmp_path / "model_appearance.json").read_text())["images"] == {"dwi": described}


def test_nobody_is_described_where_none_is_asked_for(train, caplog):
    with caplog.at_level("INFO"):
        assert train(cases_of(20), most_patients=0) is None
    assert "too few" not in caplog.text


@pytest.mark.parametrize(
    ("count", "most", "taken"),
    [(276, 150, 150), (276, 276, 276), (60, 150, 60), (151, 150, 150), (10, 0, 0), (0, 5, 0)],
)
def test_no_more_patients_than_asked_for_are_taken_evenly_from_first_to_last(count, most, taken):
    chosen = at_even_steps(range(count), most)

    assert len(chosen) == len(set(chosen)) == taken
    if taken:
        steps = np.diff([*chosen, count])
        assert chosen[0] == 0 and set(steps) <= {count // taken, -(-count // taken)}
