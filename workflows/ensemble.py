"""The ensemble of a cross-validation's networks, and its score on patients that none of them was trained on."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from islesnet.files import read_json_object, sha256_of, write_json
from islesnet.networks import write_ensemble
from islesnet.report import read_scores
from workflows.commands import options, run_bundle
from workflows.experiment import Experiment


def join_folds(experiments: Sequence[Experiment], folder: Path) -> Path:
    """Write the networks of one system's folds as the weights of one ensemble.

    Args:
        experiments: the same system on every fold, done.
        folder: where ``ensemble.pt`` goes; made where absent.

    Returns:
        The file, for ``recipes/inference_ensemble.yaml`` or the namesake of another recipe.
    """
    path = folder / "ensemble.pt"
    write_ensemble([experiment.weights for experiment in experiments], path)
    return path


def score_ensemble(experiments: Sequence[Experiment], folder: Path) -> dict[str, pd.DataFrame]:
    """Score the ensemble, and each fold's network alone, on the section "holdout" of the folds' datalists.

    Args:
        experiments: the same system on every fold, done.
        folder: with the ensemble's weights; the scores go there.

    Returns:
        Scores by name: "ensemble", "fold 1", ...

    Raises:
        CommandError: where a patient could not be scored.
    """
    first, weights = experiments[0], folder / "ensemble.pt"
    results = {}
    if not _is_scored(folder / "holdout", weights):
        choices = {
            "dataset_dir": first.dataset_dir,
            "datalist": first.datalist,
            "section": "holdout",
            "checkpoint": weights,
            "members": len(experiments),
            "output_dir": folder / "holdout",
            **first.system.choices,
        }
        recipe = first.system.ensemble_recipe
        run_bundle("evaluating", "--args_file", recipe, *options(choices), log=folder / "log.txt")
        _mark_scored(folder / "holdout", weights)
    results["ensemble"] = read_scores(folder / "holdout" / "scores.csv")
    for number, experiment in enumerate(experiments, start=1):
        output = experiment.folder / "holdout"
        if not _is_scored(output, experiment.weights):
            experiment.score("holdout", output, experiment.folder / "log.txt")
            _mark_scored(output, experiment.weights)
        results[f"fold {number}"] = read_scores(output / "scores.csv")
    return results


def _is_scored(folder: Path, weights: Path) -> bool:
    return read_json_object(folder / "done.json").get("weights") == sha256_of(weights)


def _mark_scored(folder: Path, weights: Path) -> None:
    write_json(folder / "done.json", {"weights": sha256_of(weights)})
