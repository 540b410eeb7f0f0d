"""The tables of the model card, written beside the weights that they describe."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from islesnet.files import whole_file
from islesnet.report.wording import MISSING, say
from workflows.subsets import subset_table

# Columns of `score_real_patients` -> their names in the card, and how many decimals are written.
REAL_COLUMNS = {
    "dice": ("Dice", 3),
    "sensitivity": ("sensitivity", 3),
    "precision": ("precision", 3),
    "true_ml": ("lesion, ml", 2),
    "predicted_ml": ("mask, ml", 2),
    "islands_ml": ("islands that touch no part, ml", 2),
}
# Names of counts in the card -> their columns of `score_real_patients`: how many, and out of how many.
REAL_COUNTS = {
    "parts of 0.2 ml and more found": ("large_foci_found", "large_foci"),
    "parts found": ("foci_found", "foci"),
    "islands that touch a part": ("islands_that_touch", "islands"),
}


def write_card_tables(file: Path, about: Mapping[str, str], real: pd.DataFrame | None, subsets: pd.DataFrame) -> Path:
    """Write in Markdown how a network was made, and its scores on real patients and on test phantoms.

    Args:
        file: to be written.
        about: statements on how the network was made, by their titles.
        real: scores by `score_real_patients`; None where no real patients were scored.
        subsets: scores by `score_subsets`, on test phantoms.

    Returns:
        `file`.
    """
    parts = ["# Tables for the model card", "\n".join(f"- {name}: {words}" for name, words in about.items())]
    if real is not None:
        parts += ["## Real patients, never trained on", markdown_table(real_table(real))]
    parts.append(f"## {subsets['patient'].nunique()} wide test phantoms")
    parts.append("Mean Dice, its 95 % bootstrap interval and the number of patients, in all and by lesion size.")
    parts.append(markdown_table(subset_table(subsets)))
    with whole_file(file) as part:
        part.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return file


def real_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Write scores by `score_real_patients` in the words of the card, with a dash for what is not known."""
    table = scores[["patient", "sequences"]].astype(str)
    for column, (name, decimals) in REAL_COLUMNS.items():
        if column in scores:
            table[name] = [say(value, decimals) for value in scores[column]]
    for name, (some, every) in REAL_COUNTS.items():
        if every in scores:
            counts = zip(scores[some], scores[every], strict=True)
            table[name] = [MISSING if pd.isna(of) else f"{count:.0f} of {of:.0f}" for count, of in counts]
    return table


def markdown_table(table: pd.DataFrame) -> str:
    """Write a table of words in Markdown."""
    rows = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in row) + " |" for row in rows)
