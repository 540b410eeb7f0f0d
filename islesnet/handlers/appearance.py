"""How a training's images look, kept beside the weights it made."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ignite.engine import Engine, Events
from monai.transforms import Compose

from islesnet.errors import InputError
from islesnet.trust import FEWEST_IMAGES, AppearanceRanges, appearance_file, describe_appearance

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


class TrainingAppearance:
    """Write ``model_appearance.json`` beside ``model.pt`` when a training has come to its end.

    Inference compares a patient's scans with it (`islesnet.trust.AssessTrustd`). The training patients are read once
    more, as inference reads them: what training keeps of them is padded for its slabs, which would count as head. A
    sequence that fewer than ten of them have is left out.

    Args:
        weights: the file of the best weights.
        cases: MONAI's items of the training patients.
        preprocessing: from an item to "image" as it enters the network, without augmentation.
        sequences: names of the image's channels.
        most_patients: described, at even steps through the cases; 0 writes nothing.
    """

    def __init__(
        self,
        weights: str | Path,
        cases: Sequence[Mapping[str, Any]],
        preprocessing: Compose,
        sequences: Sequence[str],
        most_patients: int = 100,
    ) -> None:
        self.path = appearance_file(weights)
        self.cases = at_even_steps(cases, most_patients)
        self.preprocessing = preprocessing
        self.sequences = tuple(sequences)

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.COMPLETED, self.write)

    def write(self) -> None:
        """Describe the patients and write the ranges, where there are enough for one."""
        if len(self.cases) < FEWEST_IMAGES:
            if self.cases:  # none, where none was asked for
                logger.info("%d patients are too few to say how the training's images look.", len(self.cases))
            return
        logger.info("Describing %d training patients, for the flag of unusual scans.", len(self.cases))
        described = [
            describe_appearance(self.preprocessing(dict(case))["image"], self.sequences) for case in self.cases
        ]
        try:
            ranges = AppearanceRanges.fit(described)
        except InputError as too_few:
            logger.info("%s", too_few)
            return
        ranges.write(self.path)


def at_even_steps(items: Sequence[Item], most: int) -> list[Item]:
    """Take so many, or all where there are no more, at even steps from the first one on."""
    count = min(most, len(items))
    return [items[number * len(items) // count] for number in range(count)]
