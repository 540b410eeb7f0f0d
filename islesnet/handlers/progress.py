"""A progress bar with the time left."""

import logging
import sys
import time

from ignite.engine import Engine, Events
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

logger = logging.getLogger(__name__)


class TimeLeft:
    """Show how far an engine is and how long it still takes: a bar on a terminal, a line now and then in a log.

    What an engine names in its ``finished`` was passed over: it does not count in the pace, and is not in the bar.
    The time left follows, on a bar, from the pace of the last half minute; in a log, from that of the whole run without
    its first hundredth (at least one iteration), which waits for workers and compilers.

    Args:
        description: what is being done, e.g. "Training".
        unit: what one iteration is, e.g. "patient" or "step".
        seconds: between two lines of a log.
        total_steps: iterations of the whole run; those of one epoch by default.
    """

    def __init__(
        self, description: str, unit: str = "step", seconds: float = 15.0, total_steps: int | None = None
    ) -> None:
        self.description = description
        self.unit = unit
        self.seconds = seconds
        self.total_steps = total_steps
        self._bar: Progress | None = None
        self._began = self._last = self._paced_from = 0.0
        self._first = 0
        self._last_line = -1

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer or evaluator."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.advance)
        engine.add_event_handler(Events.COMPLETED, self.end)
        engine.add_event_handler(Events.TERMINATE, self.end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self.fail)

    def begin(self, engine: Engine) -> None:
        """Start the clock at the first epoch of this run; a resumed training counts what is left."""
        if self._began:
            return
        self._began = self._last = time.monotonic()
        self._first = engine.state.iteration
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(f"{self.unit}s, so far"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.add_task(self.description, total=self._total(engine), completed=self._first)
            self._bar.start()

    def advance(self, engine: Engine) -> None:
        """Show the iteration just completed."""
        if self._bar is not None:
            description = self.description + self._loss(engine)
            passed = _passed_over(engine)
            done, total = engine.state.iteration - passed, self._total(engine) - passed
            self._bar.update(self._bar.task_ids[0], total=total, completed=done, description=description)
            return
        if self._done(engine) <= self._warm_up(engine):
            self._paced_from = time.monotonic()
        if time.monotonic() - self._last >= self.seconds:
            self._last, self._last_line = time.monotonic(), engine.state.iteration
            logger.info(self._line(engine))

    def end(self, engine: Engine) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.stop()
        elif self._began and self._last_line != engine.state.iteration:
            logger.info(self._line(engine))
        self._bar, self._began, self._last_line = None, 0.0, -1

    def fail(self, engine: Engine, error: Exception) -> None:
        """Close the bar and let the error go on."""
        self.end(engine)
        raise error

    def _line(self, engine: Engine) -> str:
        done, total = engine.state.iteration, self._total(engine)
        now = time.monotonic()
        reached = f"{self.description}: {done} of {total} {self.unit}s{self._loss(engine)}"
        spent = f"{clock(now - self._began)} so far"
        paced = self._done(engine) - self._warm_up(engine)
        if paced < 1 and done < total:
            return f"{reached}, {spent}"
        left = (now - self._paced_from) / max(paced, 1) * (total - done)
        return f"{reached}, {spent}, {clock(left)} left"

    def _done(self, engine: Engine) -> int:
        """Count what this run did."""
        return int(engine.state.iteration) - self._first - _passed_over(engine)

    def _warm_up(self, engine: Engine) -> int:
        """Count what does not count in the pace."""
        return max(1, (self._total(engine) - self._first - _passed_over(engine)) // 100)

    def _total(self, engine: Engine) -> int:
        return self.total_steps or int(engine.state.epoch_length)

    @staticmethod
    def _loss(engine: Engine) -> str:
        output = engine.state.output
        loss = output[0].get("loss") if isinstance(output, list) and output else None
        return "" if loss is None else f", loss {float(loss):.3f}"


def clock(seconds: float) -> str:
    """Write a duration as minutes and seconds, with hours where there are any: 4:05, 1:04:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _passed_over(engine: Engine) -> int:
    return len(getattr(engine, "finished", ()))
