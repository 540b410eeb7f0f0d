"""The model card's tables, written beside the weights that they tell of."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from islesnet.files import whole_file
from islesnet.report.wording import MISSING, say
from workflows.subsets import subset_table

# Of `score_real_patients`: column -> what the card calls it, and its decimals.
REAL_COLUMNS = {
    "dice": ("Dice", 3),
    "sensitivity": ("sensitivity", 3),
    "precision": ("precision", 3),
    "true_ml": ("lesion, ml", 2),
    "predicted_ml": ("mask, ml", 2),
    "islands_ml": ("islands that touch no part, ml", 2),
}
# Counts: what the card calls them -> the columns of how many, and of how many there are.
REAL_COUNTS = {
    "parts of 0.2 ml and more found": ("large_foci_found", "large_foci"),
    "parts found": ("foci_found", "foci"),
    "islands that touch a part": ("islands_that_touch", "islands"),
}


def write_card_tables(file: Path, about: Mapping[str, str], real: pd.DataFrame | None, subsets: pd.DataFrame) -> Path:
    """Write in Markdown how a network came about, and what it reaches on real patients and on test phantoms.

    Args:
        file: where to.
        about: what is said of the network, by name.
        real: of `score_real_patients`; None where none were scored.
        subsets: of `score_subsets`, on test phantoms.

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
    """Write scores of `score_real_patients` as the card does; what is not known of a patient is a dash."""
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
