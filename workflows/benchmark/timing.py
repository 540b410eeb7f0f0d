"""Where the time of a training goes, compared with the pure network and with loading alone."""

import time
from collections.abc import Callable
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader, Dataset
from monai.engines import IterationEvents

from islesnet.processes import one_thread


def loading(dataset: Dataset, batch_size: int, batches: int) -> float:
    """Measure how many slices a second one process with one thread loads from the cache while it does nothing else.

    Args:
        dataset: the training's.
        batch_size: patients in a batch.
        batches: how many are timed.
    """
    loader = iter(DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=0))
    with one_thread():  # as a worker has
        next(loader)  # warms up
        seconds, shapes = timed(lambda: [next(loader)["image"].shape for _ in range(batches)])
    return float(sum(shape[0] * shape[-1] for shape in shapes) / seconds)


class StepTimer:
    """Time a trainer's steps and as many of the pure network: forward, loss, backward, optimiser.

    ``seconds`` says what the time of all steps went to: "waiting" for batches; the "network" in training, from the
    batch's transfer to the optimiser and the splitting of its output; the "trainer"'s own work around it; the "pure
    network"; and "beside", what the measuring itself takes. A GPU is waited for at the end of each.

    Args:
        steps: how many are timed; the training is ended after them.
        workers: processes that load batches. Without any, each step is followed by one of the pure network. Workers
            would load ahead during that, so with any of them all steps come first, and are timed once the batches that
            lay ready are used up.
    """

    WARM_UP = 3  # steps
    AHEAD = 2  # batches that a DataLoader keeps ready for each worker

    def __init__(self, steps: int, workers: int = 0) -> None:
        self.steps = steps
        self.shape: tuple[int, ...] = ()
        self.seconds = dict.fromkeys(("waiting", "network", "trainer", "pure network", "beside"), 0.0)
        self._turn = steps if workers else 1
        self._warm_up = self.WARM_UP + self.AHEAD * workers
        self._now, self._since = "beside", settled_time()

    @property
    def whole_s(self) -> float:
        """Seconds that the training took, without the pure network and the measuring."""
        return sum(self.seconds[part] for part in ("waiting", "network", "trainer"))

    def attach(self, engine: Engine) -> None:
        """Follow a trainer; to be called once all of its own handlers are attached."""
        engine.add_event_handler(Events.GET_BATCH_STARTED, lambda: self._begin("waiting"))
        engine.add_event_handler(Events.GET_BATCH_COMPLETED, lambda: self._begin("trainer"))
        engine.add_event_handler(Events.ITERATION_STARTED, lambda: self._begin("network"))
        engine.add_event_handler(IterationEvents.MODEL_COMPLETED, lambda: self._begin("trainer"))
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._complete)

    def _begin(self, part: str) -> None:
        now = settled_time()
        self.seconds[self._now] += now - self._since
        self._now, self._since = part, now

    def _complete(self, engine: Engine) -> None:
        """After the steps of a turn, time as many of the pure network; after the first step run one, to warm it up."""
        done = engine.state.iteration - self._warm_up
        if engine.state.iteration == 1 or (done > 0 and done % self._turn == 0):
            self._begin("beside")
            image, label = (torch.stack([output[key] for output in engine.state.output]) for key in ("image", "label"))
            self.shape = tuple(image.shape)
            for _ in range(self._turn if done > 0 else 1):
                self._begin("pure network")
                self._pure_step(engine, image, label)
            self._begin("trainer")
        if done == 0:
            self._begin("trainer")
            self.seconds = dict.fromkeys(self.seconds, 0.0)
        elif done >= self.steps:
            engine.terminate(skip_completed=True)

    @staticmethod
    def _pure_step(engine: Engine, image: torch.Tensor, label: torch.Tensor) -> None:
        engine.network.train()
        engine.optimizer.zero_grad()
        with torch.autocast("cuda", enabled=engine.amp):
            loss = engine.loss_function(engine.inferer(image, engine.network), label)
        if engine.amp:
            engine.scaler.scale(loss).backward()
            engine.scaler.step(engine.optimizer)
            engine.scaler.update()
        else:
            loss.backward()
            engine.optimizer.step()


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Run an action; return how many seconds it took, and its result."""
    began = settled_time()
    result = action()
    return round(settled_time() - began, 3), result


def settled_time() -> float:
    """Read the clock, after a GPU, where there is one, has finished its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
