"""Train the default model on synthetic patients alone, choose its threshold, and measure it on real ones.

    python -m workflows.train_default_model --lesions MASKS_IN_MNI_SPACE --minutes 90 --out results/default_model

Wide phantoms are made and preprocessed once, on all cores. Then the bundle's own training runs for the time given, by
the recipe `training_wide`, or `training_wide_gpu` on a GPU. After an interruption the same command goes on where it
stopped. Real patients are never trained on, and no number of a run is chosen on them; but what the phantoms are like,
and the rule for the threshold, were changed after two of them had been looked at (see the model card).
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from islesnet.data import Case
from islesnet.errors import InputError, require_numbers
from islesnet.files import require_writable
from islesnet.handlers.appearance import at_even_steps
from islesnet.metrics import expected_calibration_error
from islesnet.networks import OperatingPoint, operating_point_file
from islesnet.provenance import commands_in
from islesnet.report import draw_reliability, write_csv
from islesnet.stamps import PHANTOM
from islesnet.trust import AppearanceRanges, appearance_file, subsets_file
from workflows.baselines import choose_threshold
from workflows.card_tables import write_card_tables
from workflows.claims import alone_in, claim_folder
from workflows.command_line import answer, command_line, say_step
from workflows.datasets import write_split
from workflows.phantom_cohort import PhantomCohort, split
from workflows.real_patients import score_real_patients
from workflows.release_weights import write_half_precision
from workflows.run_record import write_run_provenance
from workflows.subsets import (
    MINIMUM_ML,
    SubsetPredictor,
    choose_operating_point,
    score_subsets,
    subset_scores,
    subset_table,
)
from workflows.wide_training import WideTraining

DESCRIBED = 150  # training phantoms, at most, whose appearance is described
MOST_MINUTES = 100_000  # ten weeks


def main(words: Sequence[str] | None = None) -> int:
    """Train, choose and measure."""
    parser = command_line("train_default_model", __doc__)
    parser.add_argument("--out", type=Path, default=Path("results/default_model"), help="folder for everything")
    parser.add_argument(
        "--lesions", type=Path, help="folder of lesion masks in MNI space; without it all lesions are grown"
    )
    parser.add_argument("--patients", type=int, default=540, help="how many phantoms, 44 of them to validate and test")
    parser.add_argument("--minutes", type=float, default=90, help="of the training with its validations")
    parser.add_argument(
        "--epochs",
        type=int,
        help="of the training, in place of --minutes: for trainings that are to be compared at equal steps",
    )
    parser.add_argument("--start-from", type=Path, help="weights of an earlier training to go on from, on new phantoms")
    parser.add_argument("--seed", type=int, default=4, help="of phantoms and training")
    parser.add_argument("--training-seed", type=int, help="of the training (default: that of the phantoms)")
    parser.add_argument(
        "--phantoms",
        type=Path,
        help="folder of the phantoms, for several runs to share once one has made them (default: in --out)",
    )
    parser.add_argument(
        "--narrow",
        action="store_true",
        help="train on phantoms that all look like SISS, validate and test on wide ones: to see what width is worth",
    )
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="folders of real patients, only to be scored")
    return answer(parser, train_default_model, words)


def train_default_model(arguments: argparse.Namespace) -> int:
    """Make phantoms and train, each unless it has been done; then choose the operating point and measure again."""
    began, out = time.time(), arguments.out.absolute()
    require_writable(out)
    cohort, training = _begin(out, arguments)
    with alone_in(out):
        patients = cohort.make()
        sections = split(patients.cases)
        write_split(training.datalist, sections, patients, {"stamps": list(patients.stamps)})
        training.run()
        _measure(arguments, began, cohort, training, sections)
    return 0


def _measure(
    arguments: argparse.Namespace,
    began: float,
    cohort: PhantomCohort,
    training: WideTraining,
    sections: Mapping[str, Sequence[Case]],
) -> None:
    """Write the weights in half precision, the files that belong beside them, and their scores."""
    out = training.out
    weights = write_half_precision(training.weights, out / "model.pt")
    predictor = SubsetPredictor(weights, {"bias_correction": True})  # how the default model is used
    say_step("What training phantoms look like, so that unusual scans can be flagged")
    descriptions = predictor.describe(at_even_steps(sections["training"], DESCRIBED))
    try:
        AppearanceRanges.fit(descriptions).write(appearance_file(weights))
    except InputError as too_few:
        say_step(f"Unusual scans will not be flagged: {too_few}")
    point = _choose_operating_point(predictor, sections["validation"], weights)
    real = None
    if arguments.real:
        stripped = [case for case in sections["validation"] if cohort.is_skull_stripped(case)]
        real = _score_real_patients(arguments.real, weights, point, stripped)
    say_step("The 15 subsets of sequences, on test phantoms")
    scores = score_subsets(predictor, sections["test"], point)
    write_csv(scores, out / "subsets.csv", [PHANTOM])
    subset_scores(scores).write(subsets_file(weights))
    print(subset_table(scores).to_string(index=False))
    seeds = {"phantoms": cohort.seed, "training": training.seed}
    write_run_provenance(out, arguments, began=began, seeds=seeds, weights=[weights], datalist=training.datalist)
    tables = write_card_tables(out / "card_tables.md", _say_how_made(training, point, seeds), real, scores)
    print(f"\nWeights  {weights}\nTables   {tables}")


def _begin(out: Path, arguments: argparse.Namespace) -> tuple[PhantomCohort, WideTraining]:
    """Claim the folders for what is asked for.

    Raises:
        InputError: where a folder was begun with other choices, or a choice is impossible.
    """
    seed = arguments.seed if arguments.training_seed is None else arguments.training_seed
    require_numbers({"--seed": arguments.seed, "--training-seed": seed}, minimum=0, is_whole=True)
    require_numbers({"--minutes": arguments.minutes}, minimum=0, maximum=MOST_MINUTES)
    if arguments.epochs is not None:
        require_numbers({"--epochs": arguments.epochs}, minimum=1, is_whole=True)
    cohort = PhantomCohort(
        (arguments.phantoms or out / "phantoms").absolute(),
        arguments.patients,
        arguments.seed,
        arguments.lesions and arguments.lesions.absolute(),
        arguments.narrow,
    )
    start_from = arguments.start_from and arguments.start_from.absolute()
    training = WideTraining(out, cohort.folder, arguments.minutes, seed, start_from, arguments.epochs)
    if arguments.phantoms:
        cohort.claim()  # before --out is claimed: a folder of other phantoms is refused here
    claim_folder(out, "begun_with.json", training.decisive() | cohort.decisive())
    return cohort, training


def _choose_operating_point(predictor: SubsetPredictor, validation: Sequence[Case], weights: Path) -> OperatingPoint:
    say_step("Operating point, temperature and offset, on validation phantoms")
    choice = choose_operating_point(predictor, validation)
    choice.point.write(operating_point_file(weights))
    draw_reliability(choice.reliability, weights.with_name("reliability.png"), [PHANTOM])
    errors = [expected_calibration_error(table) for table in (choice.reliability_before, choice.reliability)]
    print(f"{choice.point}: mean Dice {choice.dice:.3f} on {len(validation)} phantoms")
    print(f"Calibration error {errors[0]:.5f} without temperature and offset, {errors[1]:.5f} with them")
    return choice.point


def _score_real_patients(
    folders: Sequence[Path], weights: Path, point: OperatingPoint, stripped: Sequence[Case]
) -> pd.DataFrame:
    """Score real patients, seen without skull, beside a DWI threshold that is chosen on phantoms without skull."""
    say_step("Real patients, never trained on")
    deviations = choose_threshold(stripped, most=len(stripped))
    scores = score_real_patients(folders, weights, point, weights.with_name("real"), deviations)
    write_csv(scores, weights.with_name("real.csv"))
    print(scores.round(3).to_string(index=False))
    return scores


def _say_how_made(training: WideTraining, point: OperatingPoint, seeds: Mapping[str, int]) -> dict[str, str]:
    tried = f"{MINIMUM_ML[0]:g} to {MINIMUM_ML[-1]:g} ml tried"
    return {
        "Operating point": f"threshold {point.threshold:g} at the temperature {point.temperature:g} and the offset "
        f"{point.offset:g}, smallest lesion {point.minimum_lesion_ml:g} ml ({tried})",
        "Training": training.in_words(),
        "Seeds": ", ".join(f"{name} {seed}" for name, seed in seeds.items()),
        "Command": f"`{commands_in(training.out)[-1]['command']}`",
    }


if __name__ == "__main__":
    sys.exit(main())
