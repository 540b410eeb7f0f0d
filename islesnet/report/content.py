"""What an evaluation's page is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class DrawnPatient(NamedTuple):
    """What is drawn of a patient.

    Args:
        images: volumes by sequence.
        truth: mask, lesion where > 0.5.
        mask: the one that is compared with the truth, likewise.

    Shapes:
        all ``(X, Y, Z)``, on one RAS grid.
    """

    images: Mapping[str, np.ndarray]
    truth: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Figures:
    """Pictures that belong together.

    Args:
        heading: of their section.
        text: what they have in common.
        pictures: with what each shows.
    """

    heading: str
    text: str
    pictures: Mapping[Path, str]


@dataclass(frozen=True)
class EvaluationReport:
    """What is known of an evaluation.

    Args:
        title: of the page.
        scores: a row a patient, as scores.csv.
        summary: of these scores, by `islesnet.metrics.summarize`.
        system: name of what was scored.
        baselines: scores of other systems on the same patients, or some of them, by name; beside ours everywhere.
        baseline_summaries: of these, likewise.
        data: the patients, for the comparison, e.g. "SISS, the 28 training patients, 5 folds".
        is_siss: they are those of ISLES 2015 SISS; None where that is not known.
        grid: on which the masks were scored.
        of_slices: the patients are stacks of slices that were apart in the head, so no volume is a whole lesion's.
        has_own_grids: each system was scored on a grid of its own, so that no patient's scores can be compared.
        reliability: of the probabilities, as `islesnet.metrics.Reliability.table` gives it.
        histories: curves of the trainings, as `read_history` gives them, by name.
        volumes_by_section: lesion volumes in ml of each section of the split.
        scans: reads a patient to be drawn; called for those patients alone.
        figures: further pictures that the run has drawn, in a section of their own.
        about: paragraphs on the run, for the top of the page.
        stamps: words in capitals that keep the run from being mistaken.
    """

    title: str
    scores: pd.DataFrame
    summary: Mapping[str, Any]
    system: str = "islesnet"
    baselines: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    baseline_summaries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: str = "the patients of this report"
    is_siss: bool | None = None
    grid: str = "native grid"
    of_slices: bool = False
    has_own_grids: bool = False
    reliability: pd.DataFrame | None = None
    histories: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    volumes_by_section: Mapping[str, Sequence[float]] = field(default_factory=dict)
    scans: Callable[[str], DrawnPatient] | None = None
    figures: Figures | None = None
    about: str = ""
    stamps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a baseline that would hide the system itself, and one that is not summed up."""
        if self.system in self.baselines:
            raise ValueError(f"the system and a baseline are both called {self.system!r}; rename one of them.")
        lacking = [name for name in self.baselines if name not in self.baseline_summaries]
        if lacking:
            raise ValueError(f"the baseline {lacking[0]!r} has scores and no summary; give it in baseline_summaries.")
