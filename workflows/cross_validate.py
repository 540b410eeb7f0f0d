"""Cross-validate systems: every patient is a test patient once, and the folds' networks become one ensemble.

    python -m workflows.cross_validate --data SISS2015_Training --folds 5 --out results/cross_validation

Patients, not slices, are dealt to folds, alike in lesion volume; a fold's networks never see its patients, not even to
choose their best epoch. After an interruption the same command goes on where it stopped. Trainings run at once: one on
each GPU or, without any, two on the CPU. `--data phantom` makes synthetic patients, and stamps everything PHANTOM.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from islesnet.errors import InputError
from islesnet.files import require_writable, write_json
from islesnet.metrics import summarize
from workflows.baselines import score_baselines
from workflows.claims import alone_in
from workflows.command_line import answer, command_line, say_failures, say_step
from workflows.comparison import write_comparison
from workflows.datasets import SISS_SPACING_MM, open_patients
from workflows.ensemble import join_folds, score_ensemble
from workflows.experiment import Experiment, run_all
from workflows.folds import FoldPlan
from workflows.machine import add_at_once, shares_of_machine
from workflows.run_record import say_missing, say_steps, write_run_provenance
from workflows.systems import (
    Pace,
    add_pretrained,
    encoder_weights,
    require_ensemble_recipe,
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
    parser.add_argument("--folds", type=int, default=5, help="2 or more (default: 5)")
    parser.add_argument(
        "--systems",
        nargs="+",
        default=list(DEFAULT_SYSTEMS),
        help="ours, or recipes that you have added to the bundle; the others are compared with the first",
    )
    add_pretrained(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the folds and of the trainings")
    parser.add_argument(
        "--holdout", type=float, default=0.0, help="share of patients kept out of all folds, to score the ensemble on"
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
    began, out = time.time(), arguments.out.absolute()
    pace = _pace(arguments)
    if arguments.patients is not None and arguments.data != "phantom":
        raise InputError("--patients says how many phantoms are made; from a data set all labelled patients are taken")
    shares = shares_of_machine(arguments.at_once)
    encoder = encoder_weights(arguments.pretrained, arguments.data, arguments.systems)
    systems = start_encoders(systems_named(arguments.systems), encoder)
    systems = [system.small() if arguments.small else system for system in systems]
    if arguments.holdout:
        require_ensemble_recipe(systems[0])
    said, stamps = say_encoders(systems, encoder)
    require_writable(out)
    with alone_in(out):
        spacing_mm = SMALL_SPACING_MM if arguments.small else SISS_SPACING_MM
        patients = open_patients(arguments.data, out, spacing_mm, arguments.patients or PHANTOMS, arguments.seed)
        plan = FoldPlan.deal(patients, arguments.folds, arguments.holdout, arguments.seed, out)
        remarks = [said, say_pace(pace, systems) if pace else ""]
        return _train_and_report(plan, plan.experiments(systems, pace), shares, arguments, remarks, stamps, began)


def _train_and_report(
    plan: FoldPlan,
    by_system: Mapping[str, list[Experiment]],
    shares: Sequence[Mapping[str, str]],
    arguments: argparse.Namespace,
    remarks: Sequence[str],
    stamps: Sequence[str],
    began: float,
) -> int:
    say_step(f"{sum(map(len, plan.folds))} patients in {len(plan.folds)} folds, systems: {', '.join(by_system)}")
    # Fold by fold, so that what is done early can be compared.
    failures = run_all([own[index] for index in range(len(plan.folds)) for own in by_system.values()], shares)
    done = {name: own for name, own in by_system.items() if all(experiment.is_done for experiment in own)}
    say_failures("cross_validate", failures)
    if not done:
        return 1

    say_step("Ensemble of the folds")
    ours, of_ours = next(iter(done.items()))
    ensemble = join_folds(of_ours, plan.out / "ensemble" / ours)
    all_stamps = (*plan.patients.stamps, *stamps)
    try:
        of_ensemble = _score_ensemble(plan, of_ours, ensemble.parent, all_stamps) if plan.holdout else ""
    except InputError as error:  # the folds' own report does not depend on it
        failures.append(f"ensemble: {error}")
        of_ensemble = "The ensemble could not be scored on the patients kept out."
        say_failures("cross_validate", failures[-1:])

    say_step("Report")
    said = [*remarks, say_steps(done), of_ensemble, *say_missing(by_system, done)]
    page = write_comparison(plan.out, plan.compare(done, " ".join(filter(None, said)), all_stamps))
    _write_provenance(plan, done, ensemble, arguments, began, all_stamps)
    shutil.rmtree(plan.out / "cache", ignore_errors=True)
    print(f"\nReport    {page}\nEnsemble  {ensemble}\nThis run took {(time.time() - began) / 60:.1f} minutes.")
    return 1 if failures else 0


def _write_provenance(
    plan: FoldPlan,
    done: Mapping[str, Sequence[Experiment]],
    ensemble: Path,
    arguments: argparse.Namespace,
    began: float,
    stamps: Sequence[str],
) -> None:
    """Write where the results come from: all of them, and the ensemble's beside it."""
    of_ours = next(iter(done.values()))
    of_run: dict[str, Any] = {
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
    write_run_provenance(plan.out, arguments, weights=[ensemble, *everyone], **of_run)


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


def _score_ensemble(plan: FoldPlan, of_ours: Sequence[Experiment], folder: Path, stamps: Sequence[str]) -> str:
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


if __name__ == "__main__":
    sys.exit(main())
