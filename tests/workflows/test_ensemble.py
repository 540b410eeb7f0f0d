"""The folds' networks as one, scored once."""

import pytest
import torch

from islesnet.networks.weight_files import save_tensors
from workflows import ensemble as module
from workflows.ensemble import join_folds, score_ensemble
from workflows.experiment import Experiment
from workflows.systems import SYSTEMS


@pytest.fixture
def folds(tmp_path, monkeypatch):
    """Two folds' networks, and the folders that commands were to write scores to."""
    written = []

    def evaluate(*arguments, **_):
        words = [str(word) for word in arguments]
        output = module.Path(words[words.index("--output_dir") + 1])
        output.mkdir(parents=True, exist_ok=True)
        (output / "scores.csv").write_text("patient,dice\na,0.5\n")
        written.append(output.relative_to(tmp_path).as_posix())

    monkeypatch.setattr("workflows.ensemble.run_bundle", evaluate)
    monkeypatch.setattr("workflows.experiment.run_bundle", evaluate)
    experiments = [
        Experiment(tmp_path / f"fold_{number}", SYSTEMS["default"], tmp_path, tmp_path / "datalist.json")
        for number in (1, 2)
    ]
    for number, experiment in enumerate(experiments):
        save_tensors({"weight": torch.full((2,), float(number))}, experiment.weights)
    return experiments, written


def test_ensemble_and_each_member_are_scored_on_the_patients_kept_out(folds, tmp_path):
    experiments, written = folds
    join_folds(experiments, tmp_path / "ensemble")

    scores = score_ensemble(experiments, tmp_path / "ensemble")

    assert list(scores) == ["ensemble", "fold 1", "fold 2"]
    assert written == ["ensemble/holdout", "fold_1/holdout", "fold_2/holdout"]


def test_what_was_scored_with_these_weights_is_not_scored_again_and_with_others_it_is(folds, tmp_path):
    experiments, written = folds
    for _ in range(2):
        join_folds(experiments, tmp_path / "ensemble")
        score_ensemble(experiments, tmp_path / "ensemble")
    assert len(written) == 3

    save_tensors({"weight": torch.full((2,), 7.0)}, experiments[1].weights)
    join_folds(experiments, tmp_path / "ensemble")
    score_ensemble(experiments, tmp_path / "ensemble")

    assert written[3:] == ["ensemble/holdout", "fold_2/holdout"]
