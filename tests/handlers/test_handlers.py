"""Handlers on small engines; their work in a whole training is tested with the bundle."""

import logging

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines import SupervisedEvaluator
from monai.transforms import Compose, RandFlip
from torch import nn

from islesnet.errors import InputError
from islesnet.handlers import (
    BegunWith,
    EncoderOpener,
    ExactResume,
    LearningRate,
    OutlinedSlices,
    TimeLeft,
    WholeCheckpointSaver,
    first_step,
    steps_taken,
)
from islesnet.networks import ResNet50UNet, SlabNetwork


class Recorder:
    """Stands for a SummaryWriter."""

    def __init__(self):
        self.scalars, self.images = [], {}

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, value, step))

    def add_image(self, tag, picture, step, dataformats):
        self.images[tag] = (picture, step, dataformats)


@pytest.fixture
def engine():
    engine = Engine(lambda engine, batch: {"loss": float(batch)})
    engine.state.rank, engine.state.device = 0, torch.device("cpu")
    return engine


@pytest.fixture
def evaluator():
    return SupervisedEvaluator(device="cpu", val_data_loader=[], network=nn.Identity())


def exact_resume(path, evaluator, resume=False, seed=0, network=None, choices=None):
    best = WholeCheckpointSaver(str(path.parent), {"model": nn.Linear(1, 1)})
    objects = {} if choices is None else {"begun_with": BegunWith(choices, {"training": ["a"]})}
    objects["network"] = network or nn.Linear(2, 2)
    return ExactResume(path, objects, evaluator, best, Compose([RandFlip(prob=0.5)]), seed, resume)


def test_every_epoch_draws_the_same_numbers_whatever_came_before(engine, evaluator, tmp_path):
    handler = exact_resume(tmp_path / "last.pt", evaluator)
    draws = []
    for spoilt in (0, 7):
        torch.rand(spoilt)
        np.random.rand(spoilt)
        engine.state.epoch = 3
        handler.seed_epoch(engine)
        flips = [handler.transform.transforms[0].R.rand() for _ in range(3)]
        draws.append((torch.rand(1).item(), np.random.rand(), *flips))

    assert draws[0] == draws[1]


def test_epochs_and_ranks_draw_different_numbers(engine, evaluator, tmp_path):
    handler = exact_resume(tmp_path / "last.pt", evaluator)
    seen = set()
    for engine.state.epoch in (1, 2):
        for engine.state.rank in (0, 1):
            handler.seed_epoch(engine)
            seen.add(torch.rand(1).item())

    assert len(seen) == 4


@pytest.mark.parametrize("resume", [False, True])
def test_weights_that_no_state_belongs_to_are_set_aside_with_what_is_theirs(resume, engine, evaluator, tmp_path):
    beside = ["appearance", "operating_point", "subsets", "trained_with"]
    shipped = ["model.pt", "model.pt.sha256", *(f"model_{name}.json" for name in beside)]
    for name in shipped:
        (tmp_path / name).write_text("shipped")

    exact_resume(tmp_path / "last.pt", evaluator, resume).start(engine)

    assert sorted(path.name for path in (tmp_path / "earlier_1").iterdir()) == shipped
    assert [path.name for path in tmp_path.iterdir()] == ["earlier_1"]


def test_state_is_saved_and_taken_back(engine, evaluator, tmp_path):
    written = exact_resume(tmp_path / "last.pt", evaluator)
    engine.state.epoch, engine.state.iteration = 4, 40
    evaluator.state.best_metric, evaluator.state.best_metric_epoch = 0.75, 3
    written.save(engine)
    fresh, other = nn.Linear(2, 2), SupervisedEvaluator(device="cpu", val_data_loader=[], network=nn.Identity())
    engine.state.epoch = engine.state.iteration = 0
    engine.state.max_epochs = 10

    exact_resume(tmp_path / "last.pt", other, resume=True, network=fresh).start(engine)

    assert (engine.state.epoch, engine.state.iteration) == (4, 40)
    assert (other.state.best_metric, other.state.best_metric_epoch) == (0.75, 3)
    torch.testing.assert_close(fresh.state_dict(), written.objects["network"].state_dict())


def test_state_of_another_training_is_refused_by_name(engine, evaluator, tmp_path):
    exact_resume(tmp_path / "last.pt", evaluator, network=nn.Linear(3, 3)).save(engine)

    with pytest.raises(InputError, match=r"last\.pt is not the state of this training"):
        exact_resume(tmp_path / "last.pt", evaluator, resume=True).start(engine)


def test_state_of_other_voxels_is_refused(engine, evaluator, tmp_path):
    at_1_5_mm, at_2_mm = (SlabNetwork(nn.Conv2d(3, 2, 1), spacing=(edge,) * 3) for edge in (1.5, 2.0))
    exact_resume(tmp_path / "last.pt", evaluator, network=at_1_5_mm).save(engine)

    with pytest.raises(InputError, match=r"spacing_mm is \(1.5, 1.5, 1.5\) mm there and \(2.0, 2.0, 2.0\) mm here"):
        exact_resume(tmp_path / "last.pt", evaluator, resume=True, network=at_2_mm).start(engine)


def test_training_does_not_go_on_with_other_choices_than_it_was_begun_with(engine, evaluator, tmp_path):
    exact_resume(tmp_path / "last.pt", evaluator, choices={"learning_rate": 0.001}).save(engine)
    before = (tmp_path / "last.pt").read_bytes()

    with pytest.raises(InputError) as refused:
        other = nn.Linear(3, 3)  # what follows from the choice is not what is told
        exact_resume(tmp_path / "last.pt", evaluator, True, network=other, choices={"learning_rate": 0.1}).start(engine)

    assert str(refused.value) == (
        f"{tmp_path}/last.pt is not the state of this training (learning_rate was 0.001 and is 0.1). Resume with the "
        "settings and patients it was started with, or start anew with --resume False."
    )
    assert (tmp_path / "last.pt").read_bytes() == before


def test_training_of_a_version_that_kept_no_record_goes_on_and_has_one_from_then_on(engine, evaluator, tmp_path):
    engine.state.max_epochs = 1
    exact_resume(tmp_path / "last.pt", evaluator).save(engine)

    resumed = exact_resume(tmp_path / "last.pt", evaluator, resume=True, choices={"seed": 0})
    resumed.start(engine)
    resumed.save(engine)

    saved = torch.load(tmp_path / "last.pt", weights_only=True)["objects"]["begun_with"]
    assert saved == {"choices": {"seed": 0}, "split": {"training": ["a"]}}


@pytest.mark.parametrize(("resume", "step"), [(True, 41), (False, 1)])
def test_resumed_training_begins_with_the_step_after_those_taken(resume, step, engine, evaluator, tmp_path):
    engine.state.iteration = 40
    exact_resume(tmp_path / "last.pt", evaluator).save(engine)

    assert steps_taken(tmp_path / "last.pt") == 40
    assert first_step(tmp_path / "last.pt", resume) == step


def test_training_without_a_readable_state_begins_with_the_first_step(tmp_path):
    (tmp_path / "damaged.pt").write_bytes(b"no state")

    assert steps_taken(tmp_path / "absent.pt") is None
    assert [first_step(tmp_path / name, resume=True) for name in ("absent.pt", "damaged.pt")] == [1, 1]


def test_best_weights_survive_a_failed_write(tmp_path, monkeypatch):
    saver = WholeCheckpointSaver(str(tmp_path), {"model": nn.Linear(1, 1)})
    handler = saver._key_metric_checkpoint.save_handler
    handler({"weight": torch.ones(1)}, "model.pt")
    handler.remove("model.pt")
    monkeypatch.setattr(torch, "save", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space left"):
        handler({"weight": torch.zeros(1)}, "model.pt")

    assert torch.load(tmp_path / "model.pt")["weight"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_staged_encoder_opens_after_its_frozen_epochs(engine):
    network = SlabNetwork(ResNet50UNet(in_channels=3, encoder_training="staged"))
    EncoderOpener(network, frozen_epochs=1).attach(engine)
    frozen = []
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: frozen.append(network.network.encoder_is_frozen))

    engine.run([0], max_epochs=2)

    assert frozen == [True, False]


def test_network_that_is_not_staged_is_left_alone(engine):
    frozen = ResNet50UNet(in_channels=3, encoder_training="frozen")
    for network in (nn.Linear(1, 1), SlabNetwork(frozen)):
        EncoderOpener(network, frozen_epochs=0).attach(engine)

    engine.run([0], max_epochs=1)

    assert frozen.encoder_is_frozen


def test_learning_rate_is_written_at_every_epoch(engine):
    writer = Recorder()
    LearningRate(writer, torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.25)).attach(engine)

    engine.run([0], max_epochs=2)

    assert writer.scalars == [("learning_rate", 0.25, 1), ("learning_rate", 0.25, 2)]


def pictures_of(batches, patients, epochs=1):
    """Draw the first patients of a validation whose batches are these names."""

    def step(engine, batch):
        mask = torch.zeros(1, 6, 5, 4)
        mask[0, 2:4, 2:4, 1] = 1
        engine.state.batch = [{"patient": patient} for patient in batch]
        return [{"image": torch.rand(2, 6, 5, 4), "label": mask, "pred": mask} for _ in batch]

    writer, engine = Recorder(), Engine(step)
    OutlinedSlices(writer, ["dwi", "t1"], patients=patients).attach(engine)
    engine.run(batches, max_epochs=epochs)
    return writer.images


def test_first_patients_are_drawn_and_no_more():
    images = pictures_of(["a", "b", "c"], patients=2)

    assert sorted(images) == ["outlines/a", "outlines/b"]
    picture, step_number, dataformats = images["outlines/a"]
    assert (picture.shape, step_number, dataformats) == ((15, 36, 3), 1, "HWC")


@pytest.mark.parametrize("batches", [["abcd", "efgh", "ijkl"], ["abcd", "efg"]])
def test_no_more_patients_are_drawn_however_many_make_a_batch(batches):
    assert "".join(sorted(name[-1] for name in pictures_of(batches, patients=5))) == "abcde"
    assert "".join(sorted(name[-1] for name in pictures_of(batches, patients=4))) == "abcd"


def test_same_patients_are_drawn_at_every_validation():
    images = pictures_of(["a", "b", "c"], patients=2, epochs=3)

    assert {name: step_number for name, (_, step_number, _) in images.items()} == {"outlines/a": 3, "outlines/b": 3}


@pytest.mark.parametrize(
    ("stopped_at", "told"),
    [
        (4, "Segmenting: 4 of 6 patients, 50:00 so far\n"),
        (5, "Segmenting: 5 of 6 patients, 1:06:40 so far, 16:40 left\n"),
    ],
)
def test_time_left_goes_by_what_follows_the_first_patient_of_those_not_passed_over(
    engine, caplog, monkeypatch, stopped_at, told
):
    # Three were done before; the fourth waits for the network too, 3000 s in all, the others take 1000.
    clock = {4: 3001.0, 5: 4001.0}
    monkeypatch.setattr("islesnet.handlers.progress.time.monotonic", lambda: clock.get(engine.state.iteration, 1.0))
    engine.finished = ["a", "b", "c"]
    TimeLeft("Segmenting", "patient", seconds=1e9).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=stopped_at), engine.terminate)

    with caplog.at_level(logging.INFO):
        engine.run([0, 1, 2, 3, 4, 5])

    assert told in caplog.text


def test_time_left_of_a_long_training_does_not_go_by_its_first_hundredth(engine, caplog, monkeypatch):
    # Compiling, the first 3 of 300 steps take 100 s each, all others 1.
    def clock():
        done = engine.state.iteration
        return 1.0 + (100 * done if done <= 3 else 297 + done)

    monkeypatch.setattr("islesnet.handlers.progress.time.monotonic", clock)
    TimeLeft("Training", seconds=1e9, total_steps=300).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=10), engine.terminate)

    with caplog.at_level(logging.INFO):
        engine.run(list(range(300)))

    assert "Training: 10 of 300 steps, 5:07 so far, 4:50 left\n" in caplog.text


def test_time_left_of_a_large_cohort_is_told_though_almost_all_of_it_was_passed_over(engine, caplog, monkeypatch):
    engine.finished = [str(patient) for patient in range(995)]
    monkeypatch.setattr(
        "islesnet.handlers.progress.time.monotonic", lambda: 1.0 + 60 * max(engine.state.iteration - 995, 0)
    )
    TimeLeft("Segmenting", "patient", seconds=1e9).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=997), engine.terminate)

    with caplog.at_level(logging.INFO):
        engine.run(list(range(1000)))

    assert "Segmenting: 997 of 1000 patients, 2:00 so far, 3:00 left\n" in caplog.text


def test_time_left_is_said_in_the_log_at_the_end(engine, caplog):
    TimeLeft("Training", seconds=1e9, total_steps=6).attach(engine)

    with caplog.at_level(logging.INFO):
        engine.run([0, 1, 2], max_epochs=2)

    assert "Training: 6 of 6 steps" in caplog.text


def test_second_run_ends_with_a_line_as_the_first_does(engine, caplog, monkeypatch):
    # The first run has its line after the last patient, for a minute is over; the second is quicker.
    minutes = [1.0, 2.0]
    monkeypatch.setattr("islesnet.handlers.progress.time.monotonic", lambda: 60 * minutes[engine.state.iteration == 2])
    TimeLeft("Segmenting", "patient", seconds=60.0).attach(engine)
    engine.run([0, 1])
    caplog.clear()
    minutes[1] = 1.5

    with caplog.at_level(logging.INFO):
        engine.run([0, 1])

    assert "Segmenting: 2 of 2 patients, 0:30 so far" in caplog.text
