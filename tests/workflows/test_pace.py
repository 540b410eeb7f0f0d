import pytest
import torch
from ignite.engine import Engine, Events

from workflows.benchmark import bundle
from workflows.benchmark.bundle import Pace


@pytest.fixture
def clock(monkeypatch):
    """Stand in for the clock: a step of the training takes 5 s, one of the pure network 4 s."""
    now = [0.0]

    def passes(seconds):
        now[0] += seconds

    monkeypatch.setattr(bundle, "settled_time", lambda: now[0])
    monkeypatch.setattr(Pace, "_pure_step", staticmethod(lambda engine, image, label: passes(4.0)))
    return passes


def train(pace, clock, first_step_s=5.0):
    def step(engine, batch):
        clock(first_step_s if engine.state.iteration == 1 else 5.0)
        return [{"image": torch.zeros(4, 8, 8, 2), "label": torch.zeros(1, 8, 8, 2)} for _ in range(3)]

    trainer = Engine(step)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, pace)
    trainer.run(range(1000))
    return trainer.state.iteration


@pytest.mark.parametrize(("workers", "warm_up"), [(0, 3), (2, 7)])
def test_pace_times_the_steps_after_the_warm_up_and_as_many_of_the_pure_network(clock, workers, warm_up):
    pace = Pace(10, workers)

    steps = train(pace, clock, first_step_s=100.0)

    assert steps == warm_up + 10
    assert (pace.whole_s, pace.pure_s) == (50.0, 40.0)
    assert pace.shape == (3, 4, 8, 8, 2)


def test_with_workers_the_pure_network_waits_until_the_steps_are_done(clock):
    turns = []
    pace = Pace(4, workers=1)

    def pure_step(engine, image, label):
        turns.append(engine.state.iteration)

    pace._pure_step = pure_step
    train(pace, clock)

    assert turns == [5, 9, 9, 9, 9]
