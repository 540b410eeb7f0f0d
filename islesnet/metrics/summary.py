"""From patients' scores to what can be said of a system: means with intervals, by lesion size, and pooled."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from islesnet.metrics.overlap import VoxelCounts
from islesnet.volumes.file_names import subject_of

RESAMPLES = 10_000
COUNTS = ("true_positives", "false_positives", "false_negatives", "true_negatives")
SMALL_ML, LARGE_ML = 5.0, 50.0
# How often the 95 % interval of `bootstrap_interval` holds the true mean, simulated on normal values: 2 patients 51 %,
# 3 75 %, 5 85 %, 6 86 %, 8 90 %, 12 91 %, 20 92 %, 30 93 %. Fewer patients than the first number get no interval;
# with fewer than the second, a report says that the interval is too narrow.
FEWEST_PATIENTS, ENOUGH_PATIENTS = 6, 20
_RATIOS = ("dice", "precision", "sensitivity", "specificity", "accuracy", "empty_mask_accuracy", "micro_precision")


def summarize(scores: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """Sum up patients' scores; the same for the same patients in any order.

    Args:
        scores: a row a patient, columns as `MaskScores`; columns of words are left out.
        seed: of the bootstrap.

    Returns:
        "patients"; "measures" (score -> mean, std (n - 1), median, q1, q3, low and high of the 95 % interval, which
        fewer than `FEWEST_PATIENTS` have not, and of how many patients); "strata" (lesion size -> patients and
        measures); "pooled" (ratios over the voxels of all patients together); "missed" (patients with a lesion of which
        nothing is marked), "empty_masks" (those of them whose mask is empty, so that their distances are the image's
        diagonal), "false_alarms" (with a mask and no lesion) and "both_empty". What is not defined is None, as
        JSON wants it.

    Raises:
        ValueError: for no patient.
    """
    if scores.empty:
        raise ValueError("there is no patient to sum up.")
    strata = {name: scores[is_here] for name, is_here in size_strata(scores["true_ml"]).items()}
    has_lesion, has_mask = scores["true_ml"] > 0, scores["predicted_ml"] > 0
    both, wrong, missed, neither = (int(scores[name].sum()) for name in COUNTS)
    pooled = VoxelCounts(both, wrong, missed, neither)
    return {
        "patients": len(scores),
        "measures": _measures(scores, seed),
        "strata": {
            name: {"patients": len(part), "measures": _measures(part, seed)}
            for name, part in strata.items()
            if len(part)
        },
        "pooled": {name: _known(getattr(pooled, name)) for name in _RATIOS},
        "missed": int((has_lesion & (scores["dice"] == 0)).sum()),
        "empty_masks": int((has_lesion & ~has_mask).sum()),
        "false_alarms": int((~has_lesion & has_mask).sum()),
        "both_empty": int((~has_lesion & ~has_mask).sum()),
    }


def size_strata(volumes_ml: "pd.Series[float]") -> "dict[str, pd.Series[bool]]":
    """Say which patients have small, middling and large lesions, by the true volume in ml."""
    return {
        f"< {SMALL_ML:g} ml": volumes_ml < SMALL_ML,
        f"{SMALL_ML:g}-{LARGE_ML:g} ml": volumes_ml.between(SMALL_ML, LARGE_ML),
        f"> {LARGE_ML:g} ml": volumes_ml > LARGE_ML,
    }


def bootstrap_interval(values: ArrayLike, seed: int = 0, patients: Sequence[str] | None = None) -> tuple[float, float]:
    """Give the 95 % interval of a mean over patients: percentiles of the means of people drawn with replacement.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. The sessions of one person, who says
    little new the second time, are drawn together. With few people it is too narrow, and fewer than
    `FEWEST_PATIENTS` have none: then NaN.

    Args:
        values: one of each patient, no NaN; their order does not matter.
        seed: of the draws.
        patients: their names, by which the sessions of one person are known (`subject_of`); None is all different.
    """
    each = pd.Series(np.asarray(values, dtype=float))
    people = each.index if patients is None else [subject_of(patient) for patient in patients]
    of_people = each.groupby(people).agg(["sum", "count"])
    if len(of_people) < FEWEST_PATIENTS:
        return float("nan"), float("nan")
    ordered = of_people.sort_values(["sum", "count"])
    drawn = stats.bootstrap(
        (ordered["sum"].to_numpy(), ordered["count"].to_numpy()),
        _mean_of_sums,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=1000,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = drawn.confidence_interval
    return float(low), float(high)


def compare_paired(first: pd.DataFrame, second: pd.DataFrame, score: str = "dice") -> dict[str, Any]:
    """Compare two systems on the patients that both scored: the mean difference and its 95 % interval.

    Args:
        first: scores of the one system.
        second: scores of the other.
        score: column that is compared.

    Returns:
        "mean", "low", "high" of first minus second (None for too few patients), "patients", and "better": in how many
        the first is higher.

    Raises:
        ValueError: where no patient has a score from both, or one of them has a patient twice.
    """
    columns = ["patient", score]
    pairs = first[columns].merge(second[columns], on="patient", suffixes=("", "_other"), validate="one_to_one").dropna()
    if pairs.empty:
        raise ValueError(f"no patient has {score!r} from both systems.")
    differences = (pairs[score] - pairs[f"{score}_other"]).to_numpy(dtype=float)
    low, high = bootstrap_interval(differences, patients=pairs["patient"].tolist())
    return {
        "mean": float(np.sort(differences).mean()),
        "low": _known(low),
        "high": _known(high),
        "patients": len(pairs),
        "better": int((differences > 0).sum()),
    }


def _mean_of_sums(sums: NDArray[np.float64], counts: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
    return np.asarray(sums.sum(axis=axis) / counts.sum(axis=axis))


def _measures(scores: pd.DataFrame, seed: int) -> dict[str, dict[str, float | int | None]]:
    columns = scores.drop(columns=[*COUNTS, "patient"], errors="ignore").select_dtypes("number")
    columns = columns.set_axis(scores["patient"].astype(str), axis="index")
    return {str(name): _measure(values.dropna().astype(float), seed) for name, values in columns.items()}


def _measure(values: "pd.Series[float]", seed: int) -> dict[str, float | int | None]:
    if not len(values):
        return {**dict.fromkeys(("mean", "std", "median", "q1", "q3", "low", "high")), "patients": 0}
    low, high = bootstrap_interval(values, seed, values.index.tolist())
    ordered = np.sort(values)  # sums in one order, whatever the patients' order
    q1, median, q3 = np.percentile(ordered, [25, 50, 75])
    said = {
        "mean": ordered.mean(),
        "std": ordered.std(ddof=1) if len(ordered) > 1 else float("nan"),
        "median": median,
        "q1": q1,
        "q3": q3,
        "low": low,
        "high": high,
    }
    return {**{name: _known(float(value)) for name, value in said.items()}, "patients": len(ordered)}


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
