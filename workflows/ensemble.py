"""The ensemble of a cross-validation's networks, and its score on patients that none of them was trained on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from islesnet.files import whole_file
from islesnet.networks import join_weights
from workflows.commands import options, run_bundle
from workflows.experiment import Experiment


def join_folds(experiments: Sequence[Experiment], folder: Path) -> Path:
    """Write the networks of one system's folds as the weights of one ensemble.

    Args:
        experiments: the same system on every fold, done.
        folder: where ``ensemble.pt`` goes; made where absent.

    Returns:
        The file, for ``recipes/inference_ensemble.yaml``.
    """
    path = folder / "ensemble.pt"
    with whole_file(path) as part:
        torch.save(join_weights([experiment.weights for experiment in experiments]), part)
    return path


def score_ensemble(experiments: Sequence[Experiment], folder: Path) -> dict[str, pd.DataFrame]:
    """Score the ensemble, and each fold's network alone, on the section "holdout" of the folds' datalists.

    Args:
        experiments: the same system on every fold, done.
        folder: with the ensemble's weights; the scores go there.

    Returns:
        Scores by name: "ensemble", "fold 1", ...
    """
    first = experiments[0]
    results: dict[str, pd.DataFrame] = {}
    system = replace(first.system, recipe=f"{first.system.recipe}_ensemble".strip("_"))
    if not (folder / "holdout" / "scores.csv").is_file():
        choices = {
            "dataset_dir": first.dataset_dir,
            "datalist": first.datalist,
            "section": "holdout",
            "checkpoint": folder / "ensemble.pt",
            "members": len(experiments),
            "output_dir": folder / "holdout",
            **system.choices,
        }
        run_bundle("evaluating", "--args_file", system.evaluation_recipe(), *options(choices), log=folder / "log.txt")
    results["ensemble"] = _read(folder / "holdout")
    for number, experiment in enumerate(experiments, start=1):
        output = experiment.folder / "holdout"
        if not (output / "scores.csv").is_file():
            experiment.score("holdout", output, experiment.folder / "log.txt")
        results[f"fold {number}"] = _read(output)
    return results


def _read(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "scores.csv", dtype={"patient": str})
