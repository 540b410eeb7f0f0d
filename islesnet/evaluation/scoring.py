"""Score one patient: the mask, the baselines beside it, the probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from islesnet.data import Case, MaskPair
from islesnet.errors import InputError
from islesnet.evaluation.masks import Masks, read_on_grid
from islesnet.evaluation.scan import read_scan
from islesnet.metrics import LARGEST_LESION_ML, MaskScores, Reliability, dice_by_threshold
from islesnet.metrics.baselines import THRESHOLDS
from islesnet.volumes.file_names import subject_of


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
        scan = read_scan(pair, case)
        scores, remarks = scan.score(scan.masks.prediction), scan.remarks
        if scores.predicted_ml > LARGEST_LESION_ML:
            remarks.append(
                f"{pair.prediction}: marks {scores.predicted_ml:,.0f} ml, more than infarcts have. A piece that covers "
                "much of the brain touches every lesion, so lesion-wise scores are high for nothing"
            )
        return Scored(
            scores=scores,
            empty=scan.score_empty(),
            remarks=remarks,
            threshold_dice=None if scan.dwi is None else dice_by_threshold(scan.dwi, scan.masks.truth),
            reliability=_reliability(pair.probability, scan.masks, remarks),
        )
    except (InputError, OSError) as error:
        return str(error)


def score_threshold(pair: MaskPair, case: Case, deviations: float) -> MaskScores:
    """Score a threshold on one patient's DWI.

    Raises:
        InputError: where the DWI cannot be read.
    """
    try:
        return read_scan(pair, case).score_threshold(deviations)
    except InputError as error:
        raise InputError(f"patient {pair.patient!r} could be scored before, and cannot now: {error}") from error


def choose_thresholds(dice: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Choose each patient's DWI threshold: the one with the best mean Dice of all other people, where there are any.

    Args:
        dice: of each patient, at each of `THRESHOLDS`.
    """
    table = pd.DataFrame.from_dict(dict(dice), orient="index")
    people = np.array([subject_of(patient) for patient in dice])
    chosen = {}
    for patient, person in zip(dice, people, strict=True):
        if (is_other := people != person).any():
            # Rounded, so that a tie does not depend on the order of summation.
            of_others = table[is_other].mean().round(9)
            chosen[patient] = THRESHOLDS[int(of_others.to_numpy().argmax())]
    return chosen


def _reliability(path: Path | None, masks: Masks, remarks: list[str]) -> pd.DataFrame | None:
    if path is None:
        return None
    reliability = Reliability()
    try:
        probability = read_on_grid(path, masks.grid, unknown=np.nan)
        reliability.add(probability, masks.truth)
    except (ValueError, OSError) as error:  # not probabilities, or damaged
        remarks.append(f"{path}: left out of the reliability: {error}")
        return None
    if count := int(np.isnan(probability).sum()):
        remarks.append(f"{path}: {count:,} voxels are not finite numbers; they are left out of the reliability")
    return reliability.table()
