"""Made-up scores in the columns of scores.csv, and their summary in the structure of summary.json."""

import numpy as np
import pandas as pd

VOXELS = 8_000_000


def patient(name, true=1000, marked=1000, both=800, **changes):
    """A row of scores from voxel counts, a voxel being 1 mm^3."""
    dice = 2 * both / (true + marked) if true + marked else 1.0
    right = VOXELS - true - marked + both
    row = {
        "patient": name,
        "dice": dice,
        "precision": both / marked if marked else float(true == 0),
        "sensitivity": both / true if true else 1.0,
        "specificity": right / (VOXELS - true),
        "accuracy": (both + right) / VOXELS,
        "empty_mask_accuracy": 1 - true / VOXELS,
        "brain_accuracy": np.nan,
        "brain_empty_mask_accuracy": np.nan,
        "micro_precision": (both + right) / VOXELS,
        "slice_dice": dice,
        "slice_dice_all_slices": 0.5 + dice / 2,
        "true_ml": true / 1000,
        "predicted_ml": marked / 1000,
        "volume_error_ml": (marked - true) / 1000,
        "volume_difference_ml": abs(marked - true) / 1000,
        "true_lesions": int(true > 0),
        "predicted_lesions": int(marked > 0),
        "lesion_count_difference": 0,
        "lesion_f1": dice,
        "lesion_precision": 1.0,
        "lesion_recall": 1.0,
        "hd95_mm": 4.25,
        "hd_mm": 9.0,
        "assd_mm": 1.25,
        "true_positives": both,
        "false_positives": marked - both,
        "false_negatives": true - both,
        "true_negatives": right,
    }
    return {**row, **changes}


def cohort():
    """Four patients, one in each stratum and one missed."""
    return pd.DataFrame(
        [
            patient("1", 1000, 1000, 800),
            patient("2", 20_000, 10_000, 9000),
            patient("3", 100_000, 120_000, 99_000),
            patient("10", 200, 0, 0),
        ]
    )


def empty(scores):
    """What a mask that marks nothing would score on the same patients."""
    return pd.DataFrame([patient(row.patient, int(row.true_ml * 1000), 0, 0) for row in scores.itertuples()])


def measure(values):
    known = pd.Series(values, dtype=float).dropna()
    if known.empty:
        return dict.fromkeys(("mean", "std", "median", "q1", "q3", "low", "high"), None) | {"patients": 0}
    low, q1, median, q3, high = known.quantile([0, 0.25, 0.5, 0.75, 1])
    std = None if len(known) < 2 else known.std()
    low, high = (None, None) if len(known) < 2 else (low, high)
    return {
        "mean": known.mean(), "std": std, "median": median, "q1": q1, "q3": q3, "low": low, "high": high,
        "patients": len(known),
    }  # fmt: skip


def summary(scores):
    """The structure of `islesnet.metrics.summarize`; the interval is the range, of two patients already."""
    numeric = scores.drop(columns=["patient", "stamp"], errors="ignore")

    def measures(part):
        return {column: measure(part[column]) for column in numeric}

    strata = {
        "< 5 ml": scores["true_ml"] < 5,
        "5-50 ml": scores["true_ml"].between(5, 50),
        "> 50 ml": scores["true_ml"] > 50,
    }
    both, wrong, missed, right = (
        int(scores[name].sum()) for name in ("true_positives", "false_positives", "false_negatives", "true_negatives")
    )
    voxels = both + wrong + missed + right
    return {
        "patients": len(scores),
        "measures": measures(scores),
        "strata": {
            name: {"patients": int(chosen.sum()), "measures": measures(scores[chosen])}
            for name, chosen in strata.items()
            if chosen.any()
        },
        "pooled": {
            "dice": 2 * both / (2 * both + wrong + missed) if both + wrong + missed else 1.0,
            "precision": both / (both + wrong) if both + wrong else 0.0,
            "sensitivity": both / (both + missed) if both + missed else 1.0,
            "specificity": right / (right + wrong),
            "accuracy": (both + right) / voxels,
            "empty_mask_accuracy": (right + wrong) / voxels,
            "micro_precision": (both + right) / voxels,
        },
        "missed": int(((scores["true_ml"] > 0) & (scores["dice"] == 0)).sum()),
        "empty_masks": int(((scores["true_ml"] > 0) & (scores["predicted_ml"] == 0)).sum()),
        "false_alarms": int(((scores["true_ml"] == 0) & (scores["predicted_ml"] > 0)).sum()),
        "both_empty": int(((scores["true_ml"] == 0) & (scores["predicted_ml"] == 0)).sum()),
    }
