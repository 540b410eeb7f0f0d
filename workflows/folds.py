"""Who is in which fold of a cross-validation, and what comes of the folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from islesnet.data import Case, deal_folds, fold_sections, split_cases
from islesnet.errors import InputError
from workflows.baselines import score_baselines
from workflows.comparison import Comparison
from workflows.datasets import Patients, write_split
from workflows.experiment import Experiment
from workflows.systems import Pace, System


@dataclass(frozen=True)
class FoldPlan:
    """Who is in which fold.

    Args:
        out: folder of the cross-validation.
        patients: all of them.
        folds: each patient once.
        holdout: patients in no fold, for the ensemble.
        seed: that they were dealt with.
    """

    out: Path
    patients: Patients
    folds: list[list[Case]]
    holdout: list[Case]
    seed: int

    @classmethod
    def deal(cls, patients: Patients, count: int, holdout: float, seed: int, out: Path) -> "FoldPlan":
        """Deal the patients, alike in lesion volume.

        Raises:
            InputError: for fewer than two folds, more folds than people, or a holdout outside 0 to 0.5.
        """
        if not 0 <= holdout <= 0.5:
            raise InputError(f"--holdout is {holdout}: a share of the patients between 0 and 0.5")
        dealt = split_cases(patients.cases, (1 - holdout, 0.0, holdout), seed, patients.volumes_ml)
        folds = deal_folds(dealt["training"], count, seed, patients.volumes_ml)
        return cls(out, patients, folds, dealt["test"], seed)

    def sections(self, index: int) -> dict[str, list[Case]]:
        """Give a fold's training, validation and test patients, and those in no fold."""
        sections = fold_sections(self.folds, index, seed=self.seed, volumes_ml=self.patients.volumes_ml)
        return {**sections, "holdout": self.holdout}

    def experiments(self, systems: Sequence[System], pace: Pace | None) -> dict[str, list[Experiment]]:
        """Plan every system on every fold."""
        plans: dict[str, list[Experiment]] = {system.name: [] for system in systems}
        for index in range(len(self.folds)):
            sections, fold = self.sections(index), self.out / f"fold_{index + 1}"
            about = {"seed": self.seed, "stamps": list(self.patients.stamps)}
            write_split(fold / "datalist.json", sections, self.patients, about)
            for system in systems:
                experiment = Experiment(
                    fold / system.name,
                    system,
                    self.patients.folder,
                    fold / "datalist.json",
                    self.seed,
                    training=pace.choices(len(sections["training"])) if pace else {},
                    cache_dir=self.out / "cache",  # the folds share their preprocessed patients
                )
                plans[system.name].append(experiment)
        return plans

    def compare(self, done: Mapping[str, Sequence[Experiment]], about: str, stamps: tuple[str, ...]) -> Comparison:
        """Put the folds' test patients together, and score the baselines on the same patients."""
        ours = next(iter(done.values()))
        per_fold = [self._baselines(index) for index in range(len(self.folds))]
        return Comparison(
            title=f"Cross-validation: {len(self.folds)} folds of {self.patients.name}",
            by_system={name: _pool([experiment.scores() for experiment in own]) for name, own in done.items()},
            baselines={
                name: _pool([fold.get(name, pd.DataFrame()) for fold in per_fold])
                for name in dict.fromkeys(name for fold in per_fold for name in fold)
            },
            data=f"{sum(map(len, self.folds))} {self.patients.name}, {len(self.folds)} folds",
            cases={case.patient: case for fold in self.folds for case in fold},
            masks={
                case.patient: experiment.results
                for experiment, fold in zip(ours, self.folds, strict=True)
                for case in fold
            },
            tensorboard={f"fold {number}": experiment.tensorboard for number, experiment in enumerate(ours, start=1)},
            volumes_by_section={
                f"fold {number}": [self.patients.volumes_ml[case.patient] for case in fold]
                for number, fold in enumerate(self.folds, start=1)
            },
            reliability=[experiment.results / "reliability.csv" for experiment in ours],
            is_siss=self.patients.is_siss,
            about=about,
            stamps=stamps,
        )

    def _baselines(self, index: int) -> dict[str, pd.DataFrame]:
        sections = self.sections(index)
        return score_baselines(sections["training"], sections["test"])


def _pool(folds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    numbered = [scores.assign(fold=number) for number, scores in enumerate(folds, start=1) if len(scores)]
    return pd.concat(numbered, ignore_index=True)
