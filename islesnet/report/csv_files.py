"""Tables as CSV files: raw numbers, stamped."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from islesnet.files import whole_file

_EVALUATED = "=+-@"  # what a text begins with that a spreadsheet takes for a formula


def write_csv(frame: pd.DataFrame, path: Path, stamps: Sequence[str] = ()) -> Path:
    """Write a table without its index; stamps, where there are any, fill a last column ``stamp``.

    A text that a spreadsheet would evaluate, which a patient's name may be, gets an apostrophe before it.
    """
    stamped = frame.assign(stamp=" ".join(stamps)) if stamps else frame
    with whole_file(path) as part:
        stamped.map(_as_text).to_csv(part, index=False)
    return path


def read_scores(path: Path) -> pd.DataFrame:
    """Read a scores.csv; a patient may be called NA, 007 or +1, and has no apostrophe of `write_csv` in front."""
    scores = pd.read_csv(path, dtype={"patient": str}, keep_default_na=False, na_values=[""])
    return scores.assign(patient=scores["patient"].str.replace(rf"^'(?=[{re.escape(_EVALUATED)}].)", "", regex=True))


def pool_scores(scores_by_system: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put the patients of all systems into one table, a column ``system`` first."""
    frames = [scores.assign(system=name) for name, scores in scores_by_system.items()]
    pooled = pd.concat(frames, ignore_index=True)
    return pooled[["system", *(column for column in pooled if column != "system")]]


def flatten_summaries(summaries: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Put the aggregates of all systems into one table: a row for each system, stratum and score."""
    rows = [
        {"system": name, "stratum": stratum, "score": score, **measure}
        for name, summary in summaries.items()
        for stratum, part in {"all": summary, **summary["strata"]}.items()
        for score, measure in part["measures"].items()
    ]
    return pd.DataFrame(rows)


def _as_text(cell: Any) -> Any:
    is_evaluated = isinstance(cell, str) and len(cell) > 1 and cell[0] in _EVALUATED
    return f"'{cell}" if is_evaluated else cell
