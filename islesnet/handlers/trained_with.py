"""What weights were trained with, said beside them."""

from collections.abc import Mapping
from pathlib import Path

from ignite.engine import Engine, Events

from islesnet.networks import write_trained_with


class SaysTrainedWith:
    """Write ``model_trained_with.json``, so that weights are used with what they were trained with.

    It is written as soon as there are weights, for those of a killed training need it too.

    Args:
        weights: the file of the best weights.
        choices: by the option's name; `islesnet.networks.require_weights` compares them.
    """

    def __init__(self, weights: str | Path, choices: Mapping[str, object]) -> None:
        self.weights = Path(weights)
        self.choices = dict(choices)

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after the validation, which saves the weights."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def write(self) -> None:
        """Write the file where there are weights.

        Raises:
            InputError: where the one that is there is damaged.
        """
        if self.weights.is_file():
            write_trained_with(self.weights, self.choices)
