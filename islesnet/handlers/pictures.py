"""Slices of validated patients to TensorBoard, truth and prediction outlined."""

from collections.abc import Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch.utils.tensorboard import SummaryWriter

from islesnet.report import largest_slice, outlined_slice


class OutlinedSlices:
    """Draw the first patients of every validation: one slice of each sequence, truth green, prediction red.

    The slice is the one where the truth is largest, so that a picture can be compared over the epochs.

    Args:
        summary_writer: of TensorBoard.
        sequences: names of the image's channels.
        patients: how many are drawn.
        tag: TensorBoard's name for them; the patient follows.
    """

    def __init__(
        self, summary_writer: SummaryWriter, sequences: Sequence[str], patients: int = 4, tag: str = "outlines"
    ) -> None:
        self.summary_writer = summary_writer
        self.sequences = tuple(sequences)
        self.patients = patients
        self.tag = tag
        self._drawn = 0

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator with decollated outputs."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def begin(self) -> None:
        """Begin with the first patient again."""
        self._drawn = 0

    def __call__(self, engine: Engine) -> None:
        """Draw the patients of this iteration that are among the first."""
        chosen = list(zip(engine.state.batch, engine.state.output, strict=True))[: self.patients - self._drawn]
        for batch, output in chosen:
            self._draw(str(batch["patient"]), output, engine.state.epoch)
        self._drawn += len(chosen)

    def _draw(self, patient: str, output: dict[str, Any], step: int) -> None:
        image, truth, prediction = (_array(output[key]) for key in ("image", "label", "pred"))
        present = {name: channel for name, channel in zip(self.sequences, image, strict=True) if channel.any()}
        index = largest_slice(truth[0], prediction[0])
        picture = outlined_slice(present, truth[0], prediction[0], index)
        self.summary_writer.add_image(f"{self.tag}/{patient}", picture, step, dataformats="HWC")


def _array(tensor: torch.Tensor) -> Any:
    return tensor.detach().cpu().float().numpy()
