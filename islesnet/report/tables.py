"""The tables of a report as a reader sees them: named, rounded, with units; the raw numbers are in the CSVs beside."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from islesnet.metrics import EMPTY_MASK, VoxelCounts, compare_paired
from islesnet.metrics.summary import COUNTS
from islesnet.report.published import OTHER_ROWS, PAPER_ROWS, ComparisonRow
from islesnet.report.wording import (
    INTERVAL,
    MISSING,
    SCORES,
    number_or_nan,
    say,
    say_count,
    say_interval,
    say_quartiles,
)

Summary = Mapping[str, Any]

_PATIENT_SCORES = (
    "dice",
    "precision",
    "sensitivity",
    "true_ml",
    "predicted_ml",
    "volume_error_ml",
    "lesion_f1",
    "hd95_mm",
    "assd_mm",
)
_STRATA_SCORES = ("precision", "sensitivity", "lesion_f1")


def patient_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Give a row a patient, in the order of `scores`, which is as scores.csv."""
    columns = {"Patient": scores["patient"].astype(str)}
    for column in (column for column in _PATIENT_SCORES if column in scores):
        if column == "lesion_f1" and {"true_lesions", "predicted_lesions"} <= set(scores):
            counts = zip(scores["true_lesions"], scores["predicted_lesions"], strict=True)
            found = [f"{say_count(true)} / {say_count(marked)}" for true, marked in counts]
            columns["Lesions, true / mask"] = pd.Series(found, index=scores.index, dtype=object)
        columns[SCORES[column].heading] = scores[column].map(SCORES[column].say)
    return pd.DataFrame(columns)


def patient_dice_table(scores_by_system: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give a row a patient of the first system, with the true volume and the Dice of every system."""
    first = next(iter(scores_by_system.values()))
    patients, volume = first["patient"].astype(str), SCORES["true_ml"]
    known = {volume.heading: first["true_ml"].map(volume.say)} if "true_ml" in first else {}
    dice = {name: patients.map(_dice_by_patient(own)).map(say) for name, own in scores_by_system.items()}
    return pd.DataFrame({"Patient": patients, **known, **dice})


def systems_table(
    summaries: Mapping[str, Summary], scores_by_system: Mapping[str, pd.DataFrame], is_paired: bool = True
) -> pd.DataFrame:
    """Give a row a system: ours first, then what it has to beat.

    "Dice, ours minus its" is the mean difference, patient by patient, with its interval; "Ours better in" counts the
    patients whose Dice by the first system is higher; both of the patients that both systems have.

    Args:
        summaries: of `islesnet.metrics.summarize`, by system.
        scores_by_system: what was summed up.
        is_paired: the systems were scored on the same grid, so that a patient's scores can be compared.
    """
    first = next(iter(scores_by_system.values()), pd.DataFrame({"patient": [], "dice": []}))
    columns = ("precision", "sensitivity", "lesion_f1", "hd95_mm")
    known = [column for column in columns if any(column in own["measures"] for own in summaries.values())]
    rows = []
    for name, summary in summaries.items():
        dice = summary["measures"]["dice"]
        row = {
            "System": name,
            "Patients": say_count(summary["patients"]),
            "Mean Dice": say(dice["mean"]),
            INTERVAL: say_interval(dice),
            "Median": say(dice["median"]),
            "Missed": say_count(summary["missed"]),
        }
        for column in known:
            row[SCORES[column].heading] = SCORES[column].say(_measure(summary, column).get("mean"))
        if len(summaries) > 1 and is_paired:
            other = scores_by_system.get(name, first)
            row["Dice, ours minus its"], row["Ours better in"] = _compare(first, other)
        rows.append(row)
    return pd.DataFrame(rows)


def aggregate_table(summary: Summary) -> pd.DataFrame:
    """Give a row a score with its mean, interval, deviation, median and quartiles, of `islesnet.metrics.summarize`."""
    rows = []
    for column, wording in SCORES.items():
        measure = _measure(summary, column)
        if not number_or_nan(measure.get("patients")) > 0:
            continue
        row = {
            "Score": wording.heading,
            "Mean": wording.say(measure["mean"]),
            INTERVAL: say_interval(measure, wording.decimals),
            "Standard deviation": wording.say(measure["std"]),
            "Median": wording.say(measure["median"]),
            "Quartiles": say_quartiles(measure, wording.decimals),
            "Patients": say_count(measure["patients"]),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def means_table(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Give a row a score that the first system has, and a column a system: its patients, and its means over them."""
    first = next(iter(summaries.values()))
    known = [column for column in SCORES if number_or_nan(_measure(first, column).get("patients")) > 0]
    means = {
        name: [
            say_count(summary["patients"]),
            *(SCORES[column].say(_measure(summary, column).get("mean")) for column in known),
        ]
        for name, summary in summaries.items()
    }
    return pd.DataFrame({"Score": ["Patients", *(SCORES[column].heading for column in known)], **means})


def strata_table(summary: Summary) -> pd.DataFrame:
    """Give a row a stratum of lesion size, of `islesnet.metrics.summarize`."""
    rows = []
    for stratum, part in summary["strata"].items():
        dice = part["measures"]["dice"]
        row = {
            "Lesion": stratum,
            "Patients": say_count(part["patients"]),
            "Mean Dice": say(dice["mean"]),
            INTERVAL: say_interval(dice),
            "Median": say(dice["median"]),
        }
        for column in _STRATA_SCORES:
            row[SCORES[column].heading] = SCORES[column].say(_measure(part, column).get("mean"))
        rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else ["Lesion", "Patients", "Mean Dice"])


def strata_dice_table(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Give a row a system, with its mean Dice, the interval and the patients in each stratum that the first has."""
    rows = []
    for name, summary in summaries.items():
        row = {"System": name}
        for stratum in next(iter(summaries.values()))["strata"]:
            part = summary["strata"].get(stratum, {"patients": 0, "measures": {}})
            dice = _measure(part, "dice")
            size = stratum.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "\N{NON-BREAKING HYPHEN}")
            row[f"Dice, {size}"] = say(dice.get("mean"))
            row[f"{INTERVAL}, {size}"] = say_interval(dice)
            row[f"Patients, {size}"] = say_count(part["patients"])
        rows.append(row)
    return pd.DataFrame(rows)


def dice_rules_table(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """Give the Dice of each system by every rule in use, so that a figure from elsewhere finds its like."""
    return pd.DataFrame(
        {
            "System": name,
            "Patients": say_count(summary["patients"]),
            "Mean over patients (the headline)": say(_measure(summary, "dice").get("mean")),
            "Voxels of all patients pooled": say(summary["pooled"]["dice"]),
            "Per slice that either marks": say(_measure(summary, "slice_dice").get("mean")),
            "Per slice, empty ones as 1": say(_measure(summary, "slice_dice_all_slices").get("mean")),
        }
        for name, summary in summaries.items()
    )


def worthless_accuracy_table(scores_by_system: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Set every system's accuracy and micro-averaged precision beside those of a mask that marks nothing.

    Args:
        scores_by_system: as for `pooled_accuracies`.
    """
    table = pooled_accuracies(scores_by_system)
    decimals = {"accuracy": 4, "micro_precision": 4, "precision": 3, "sensitivity": 3, "dice": 3}
    said = {name: [say(value, places) for value in table[name]] for name, places in decimals.items()}
    names = {
        "accuracy": "Accuracy",
        "micro_precision": "Precision, micro-averaged",
        "precision": "Precision of the lesion class",
        "sensitivity": "Sensitivity",
        "dice": "Dice, pooled",
    }
    patients = table["patients"].map(say_count)
    return pd.DataFrame({"System": table["system"], "Patients": patients, **said}).rename(columns=names)


def pooled_accuracies(scores_by_system: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give accuracy, precision by both rules, sensitivity and Dice of each system, its patients' voxels together.

    Micro-averaged over both classes, every voxel is one decision for one class: right ones over all, the accuracy.

    Args:
        scores_by_system: scores with the voxel counts, by name; an empty mask is added where none is called so.
    """
    counts = {
        name: VoxelCounts(*(int(scores[column].sum()) for column in COUNTS))
        for name, scores in scores_by_system.items()
    }
    if counts and EMPTY_MASK not in counts:
        first = next(iter(counts.values()))
        counts[EMPTY_MASK] = VoxelCounts(0, 0, first.both + first.missed, first.neither + first.wrong)
        scores_by_system = {**scores_by_system, EMPTY_MASK: next(iter(scores_by_system.values()))}
    return pd.DataFrame([_pooled(name, len(scores_by_system[name]), voxels) for name, voxels in counts.items()])


def comparison_table(own_rows: Sequence[ComparisonRow] = ()) -> pd.DataFrame:
    """Set our rows above the paper's tables I and II and other published scores, each with its data and its rule."""
    rows = (*own_rows, *PAPER_ROWS, *OTHER_ROWS)
    return pd.DataFrame(
        {
            "System": row.system,
            "Dice": say(row.dice),
            INTERVAL: MISSING if row.low is None or row.high is None else f"{say(row.low)} to {say(row.high)}",
            "Accuracy": say(row.accuracy, 4),
            "Precision": say(row.precision, 4),
            "Data": row.data,
            "How it was scored": row.rule,
            "Source": row.source,
        }
        for row in rows
    )


def _measure(summary: Summary, column: str) -> Mapping[str, Any]:
    return summary["measures"].get(column) or {}


def _compare(first: pd.DataFrame, other: pd.DataFrame) -> tuple[str, str]:
    """Write the mean difference in Dice with its interval, and in how many patients the first is better."""
    if other is first or not set(_dice_by_patient(first)) & set(_dice_by_patient(other)):
        return MISSING, MISSING
    compared = compare_paired(first, other)
    interval = "" if compared["low"] is None else f" ({_signed(compared['low'])} to {_signed(compared['high'])})"
    return f"{_signed(compared['mean'])}{interval}", f"{compared['better']} of {compared['patients']}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _dice_by_patient(scores: pd.DataFrame) -> dict[str, float]:
    known = scores.dropna(subset=["dice"])
    return dict(zip(known["patient"].astype(str), known["dice"].astype(float), strict=True))


def _pooled(system: str, patients: int, voxels: VoxelCounts) -> dict[str, str | float]:
    names = ("accuracy", "micro_precision", "precision", "sensitivity", "dice")
    return {"system": system, "patients": patients, **{name: getattr(voxels, name) for name in names}}
