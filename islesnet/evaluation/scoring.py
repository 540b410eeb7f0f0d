"""Score one patient: the mask, the baselines beside it, the probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from islesnet.data import Case, MaskPair
from islesnet.errors import InputError
from islesnet.evaluation.masks import Masks, read_masks, read_on_grid
from islesnet.metrics import MaskScores, Reliability, dice_by_threshold, score_mask, threshold_dwi
from islesnet.metrics.baselines import THRESHOLDS


@dataclass(frozen=True)
class Scored:
    """What one patient gave.

    Args:
        scores: of the mask.
        empty: of a mask that marks nothing.
        remarks: what a person should know of the files.
        threshold_dice: Dice of the DWI threshold at each of `THRESHOLDS`; None without a DWI.
        reliability: of the probability map; None without one.
    """

    scores: MaskScores
    empty: MaskScores
    remarks: list[str] = field(default_factory=list)
    threshold_dice: tuple[float, ...] | None = None
    reliability: pd.DataFrame | None = None


def score_patient(pair: MaskPair, case: Case | None) -> Scored | str:
    """Score one patient's mask and the empty mask, and try the DWI thresholds.

    Args:
        pair: the masks.
        case: the images, which give the brain and the threshold; None where they are not known.

    Returns:
        The scores, or why there are none: a failure is one patient's, the others go on.
    """
    try:
        masks = read_masks(pair)
        remarks = list(masks.remarks)
        brain, dwi = (None, None) if case is None else _look(case, masks, remarks)
        spacing = masks.grid.spacing
        nothing = np.zeros_like(masks.truth)
        return Scored(
            scores=score_mask(masks.prediction, masks.truth, spacing, brain),
            empty=score_mask(nothing, masks.truth, spacing, brain),
            remarks=remarks,
            threshold_dice=None if dwi is None else dice_by_threshold(dwi, masks.truth),
            reliability=_reliability(pair.probability, masks, remarks),
        )
    except (InputError, OSError) as error:
        return str(error)


def score_threshold(pair: MaskPair, case: Case, deviations: float) -> MaskScores:
    """Score a threshold on one patient's DWI."""
    masks = read_masks(pair)
    brain, dwi = _look(case, masks, [])
    if dwi is None:
        raise InputError(f"patient {pair.patient!r}: the DWI could be read before, and cannot now")
    return score_mask(threshold_dwi(dwi, deviations), masks.truth, masks.grid.spacing, brain)


def choose_thresholds(dice: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Choose each patient's DWI threshold: the best on the mean of all other patients; none for a patient alone.

    Args:
        dice: of each patient, at each of `THRESHOLDS`.
    """
    if len(dice) < 2:
        return {}
    table = np.array(list(dice.values()))
    of_others = (table.sum(axis=0) - table) / (len(table) - 1)
    # Rounded: a tie must not hang on the order in which the sum was taken.
    best = np.round(of_others, 9).argmax(axis=1)
    return {patient: THRESHOLDS[index] for patient, index in zip(dice, best, strict=True)}


def _look(case: Case, masks: Masks, remarks: list[str]) -> tuple[NDArray[np.bool_] | None, NDArray[np.float32] | None]:
    """Find the brain on the reference, and read the DWI; what cannot be read is remarked and gives None."""
    images: dict[str, NDArray[np.float32]] = {}
    for sequence in dict.fromkeys([case.reference, *(["dwi"] if "dwi" in case.sequences else [])]):
        try:
            images[sequence] = read_on_grid(case.sequences[sequence], masks.grid)
        except (InputError, OSError) as error:
            remarks.append(f"{error}; scored without it")
    reference = images.get(case.reference)
    return (None if reference is None else _brain(reference)), images.get("dwi")


def _brain(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    # Here, not above: without images no torch is needed.
    import torch

    from islesnet.transforms import foreground

    # Processes share the cores already; and a process that was forked may not start torch's threads.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return np.asarray(foreground(torch.from_numpy(image)).numpy())
    finally:
        torch.set_num_threads(threads)


def _reliability(path: Path | None, masks: Masks, remarks: list[str]) -> pd.DataFrame | None:
    if path is None:
        return None
    reliability = Reliability()
    try:
        reliability.add(read_on_grid(path, masks.grid), masks.truth)
    except (ValueError, OSError) as error:  # not probabilities, or damaged
        remarks.append(f"{path}: left out of the reliability: {error}")
        return None
    return reliability.table()
