"""Early stop: of the trainer that runs, and exact when a training is resumed."""

from typing import Any

from ignite.engine import Engine
from monai.handlers import EarlyStopHandler


class ResumableEarlyStop(EarlyStopHandler):
    """MONAI's EarlyStopHandler with its count of validations without progress among the things that are saved."""

    def state_dict(self) -> dict[str, Any]:
        """Give the counter and the best score."""
        return {} if self._handler is None else dict(self._handler.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back."""
        if self._handler is not None and state:
            self._handler.load_state_dict(state)


class EndEarly:
    """Let an early stop end the trainer that this is attached to.

    The early stop itself is attached to the evaluator that it watches. It could be told its trainer by `set_trainer`,
    of which a client that runs the trainer by itself knows nothing.

    Args:
        early_stop: which is to end it.
    """

    def __init__(self, early_stop: EarlyStopHandler) -> None:
        self.early_stop = early_stop

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        self.early_stop.set_trainer(engine)
