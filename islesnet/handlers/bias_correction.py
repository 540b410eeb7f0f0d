"""That weights need the bias correction they were trained with, said beside them."""

from dataclasses import replace
from pathlib import Path

from ignite.engine import Engine, Events

from islesnet.networks import operating_point_file, read_operating_point


class NeedsBiasCorrection:
    """Say in ``model_operating_point.json`` that a training's weights are used with the coils' shading taken out.

    It is said as soon as there are weights, for those of a killed training need it too. What else the file says, of a
    point that was chosen for the weights before the training went on, stays.

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
            InputError: where the file is damaged.
        """
        if not self.weights.is_file():
            return
        point = read_operating_point(self.weights)
        if not point.bias_correction:
            replace(point, bias_correction=True).write(operating_point_file(self.weights))
