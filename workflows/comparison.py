"""Several systems compared on the same patients: a table of scores, a summary, and one page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from islesnet.data import Case
from islesnet.evaluation.scan import open_scan
from islesnet.files import write_json
from islesnet.metrics import DWI_THRESHOLD, NEIGHBOUR_SCORES, compare_paired, pool_reliability, summarize
from islesnet.report import DrawnPatient, EvaluationReport, Figures, read_history, write_csv, write_evaluation_report
from islesnet.report.history import EVENT_FILES
from workflows.baselines import THRESHOLD_TEXT, pair_of


@dataclass(frozen=True)
class Comparison:
    """Systems scored on the same patients.

    Args:
        title: of the page.
        by_system: scores of each system, ours first.
        baselines: scores of what needs no training.
        data: which patients, in words.
        cases: the patients by name, for the pictures.
        masks: by patient, the folder of our masks; None where none were written.
        tensorboard: folder of event files by name of the training.
        volumes_by_section: lesion volumes in ml of the split's sections or folds.
        reliability: files of our probabilities' reliability tables, which are added up; missing files are left out.
        grid: that the masks were scored on.
        of_slices: the patients are stacks of slices that were not neighbours in the head; `NEIGHBOUR_SCORES` are left
            out.
        is_siss: the patients are those of ISLES 2015 SISS; None where that is not known.
        figures: further pictures for the page.
        about: paragraphs for the top of the page.
        stamps: words that keep the results from being mistaken for others, such as PHANTOM.
    """

    title: str
    by_system: Mapping[str, pd.DataFrame]
    baselines: Mapping[str, pd.DataFrame]
    data: str
    cases: Mapping[str, Case]
    masks: Mapping[str, Path] | None
    tensorboard: Mapping[str, Path] = field(default_factory=dict)
    volumes_by_section: Mapping[str, Sequence[float]] = field(default_factory=dict)
    reliability: Sequence[Path] = ()
    grid: str = "native grid"
    of_slices: bool = False
    is_siss: bool | None = None
    figures: Figures | None = None
    about: str = ""
    stamps: tuple[str, ...] = ()


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Write ``scores.csv`` (one row for each patient and system), ``summary.json`` and ``report.html``.

    Returns:
        The page.
    """
    meaningless = list(NEIGHBOUR_SCORES) if comparison.of_slices else []
    everyone = {
        name: scores.drop(columns=meaningless, errors="ignore")
        for name, scores in {**comparison.by_system, **comparison.baselines}.items()
    }
    ours, *others = everyone
    rows = [scores.assign(system=name).drop(columns="stamp", errors="ignore") for name, scores in everyone.items()]
    write_csv(pd.concat(rows, ignore_index=True), folder / "scores.csv", comparison.stamps)
    everyone = {name: scores.drop(columns="fold", errors="ignore") for name, scores in everyone.items()}
    summaries = {name: summarize(scores) for name, scores in everyone.items()}
    # Each system has a network's grid of its own, so patients cannot be compared between systems there.
    compared = others if comparison.grid == "native grid" else []
    differences = {name: compare_paired(everyone[ours], everyone[name]) for name in compared}
    write_json(
        folder / "summary.json",
        {
            "systems": summaries,
            f"{ours} minus": differences,
            "data": comparison.data,
            "stamps": list(comparison.stamps),
        },
    )
    return write_evaluation_report(folder, _report_of(comparison, everyone, summaries))


def _report_of(
    comparison: Comparison, everyone: Mapping[str, pd.DataFrame], summaries: Mapping[str, Mapping[str, Any]]
) -> EvaluationReport:
    """Fill in the page from the scores of all systems and baselines, ours first, and their summaries."""
    ours, *others = everyone
    return EvaluationReport(
        title=comparison.title,
        scores=everyone[ours],
        summary=summaries[ours],
        system=ours,
        baselines={name: everyone[name] for name in others},
        baseline_summaries={name: summaries[name] for name in others},
        data=comparison.data,
        of_slices=comparison.of_slices,
        is_siss=comparison.is_siss,
        grid=comparison.grid,
        has_own_grids=comparison.grid != "native grid",
        reliability=pool_reliability([pd.read_csv(path) for path in comparison.reliability if path.is_file()]),
        histories={
            name: read_history(path) for name, path in comparison.tensorboard.items() if any(path.rglob(EVENT_FILES))
        },
        volumes_by_section=comparison.volumes_by_section,
        scans=_scans(comparison),
        figures=comparison.figures,
        about=" ".join(filter(None, [comparison.about, THRESHOLD_TEXT if DWI_THRESHOLD in everyone else ""])),
        stamps=comparison.stamps,
    )


def _scans(comparison: Comparison) -> Callable[[str], DrawnPatient] | None:
    cases, masks = comparison.cases, comparison.masks
    if masks is None:
        return None
    return lambda patient: open_scan(pair_of(cases[patient], masks[patient]), cases[patient])
