import pytest
import torch
from ignite.engine import Engine, Events
from monai.data import Dataset
from monai.engines import IterationEvents

from workflows.benchmark import timing as module
from workflows.benchmark.timing import StepTimer, loading


@pytest.fixture
def passes(monkeypatch):
    """A clock that goes on only when it is told by how many seconds."""
    now = [0.0]

    def pass_seconds(seconds):
        now[0] += seconds

    monkeypatch.setattr(module, "settled_time", lambda: now[0])
    return pass_seconds


def train(timer, passes, first_network_s=5.0):
    """Train where a batch takes 2 s, the network 5 s and the trainer's handlers 1 s; the pure network takes 4 s."""
    pure_steps = []

    def batches():
        while True:
            passes(2.0)
            yield None

    def step(engine, batch):
        passes(first_network_s if engine.state.iteration == 1 else 5.0)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return [{"image": torch.zeros(4, 8, 8, 2), "label": torch.zeros(1, 8, 8, 2)} for _ in range(3)]

    def pure_step(engine, image, label):
        passes(4.0)
        pure_steps.append(engine.state.iteration)

    trainer = Engine(step)
    trainer.register_events(*IterationEvents)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: passes(1.0))
    timer._pure_step = pure_step
    timer.attach(trainer)
    trainer.run(batches(), epoch_length=1000)
    return pure_steps


@pytest.mark.parametrize("workers", [0, 2])
def test_timer_parts_the_steps_after_the_warm_up_and_times_as_many_of_the_pure_network(passes, workers):
    timer = StepTimer(10, workers)

    train(timer, passes, first_network_s=100.0)

    assert timer.seconds == {"waiting": 20.0, "network": 50.0, "trainer": 10.0, "pure network": 40.0, "beside": 0.0}
    assert timer.whole_s == 80.0
    assert timer.shape == (3, 4, 8, 8, 2)


def test_without_workers_the_pure_network_takes_turns_with_the_training(passes):
    assert train(StepTimer(4), passes) == [1, 4, 5, 6, 7]


def test_with_workers_the_pure_network_waits_until_the_steps_are_done(passes):
    assert train(StepTimer(4, workers=1), passes) == [1, 9, 9, 9, 9]


def test_loading_counts_the_slices_of_whole_batches_that_this_process_loads(passes):
    class Slabs(Dataset):
        """Patients whose slab of five slices takes this process a second."""

        def __getitem__(self, index):
            passes(1.0)
            return {"image": torch.zeros(4, 8, 8, 5)}

    assert loading(Slabs(range(100)), batch_size=6, batches=10) == 5.0
