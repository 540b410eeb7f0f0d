"""A patient's masks with the images beside them, and the scores of a mask, an empty one and a DWI threshold."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from islesnet.data import Case, MaskPair
from islesnet.errors import InputError
from islesnet.evaluation.masks import Masks, read_masks, read_on_grid
from islesnet.metrics import MaskScores, score_mask, threshold_dwi
from islesnet.processes import one_thread
from islesnet.report import DrawnPatient

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scan:
    """What is known of one patient, all of it on the grid of the truth.

    Args:
        masks: the mask that is scored, and the truth.
        images: the reference and the DWI, as far as there are any that can be read.
        unread: why an image is not among them.
        reference: which of them tells brain from background.
    """

    masks: Masks
    images: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None

    @property
    def remarks(self) -> list[str]:
        """What a person should know of the files."""
        unread = (f"{reason.rstrip('.')}; scored without it" for reason in self.unread.values())
        return [*self.masks.remarks, *unread]

    @property
    def dwi(self) -> NDArray[np.float32] | None:
        """The DWI, where there is one."""
        return self.images.get("dwi")

    @cached_property
    def brain(self) -> NDArray[np.bool_] | None:
        """Where the brain is (the head, where the reference is not skull-stripped); None where that is not known."""
        image = self.images.get(self.reference or "")
        return None if image is None else _brain(image)

    def score(self, mask: NDArray[np.bool_]) -> MaskScores:
        """Score a mask of this patient."""
        return score_mask(mask, self.masks.truth, self.masks.grid.spacing, self.brain)

    def score_empty(self) -> MaskScores:
        """Score a mask that marks nothing."""
        return self.score(np.zeros_like(self.masks.truth))

    def score_threshold(self, deviations: float) -> MaskScores:
        """Score a threshold on the DWI.

        Raises:
            InputError: where there is no DWI.
        """
        if self.dwi is None:
            raise InputError(f"there is no DWI to take a threshold of: {self.unread.get('dwi', 'none is listed')}")
        return self.score(threshold_dwi(self.dwi, deviations))


def read_scan(pair: MaskPair, case: Case | None) -> Scan:
    """Read a patient's masks, and the images that tell the brain and the DWI threshold.

    Args:
        pair: the masks.
        case: the images; None where they are not known. One that cannot be read is left out, with the reason.

    Raises:
        VolumeError: for a mask that is damaged or lies on an unsound grid, or two grids more than half a voxel apart.
    """
    masks = read_masks(pair)
    if case is None:
        return Scan(masks)
    images, unread = {}, {}
    wanted = {sequence: path for sequence, path in case.sequences.items() if sequence in (case.reference, "dwi")}
    for sequence, path in wanted.items():
        try:
            images[sequence] = read_on_grid(path, masks.grid)
        except (InputError, OSError) as error:
            unread[sequence] = str(error)
    return Scan(masks, images, unread, case.reference)


def open_scan(pair: MaskPair, case: Case | None) -> DrawnPatient:
    """Read all of a patient's sequences, the truth and the mask, to draw them.

    Args:
        pair: the masks.
        case: the images; None where they are not known. One that cannot be read is left out, with a warning.

    Returns:
        All of them on the grid of the truth, axes nearest to right, anterior, superior. A sequence on another grid, as
        the FLAIR of ISLES 2022 is, is interpolated.

    Raises:
        VolumeError: as `read_scan`.
    """
    masks = read_masks(pair)
    images = {}
    for sequence, path in ({} if case is None else case.sequences).items():
        try:
            images[sequence] = read_on_grid(path, masks.grid)
        except (InputError, OSError) as error:
            logger.warning("%s; not drawn", error)
    return DrawnPatient(images, masks.truth, masks.prediction)


def _brain(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    # Here, not above: without images no torch is needed.
    import torch

    from islesnet.transforms import foreground

    with one_thread():
        return np.asarray(foreground(torch.from_numpy(image)).numpy())
