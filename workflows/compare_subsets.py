"""Compare two trainings on the same test phantoms, patient by patient: Dice by subset of the sequences and lesion size.

    python -m workflows.compare_subsets A/subsets.csv B/subsets.csv [A2/subsets.csv B2/subsets.csv ...]

`workflows.train_default_model` writes these files. A cell holds the mean of A minus B, its 95 % bootstrap interval
where there are enough patients for one, and the number of patients. Where several pairs are given, such as trainings
with several seeds, a patient's difference is the mean over the pairs: the interval is over patients, not over seeds.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from islesnet.errors import InputError
from workflows.card_tables import markdown_table
from workflows.command_line import answer, command_line
from workflows.subsets import subset_table

KEYS = ["sequences", "patient"]
SCORES = ["dice", "lesion_f1"]


def main(words: Sequence[str] | None = None) -> int:
    """Print the comparison in Markdown."""
    parser = command_line("compare_subsets", __doc__)
    parser.add_argument(
        "files", type=Path, nargs="+", help="pairs of subsets.csv: of a first training, then of a second"
    )
    return answer(parser, compare_subsets, words, goes_on=False)


def compare_subsets(arguments: argparse.Namespace) -> int:
    """Print the differences between the two files of each pair."""
    scores = [_read(file) for file in arguments.files]
    if len(scores) % 2:
        raise InputError(
            f"{len(scores)} files do not make pairs: name the file of a first and of a second training for each."
        )
    print(markdown_table(difference_table(list(zip(scores[::2], scores[1::2], strict=True)))))
    return 0


def difference_table(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Give the mean of the patients' differences in Dice, overall and by lesion size, with a row for each subset.

    Args:
        pairs: scores by `score_subsets` of two networks on the same patients; over several pairs the mean is taken.

    Raises:
        InputError: the patients, their sequences or their lesions are not the same.
    """
    first = pairs[0][0]
    for other in (scores for pair in pairs for scores in pair):
        _require_same(first, other)
    each = pd.concat([_difference(*pair) for pair in pairs])
    table = subset_table(each.groupby(KEYS, sort=False, as_index=False).mean())
    return table.rename(
        columns={"mean Dice": "Dice, first minus second", "lesion-wise F1": "lesion-wise F1, difference"}
    )


def _require_same(first: pd.DataFrame, second: pd.DataFrame) -> None:
    both = first.merge(second, on=KEYS, suffixes=("", "_second"))
    if not len(both) == len(first) == len(second):
        raise InputError("The trainings were not scored on the same patients with the same sequences.")
    if not np.allclose(both["true_ml"], both["true_ml_second"]):
        raise InputError("They were scored on different patients of the same names: their lesions differ in volume.")


def _difference(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    first, second = first.set_index(KEYS), second.set_index(KEYS)
    return first.assign(**{score: first[score] - second[score] for score in SCORES}).reset_index()


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
