"""Compare two trainings on the same test phantoms, patient by patient: Dice by subset of the sequences and lesion size.

    python -m workflows.compare_subsets A/subsets.csv B/subsets.csv

`workflows.train_default_model` writes these files. A cell is the mean of A minus B, its 95 % bootstrap interval where
there are patients enough for one, and how many there are.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from islesnet.errors import InputError
from workflows.card_tables import markdown_table
from workflows.commands import answer, command_line
from workflows.subsets import subset_table

KEYS = ["sequences", "patient"]
SCORES = ["dice", "lesion_f1"]


def main(words: Sequence[str] | None = None) -> int:
    """Print the comparison in Markdown."""
    parser = command_line("compare_subsets", __doc__)
    parser.add_argument("first", type=Path, help="subsets.csv of a training")
    parser.add_argument("second", type=Path, help="subsets.csv of another, on the same test phantoms")
    return answer(parser, compare_subsets, words, goes_on=False)


def compare_subsets(arguments: argparse.Namespace) -> int:
    """Print the differences between two files."""
    print(markdown_table(difference_table(_read(arguments.first), _read(arguments.second))))
    return 0


def difference_table(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Give a row a subset: the mean of the patients' differences in Dice, in all and by lesion size.

    Args:
        first: of `score_subsets`.
        second: of another network on the same patients.

    Raises:
        InputError: the patients, their sequences or their lesions are not the same.
    """
    pairs = first.merge(second, on=KEYS, suffixes=("", "_second"))
    if not len(pairs) == len(first) == len(second):
        raise InputError("The two were not scored on the same patients with the same sequences.")
    if not np.allclose(pairs["true_ml"], pairs["true_ml_second"]):
        raise InputError("The two were scored on different patients of the same names: their lesions differ in volume.")
    table = subset_table(pairs.assign(**{score: pairs[score] - pairs[f"{score}_second"] for score in SCORES}))
    return table.rename(
        columns={"mean Dice": "Dice, first minus second", "lesion-wise F1": "lesion-wise F1, difference"}
    )


def _read(file: Path) -> pd.DataFrame:
    try:
        scores = pd.read_csv(file, dtype={"patient": str})[[*KEYS, *SCORES, "true_ml"]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{file} is no subsets.csv of train_default_model ({error}).") from error
    if scores.duplicated(KEYS).any():
        raise InputError(f"{file} has a patient twice with the same sequences.")
    return scores


if __name__ == "__main__":
    sys.exit(main())
