"""Cross-validate systems: every patient is a test patient once, and the folds' networks become one ensemble.

    python -m workflows.cross_validate --data SISS2015_Training --folds 5 --out results/cross_validation

Patients, not slices, are dealt to folds, alike in lesion volume; a fold's networks never see its patients, not even to
choose their best epoch. Interrupted, the same command goes on where it was. Where there are several GPUs, as many
folds are at work at once, on a CPU two. `--data phantom` makes synthetic patients, and stamps everything PHANTOM.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from islesnet.data import Case, deal_folds, fold_sections, split_cases
from islesnet.errors import InputError
from islesnet.files import require_writable
from islesnet.metrics import summarize
from workflows.commands import add_at_once, answer, command_line, say, say_failures, shares_of_machine
from workflows.datasets import SISS_SPACING_MM, Patients, open_patients, write_split
from workflows.ensemble import join_folds, score_ensemble
from workflows.experiment import Experiment, run_all
from workflows.results import (
    Comparison,
    say_missing,
    say_steps,
    score_baselines,
    write_comparison,
    write_json,
    write_run_provenance,
)
from workflows.systems import (
    Pace,
    System,
    add_pretrained,
    encoder_weights,
    say_encoders,
    say_pace,
    start_encoders,
    systems_named,
)

DEFAULT_SYSTEMS = ("default", "paper_dwi", "plain_unet")
PHANTOMS = 28  # as many as SISS has patients
SMALL_SPACING_MM = 2.0
SMALL = Pace(epochs=4, steps_per_epoch=75)


def main(words: Sequence[str] | None = None) -> int:
    """Run the cross-validation."""
    parser = command_line("cross_validate", __doc__)
    parser.add_argument("--data", default="phantom", help='a data set in any known layout, or "phantom" (default)')
    parser.add_argument("--out", type=Path, default=Path("results/cross_validation"), help="folder for everything")
    parser.add_argument("--folds", type=int, default=5, help="2 or more")
    parser.add_argument(
        "--systems", nargs="+", default=list(DEFAULT_SYSTEMS), help="the others are compared with the first"
    )
    add_pretrained(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the folds and of the trainings")
    parser.add_argument(
        "--holdout", type=float, default=0.0, help="share of patients outside all folds, for the ensemble"
    )
    parser.add_argument("--patients", type=int, help=f"how many phantoms (default: {PHANTOMS})")
    parser.add_argument(
        "--small", action="store_true", help="2 mm voxels, short trainings: hours instead of days on a CPU"
    )
    parser.add_argument("--epochs", type=int, help=f"of a --small training (default: {SMALL.epochs})")
    parser.add_argument(
        "--steps-per-epoch", type=int, help=f"of a --small training, 16 slices each (default: {SMALL.steps_per_epoch})"
    )
    add_at_once(parser)
    return answer(parser, cross_validate, words)


def cross_validate(arguments: argparse.Namespace) -> int:
    """Deal the folds, train and score every system on each, and report."""
    began = time.time()
    out: Path = arguments.out.absolute()
    pace = _pace(arguments)
    if arguments.patients is not None and arguments.data != "phantom":
        raise InputError("--patients says how many phantoms are made; of a data set all labelled patients are taken")
    shares = shares_of_machine(arguments.at_once)
    encoder = encoder_weights(arguments.pretrained, arguments.data, arguments.systems)
    systems = start_encoders(systems_named(arguments.systems), encoder)
    systems = [system.small() if arguments.small else system for system in systems]
    require_writable(out)
    spacing_mm = SMALL_SPACING_MM if arguments.small else SISS_SPACING_MM
    patients = open_patients(arguments.data, out, spacing_mm, arguments.patients or PHANTOMS, arguments.seed)
    plan = FoldPlan.deal(patients, arguments.folds, arguments.holdout, arguments.seed, out)

    say(f"{sum(map(len, plan.folds))} patients in {arguments.folds} folds, {len(systems)} systems")
    by_system = plan.experiments(systems, pace)
    # Fold by fold, so that what is done early can be compared.
    failures = run_all([own[index] for index in range(len(plan.folds)) for own in by_system.values()], shares)
    done = {name: own for name, own in by_system.items() if all(experiment.is_done for experiment in own)}
    say_failures("cross_validate", failures)
    if not done:
        return 1

    say("Ensemble of the folds")
    ours, of_ours = next(iter(done.items()))
    ensemble = join_folds(of_ours, out / "ensemble" / ours)
    said, stamps = say_encoders(systems, encoder)
    stamps = (*patients.stamps, *stamps)
    try:
        of_ensemble = _score_ensemble(plan, of_ours, ensemble.parent, stamps) if plan.holdout else ""
    except InputError as error:  # the folds' own report does not depend on it
        failures.append(f"ensemble: {error}")
        of_ensemble = "The ensemble could not be scored on the patients kept out."
        say_failures("cross_validate", failures[-1:])

    say("Report")
    remarks = [
        said,
        say_pace(pace, systems) if pace else "",
        say_steps(done),
        of_ensemble,
        *say_missing(by_system, done),
    ]
    page = write_comparison(out, plan.compare(done, " ".join(filter(None, remarks)), stamps))
    of_run = {
        "began": began,
        "seeds": {"folds and trainings": arguments.seed},
        "split": {
            **{f"fold {number}": [case.patient for case in fold] for number, fold in enumerate(plan.folds, start=1)},
            "holdout": [case.patient for case in plan.holdout],
        },
        "datalist": [experiment.datalist for experiment in of_ours],
        "stamps": stamps,
    }
    members = [experiment.weights for experiment in of_ours]
    write_run_provenance(ensemble.parent, arguments, weights=[ensemble, *members], **of_run)
    everyone = [experiment.weights for own in done.values() for experiment in own]
    write_run_provenance(out, arguments, weights=[ensemble, *everyone], **of_run)
    shutil.rmtree(out / "cache", ignore_errors=True)
    print(f"\nReport    {page}\nEnsemble  {ensemble}\nThis run took {(time.time() - began) / 60:.0f} minutes.")
    return 1 if failures else 0


def _pace(arguments: argparse.Namespace) -> Pace | None:
    """Read how long trainings are; None leaves each recipe its own.

    Raises:
        InputError: for a length that only a --small training has, or less than one epoch or step.
    """
    given = {
        name: number
        for name, number in (("epochs", arguments.epochs), ("steps_per_epoch", arguments.steps_per_epoch))
        if number is not None
    }
    if given and not arguments.small:
        raise InputError("--epochs and --steps-per-epoch are for --small trainings; others have their recipe's length")
    if any(number < 1 for number in given.values()):
        raise InputError("--epochs and --steps-per-epoch are 1 or more")
    return replace(SMALL, **given) if arguments.small else None


def _score_ensemble(plan: "FoldPlan", of_ours: Sequence[Experiment], folder: Path, stamps: Sequence[str]) -> str:
    """Score the ensemble on the patients kept out, beside its members and the baselines, and say what came out.

    Raises:
        InputError: where a patient could not be scored.
    """
    members = score_ensemble(of_ours, folder)
    scores = members | score_baselines(plan.sections(0)["training"], plan.holdout)
    summaries = {name: summarize(table) for name, table in scores.items()}
    write_json(folder / "summary.json", {"systems": summaries, "stamps": list(stamps)})
    told = ", ".join(f"{name} {table['dice'].mean():.3f}" for name, table in scores.items())
    print(f"Mean Dice: {told}")
    return f"On the {len(plan.holdout)} patients in no fold the mean Dice is: {told}."


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
            InputError: for fewer than two folds, more than there are people, or a holdout that is no share.
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


if __name__ == "__main__":
    sys.exit(main())
