"""How a score is called, in which unit, and with how many decimals it is written."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from islesnet.metrics.summary import ENOUGH_PATIENTS, FEWEST_PATIENTS

MISSING = "–"
INTERVAL = "95 % interval"
FEWEST_FOR_QUARTILES = 4  # patients: with fewer, quartiles are only interpolated between single values


@dataclass(frozen=True)
class Wording:
    """How one score is written.

    Args:
        name: for a reader.
        decimals: so many that the last one may still mean something.
        unit: mm or ml; empty for a share or a count.
    """

    name: str
    decimals: int = 3
    unit: str = ""

    @property
    def heading(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def say(self, value: object) -> str:
        """Write one value, without its unit."""
        return say(value, self.decimals)


# The columns of scores.csv that a table shows, in the order of a table.
SCORES: Mapping[str, Wording] = {
    "dice": Wording("Dice"),
    "slice_dice": Wording("Dice per marked slice"),
    "slice_dice_all_slices": Wording("Dice per slice, empty ones as 1"),
    "precision": Wording("Precision"),
    "sensitivity": Wording("Sensitivity"),
    "specificity": Wording("Specificity", 5),
    "accuracy": Wording("Accuracy", 4),
    "empty_mask_accuracy": Wording("Empty mask's accuracy", 4),
    "brain_accuracy": Wording("Accuracy in the brain", 4),
    "brain_empty_mask_accuracy": Wording("Empty mask's accuracy in the brain", 4),
    "true_ml": Wording("True volume", 2, "ml"),
    "predicted_ml": Wording("Mask's volume", 2, "ml"),
    "volume_error_ml": Wording("Volume error, mask − truth", 2, "ml"),
    "volume_difference_ml": Wording("Volume difference", 2, "ml"),
    "lesion_count_difference": Wording("Lesion count difference", 1),
    "lesion_f1": Wording("Lesion-wise F1"),
    "lesion_precision": Wording("Lesion-wise precision"),
    "lesion_recall": Wording("Lesion-wise recall"),
    "hd95_mm": Wording("HD95", 1, "mm"),
    "hd_mm": Wording("Hausdorff distance", 1, "mm"),
    "assd_mm": Wording("ASSD", 1, "mm"),
}


def say(value: object, decimals: int = 3) -> str:
    """Write a number with so many decimals and a true minus sign; a dash where there is none."""
    number = number_or_nan(value)
    if math.isnan(number):
        return MISSING
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    written = f"{number:.{decimals}f}"
    return written.lstrip("-") if float(written) == 0 else written.replace("-", "−")


def say_count(value: object) -> str:
    """Write a count; a dash where there is none."""
    return say(value, 0)


def say_coverage(patients_by_system: Mapping[str, Collection[str]]) -> str:
    """Say which systems were scored on fewer than all patients; nothing where every system has them all."""
    everyone = set().union(*patients_by_system.values())
    counts = {name: len(set(patients)) for name, patients in patients_by_system.items()}
    fewer = [f"{name} on {count} of {len(everyone)}" for name, count in counts.items() if count < len(everyone)]
    return f"Not every system was scored on all patients: {', '.join(fewer)}." if fewer else ""


def say_interval(measure: Mapping[str, Any], decimals: int = 3) -> str:
    """Write the interval of a mean; a dash where too few patients give none."""
    if math.isnan(number_or_nan(measure.get("low"))):
        return MISSING
    return f"{say(measure['low'], decimals)} to {say(measure['high'], decimals)}"


def say_quartiles(measure: Mapping[str, Any], decimals: int = 3) -> str:
    """Write the quartiles of a score over patients; a dash where there are too few of them."""
    if measure["patients"] < FEWEST_FOR_QUARTILES:
        return MISSING
    return f"{say(measure['q1'], decimals)} to {say(measure['q3'], decimals)}"


def doubt_interval(patients: int) -> str:
    """Say how little the interval of a mean over so few patients is worth; nothing where they are enough."""
    if patients >= ENOUGH_PATIENTS:
        return ""
    return (
        f"An interval of fewer than {ENOUGH_PATIENTS} patients is too narrow (with {FEWEST_PATIENTS}, 86 in 100 hold "
        f"the true mean, not 95), and fewer than {FEWEST_PATIENTS} have none."
    )


def number_or_nan(value: object) -> float:
    """Take a number as summary.json holds it, where null stands for what could not be computed."""
    return float(value) if isinstance(value, (int, float)) or hasattr(value, "__float__") else math.nan
