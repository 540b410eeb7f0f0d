"""What needs no network, scored on the same patients: an empty mask, and a threshold on the DWI."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from islesnet.data import Case, MaskPair
from islesnet.evaluation.masks import read_masks, read_on_grid
from islesnet.evaluation.results import table_of
from islesnet.evaluation.scan import read_scan
from islesnet.metrics import DWI_THRESHOLD, EMPTY_MASK, VoxelCounts, best_threshold

# At most so many training patients are read to choose the DWI threshold: more of them would only take longer.
THRESHOLD_PATIENTS = 20
THRESHOLD_TEXT = f"The DWI threshold is chosen on at most {THRESHOLD_PATIENTS} of the training patients."


def score_baselines(training: Sequence[Case], test: Sequence[Case]) -> dict[str, pd.DataFrame]:
    """Score an empty mask and a DWI threshold, chosen on the training patients, on the test patients.

    A patient without a DWI has no row in the threshold's table.
    """
    deviations = choose_threshold(training)
    empty, threshold = {}, {}
    for case in test:
        scan = read_scan(pair_of(case), case)
        empty[case.patient] = scan.score_empty()
        if deviations is not None and scan.dwi is not None:
            threshold[case.patient] = scan.score_threshold(deviations)
    tables = {EMPTY_MASK: table_of(empty)}
    return tables | ({DWI_THRESHOLD: table_of(threshold)} if threshold else {})


def choose_threshold(training: Sequence[Case], most: int = THRESHOLD_PATIENTS) -> float | None:
    """Choose the DWI threshold on the first `most` training patients who have a DWI; None where none has one."""
    seen = [case for case in training if "dwi" in case.sequences][:most]
    return best_threshold(map(_dwi_and_truth, seen)) if seen else None


def pair_of(case: Case, masks: Path | None = None) -> MaskPair:
    """Pair a labelled patient's truth with the mask in a folder of ours, or with an empty mask where none is given."""
    return MaskPair(case.patient, None if masks is None else masks / f"{case.patient}_lesion.nii.gz", _label_of(case))


def empty_mask_of(scores: pd.DataFrame) -> pd.DataFrame:
    """Work out the scores of an empty mask from those of any other mask on the same grid.

    Scores that cannot be worked out so (distances, slices, lesions) have no column.
    """
    positives = scores["true_positives"] + scores["false_negatives"]
    negatives = scores["true_negatives"] + scores["false_positives"]
    counts = [VoxelCounts(0, 0, int(lesion), int(rest)) for lesion, rest in zip(positives, negatives, strict=True)]
    ratios = ("dice", "precision", "sensitivity", "specificity", "accuracy", "empty_mask_accuracy", "micro_precision")
    return pd.DataFrame(
        {
            "patient": scores["patient"],
            **{name: [getattr(own, name) for own in counts] for name in ratios},
            **{f"brain_{name}": scores["brain_empty_mask_accuracy"] for name in ("accuracy", "empty_mask_accuracy")},
            "true_ml": scores["true_ml"],
            "predicted_ml": 0.0,
            "volume_error_ml": -scores["true_ml"],
            "volume_difference_ml": scores["true_ml"],
            "true_positives": 0,
            "false_positives": 0,
            "false_negatives": positives,
            "true_negatives": negatives,
        }
    )


def _dwi_and_truth(case: Case) -> tuple[np.ndarray, np.ndarray]:
    masks = read_masks(pair_of(case))
    return read_on_grid(case.sequences["dwi"], masks.grid), masks.truth


def _label_of(case: Case) -> Path:
    if case.label is None:
        raise ValueError(f"{case.patient} has no label.")
    return case.label
