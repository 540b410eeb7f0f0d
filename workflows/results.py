"""What several systems reached on the same patients: tables, one page, and where everything lies."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from islesnet.data import Case, MaskPair
from islesnet.evaluation.masks import read_masks, read_on_grid
from islesnet.evaluation.results import table_of
from islesnet.evaluation.scan import open_scan, read_scan
from islesnet.files import whole_file
from islesnet.metrics import (
    DWI_THRESHOLD,
    EMPTY_MASK,
    NEIGHBOUR_SCORES,
    VoxelCounts,
    best_threshold,
    compare_paired,
    pool_reliability,
    summarize,
)
from islesnet.provenance import commands_in, write_provenance
from islesnet.report import EvaluationReport, Figures, Scan, read_history, write_csv, write_evaluation_report
from workflows.experiment import Experiment

# So many training patients are looked at for the DWI threshold; more would only take longer.
THRESHOLD_PATIENTS = 20
THRESHOLD_TEXT = f"The DWI threshold is chosen on the training patients, {THRESHOLD_PATIENTS} at most."


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
        reliability: tables of our probabilities, to be added up; those that are not there are left out.
        grid: that the masks were scored on.
        of_slices: the patients are stacks of slices that were apart in the head; `NEIGHBOUR_SCORES` are left out.
        is_siss: the patients are those of ISLES 2015 SISS; None where that is not known.
        figures: further pictures for the page.
        about: paragraphs for the top of the page.
        stamps: words that keep the run from being mistaken.
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
    """Write ``scores.csv`` (a row a patient and system), ``summary.json`` and ``report.html``.

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
    # On the network's grid each system has its own, and no patient is the same in two of them.
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
    return write_evaluation_report(
        folder,
        EvaluationReport(
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
                name: read_history(path)
                for name, path in comparison.tensorboard.items()
                if any(path.glob("events.out.tfevents.*"))
            },
            volumes_by_section=comparison.volumes_by_section,
            scans=_scans(comparison),
            figures=comparison.figures,
            about=" ".join(filter(None, [comparison.about, THRESHOLD_TEXT if DWI_THRESHOLD in everyone else ""])),
            stamps=comparison.stamps,
        ),
    )


def _scans(comparison: Comparison) -> Callable[[str], Scan] | None:
    cases, masks = comparison.cases, comparison.masks
    if masks is None:
        return None
    return lambda patient: open_scan(pair_of(cases[patient], masks[patient]), cases[patient])


def score_baselines(training: Sequence[Case], test: Sequence[Case]) -> dict[str, pd.DataFrame]:
    """Score what needs no network on the test patients: the empty mask, and a DWI threshold chosen on the training's.

    Patients without a DWI have no row in the threshold's table.
    """
    deviations = choose_threshold(training)
    empty, threshold = {}, {}
    for case in test:
        scan = read_scan(pair_of(case), case)
        empty[case.patient] = scan.score_empty()
        if deviations is not None and scan.dwi is not None:
            threshold[case.patient] = scan.score_threshold(deviations)
    tables = {EMPTY_MASK: table_of(empty)}
    return tables | ({DWI_THRESHOLD: table_of(threshold)} if threshold else {})


def choose_threshold(training: Sequence[Case], most: int = THRESHOLD_PATIENTS) -> float | None:
    """Choose the DWI threshold on the first so many training patients that have a DWI; None where none has."""
    seen = [case for case in training if "dwi" in case.sequences][:most]
    return best_threshold(map(_dwi_and_truth, seen)) if seen else None


def pair_of(case: Case, masks: Path | None = None) -> MaskPair:
    """Pair a labelled patient's truth with our mask in a folder, or with an empty one where no folder is given."""
    return MaskPair(case.patient, None if masks is None else masks / f"{case.patient}_lesion.nii.gz", _label_of(case))


def empty_mask_of(scores: pd.DataFrame) -> pd.DataFrame:
    """Score an empty mask where nothing but the scores of another mask on the same grid is known.

    Of what is not known of it (distances, slices, the lesions) the columns are empty.
    """
    positives = scores["true_positives"] + scores["false_negatives"]
    negatives = scores["true_negatives"] + scores["false_positives"]
    counts = [VoxelCounts(0, 0, int(lesion), int(rest)) for lesion, rest in zip(positives, negatives, strict=True)]
    ratios = ("dice", "precision", "sensitivity", "specificity", "accuracy", "empty_mask_accuracy", "micro_precision")
    return pd.DataFrame(
        {
            "patient": scores["patient"],
            **{name: [getattr(own, name) for own in counts] for name in ratios},
            **{f"brain_{name}": scores["brain_empty_mask_accuracy"] for name in ("accuracy", "empty_mask_accuracy")},
            "true_ml": scores["true_ml"],
            "predicted_ml": 0.0,
            "volume_error_ml": -scores["true_ml"],
            "volume_difference_ml": scores["true_ml"],
            "true_positives": 0,
            "false_positives": 0,
            "false_negatives": positives,
            "true_negatives": negatives,
        }
    )


def say_missing(planned: Mapping[str, object], done: Mapping[str, object]) -> list[str]:
    """Name the systems that are not in the report."""
    missing = [name for name in planned if name not in done]
    return [f"Not in this report, because a training or an evaluation failed: {', '.join(missing)}."] if missing else []


def say_steps(done: Mapping[str, Sequence[Experiment]]) -> str:
    """Say in how many steps each system was trained, per training."""
    counts = {name: sorted({experiment.steps or 0 for experiment in own}) for name, own in done.items()}
    told = (
        f"{name} {' to '.join(map(str, dict.fromkeys((own[0], own[-1])))) if own[0] else 'not known'}"
        for name, own in counts.items()
    )
    are_equal = len({count for own in counts.values() for count in own}) == 1
    return f"Steps of a training: {', '.join(told)}." + ("" if are_equal else " Unequal: each recipe has its own.")


def total_duration_s(folder: Path) -> float:
    """Add up how long all commands of the bundle below a folder took, whenever they ran, at once or not."""
    return float(sum(command["duration_s"] or 0.0 for command in _commands_below(folder)))


def devices_used(folder: Path) -> str | None:
    """Name the devices that the commands of the bundle below a folder ran on; None where they do not say."""
    return ", ".join(sorted({command["device"] for command in _commands_below(folder) if command["device"]})) or None


def write_run_provenance(folder: Path, arguments: argparse.Namespace, **known: Any) -> Path:
    """Write the provenance of a workflow's run: what it was asked for, and what its commands took and ran on.

    Args:
        folder: of all the run's results.
        arguments: its command line.
        known: for `islesnet.provenance.write_provenance`.
    """
    config = {
        "arguments": {name: str(value) for name, value in vars(arguments).items()},
        "duration_s_of_commands_added_up": total_duration_s(folder),
    }
    return write_provenance(folder, config=config, device=devices_used(folder), **known)


def _commands_below(folder: Path) -> list[dict[str, Any]]:
    homes = [path.parent for path in folder.rglob("provenance.json") if path.parent != folder]
    found = ({"device": None, **command} for home in homes for command in commands_in(home))
    return [command for command in found if "monai.bundle" in (command["command"] or "")]  # not the workflow's own


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON as a whole file."""
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _dwi_and_truth(case: Case) -> tuple[np.ndarray, np.ndarray]:
    masks = read_masks(pair_of(case))
    return read_on_grid(case.sequences["dwi"], masks.grid), masks.truth


def _label_of(case: Case) -> Path:
    if case.label is None:
        raise ValueError(f"{case.patient} has no label.")
    return case.label
