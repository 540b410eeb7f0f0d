"""What is said beside a training's best weights as soon as there are any, for how they are to be used."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ignite.engine import Engine, Events

from islesnet.networks import operating_point_file, read_operating_point, write_trained_with


class _BesideWeights(ABC):
    """Write a file beside weights after each epoch: those of a killed training need it too.

    Args:
        weights: the file of the best weights.
    """

    def __init__(self, weights: str | Path) -> None:
        self.weights = Path(weights)

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after the validation, which saves the weights."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.write)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def write(self) -> None:
        """Write the file where there are weights and it does not say so yet.

        Raises:
            InputError: where the one that is there is damaged.
        """
        if self.weights.is_file():
            self._write()

    @abstractmethod
    def _write(self) -> None: ...


class SaysTrainedWith(_BesideWeights):
    """Write ``model_trained_with.json``, so that weights are used with what they were trained with.

    Args:
        weights: the file of the best weights.
        choices: by the option's name; `islesnet.networks.require_weights` compares them.
    """

    def __init__(self, weights: str | Path, choices: Mapping[str, object]) -> None:
        super().__init__(weights)
        self.choices = dict(choices)

    def _write(self) -> None:
        write_trained_with(self.weights, self.choices)


class NeedsBiasCorrection(_BesideWeights):
    """Say in ``model_operating_point.json`` that a training's weights are used with the coils' shading taken out.

    What else the file says, of a point that was chosen for the weights before the training went on, stays.

    Args:
        weights: the file of the best weights.
    """

    def _write(self) -> None:
        point = read_operating_point(self.weights)
        if not point.bias_correction:
            replace(point, bias_correction=True).write(operating_point_file(self.weights))
