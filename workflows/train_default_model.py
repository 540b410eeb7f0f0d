"""Train the default model on synthetic patients alone, choose its threshold, and measure it on real ones.

    python -m workflows.train_default_model --lesions MASKS_IN_MNI_SPACE --minutes 90 --out results/default_model

Phantoms are made once, wide, in parallel, and preprocessed in parallel; then the bundle's own training runs for the
time given, by the recipe `training_wide`, on a GPU `training_wide_gpu`. Interrupted, the same command goes on where it
was. Real patients are never trained on, and no number is chosen on them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from islesnet.errors import InputError
from islesnet.files import require_writable
from islesnet.handlers.appearance import at_even_steps
from islesnet.metrics import expected_calibration_error
from islesnet.networks import can_compile, operating_point_file
from islesnet.report import draw_reliability, write_csv
from islesnet.stamps import PHANTOM
from islesnet.trust import AppearanceRanges, appearance_file
from workflows.bundle_config import fill_cache, recipe_checksum
from workflows.claims import claim_folder
from workflows.commands import answer, command_line, options, run_bundle, say
from workflows.datasets import write_split
from workflows.phantom_cohort import PhantomCohort, split
from workflows.real_patients import score_real_patients
from workflows.release_weights import write_half_precision
from workflows.results import choose_threshold, write_json
from workflows.subsets import SubsetPredictor, choose_operating_point, score_subsets, subset_table

VALIDATIONS = 4  # in the course of the training: each takes minutes
RECIPE = "recipes/training_wide.yaml"
GPU_RECIPE = "recipes/training_wide_gpu.yaml"
DESCRIBED = 150  # training phantoms, at most, whose appearance is described
SHARE_FOR_TRAINING = 0.97  # of the time given; the last validation needs the rest


def main(words: Sequence[str] | None = None) -> int:
    """Train, choose and measure."""
    parser = command_line("train_default_model", __doc__)
    parser.add_argument("--out", type=Path, default=Path("results/default_model"), help="folder for everything")
    parser.add_argument(
        "--lesions", type=Path, help="folder of lesion masks in MNI space; without it all lesions are grown"
    )
    parser.add_argument("--patients", type=int, default=540, help="how many phantoms, 44 of them to validate and test")
    parser.add_argument("--minutes", type=float, default=90, help="of training")
    parser.add_argument(
        "--epochs", type=int, help="of training, whatever their time: for trainings to be compared at equal steps"
    )
    parser.add_argument("--start-from", type=Path, help="weights of an earlier training to go on from, on new phantoms")
    parser.add_argument("--seed", type=int, default=4, help="of phantoms and training")
    parser.add_argument("--training-seed", type=int, help="of the training, where it is not the phantoms'")
    parser.add_argument(
        "--phantoms",
        type=Path,
        help="folder of the phantoms, to share them between runs, of which one makes them first (default: in --out)",
    )
    parser.add_argument(
        "--narrow",
        action="store_true",
        help="train on phantoms that all look like SISS, validated and tested on wide ones: what width is worth",
    )
    parser.add_argument(
        "--real", type=Path, nargs="*", default=[], help="folders of real patients, to be measured on and no more"
    )
    return answer(parser, train_default_model, words)


def train_default_model(arguments: argparse.Namespace) -> int:
    """Make phantoms and train, as far as that is not done; then choose and measure anew."""
    out: Path = arguments.out.absolute()
    require_writable(out)
    cohort = PhantomCohort(
        (arguments.phantoms or out / "phantoms").absolute(),
        arguments.patients,
        arguments.seed,
        arguments.lesions and arguments.lesions.absolute(),
        arguments.narrow,
    )
    seed = arguments.seed if arguments.training_seed is None else arguments.training_seed
    start_from = arguments.start_from and arguments.start_from.absolute()
    if arguments.epochs is not None and arguments.epochs < 1:
        raise InputError(f"--epochs is {arguments.epochs}: at least 1 is needed")
    training = WideTraining(out, cohort.folder, arguments.minutes, seed, start_from, arguments.epochs)
    if arguments.phantoms:
        cohort.claim()  # a folder of other phantoms is refused before --out is claimed for them
    claim_folder(out, "begun_with.json", training.decisive() | cohort.decisive())
    patients = cohort.make()
    sections = split(patients.cases)
    write_split(training.datalist, sections, patients, {"stamps": list(patients.stamps)})
    training.run()
    weights = write_half_precision(training.weights, out / "model.pt")
    predictor = SubsetPredictor(weights)

    say("What the phantoms look like, for the flag")
    descriptions = predictor.describe(at_even_steps(sections["training"], DESCRIBED))
    AppearanceRanges.fit(descriptions).write(appearance_file(weights))
    say("Operating point and temperature, on validation phantoms")
    choice = choose_operating_point(predictor, sections["validation"])
    point = choice.point
    point.write(operating_point_file(weights))
    draw_reliability(choice.reliability, out / "reliability.png", [PHANTOM])
    errors = [expected_calibration_error(table) for table in (choice.reliability_before, choice.reliability)]
    print(f"{point}: mean Dice {choice.dice:.3f} on {len(sections['validation'])} phantoms")
    print(f"Calibration error {errors[0]:.5f} without the temperature, {errors[1]:.5f} with it")

    if arguments.real:
        say("Real patients, never trained on")
        stripped = [case for case in sections["validation"] if cohort.is_skull_stripped(case)]
        deviations = choose_threshold(stripped, most=len(stripped))
        real = score_real_patients(arguments.real, weights, point, out / "real", deviations)
        write_csv(real, out / "real.csv")
        print(real.round(3).to_string(index=False))
    say("The 15 subsets of sequences, on test phantoms")
    table = score_subsets(predictor, sections["test"], point)
    write_csv(table, out / "subsets.csv", [PHANTOM])
    print(subset_table(table).to_string(index=False))
    print(f"\nWeights  {weights}")
    return 0


@dataclass(frozen=True)
class WideTraining:
    """The bundle's training on wide phantoms, of as many epochs as the time allows or as are asked for.

    Args:
        out: folder for what it writes.
        dataset_dir: the phantoms.
        minutes: of training, once the phantoms are preprocessed.
        seed: of the training.
        start_from: weights that it begins with; None begins with random ones.
        epochs: in place of the minutes.
    """

    out: Path
    dataset_dir: Path
    minutes: float
    seed: int
    start_from: Path | None = None
    epochs: int | None = None

    @property
    def datalist(self) -> Path:
        """The split."""
        return self.out / "datalist.json"

    @property
    def weights(self) -> Path:
        """The trained network: of its validations, the best."""
        return self.out / "models" / "model.pt"

    def decisive(self) -> dict[str, object]:
        """Name what decides the training, beside the phantoms."""
        return {
            "minutes": self.minutes,
            "training_seed": self.seed,
            "start_from": self.start_from,
            "epochs": self.epochs,
        }

    @property
    def cache_dir(self) -> Path:
        """Preprocessed phantoms, beside the phantoms and shared as they are; removed at will."""
        return self.dataset_dir.with_name(self.dataset_dir.name + "_preprocessed")

    @property
    def recipe(self) -> str:
        """The bundle's args file: a GPU takes larger steps."""
        return GPU_RECIPE if torch.cuda.is_available() else RECIPE

    def run(self) -> None:
        """Preprocess, measure the pace in a first epoch where the time decides, and train.

        Raises:
            InputError: where it was begun on a CPU and is to go on on a GPU, or the other way round.
            CommandError: where a command of the bundle fails.
        """
        if (self.out / "trained.json").is_file():
            return
        claim_folder(
            self.out, "recipe.json", {"recipe": self.recipe, "the bundle's configs": recipe_checksum(self.recipe)}
        )
        plan = self.out / "plan.json"
        if not plan.is_file():
            require_writable(self.cache_dir)
            say("Preprocessing, in parallel")
            fill_cache(self.recipe, {**self._choices(epochs=1), "visits": 1})
            write_json(plan, self._plan())
        told = json.loads(plan.read_text())
        epochs = int(told["epochs"])
        say(f"Training: {epochs} epochs" + (f", about {told['minutes']:g} minutes" if "minutes" in told else ""))
        self._train(epochs)
        write_json(self.out / "trained.json", {"epochs": epochs})

    def _plan(self) -> dict[str, float]:
        if self.epochs is not None:
            return {"epochs": self.epochs}
        say("First epoch, to measure the pace")
        self._train(epochs=1)
        return {"epochs": self._epochs_in_time(), "minutes": self.minutes}

    def _epochs_in_time(self) -> int:
        """Say how many epochs the time allows, as a number that can be validated evenly where it is large enough."""
        seconds = seconds_per_epoch(self.out / "training" / "tensorboard")
        epochs = max(2, int(self.minutes * 60 * SHARE_FOR_TRAINING / seconds))
        return epochs - epochs % VALIDATIONS if epochs > VALIDATIONS else epochs

    def _train(self, epochs: int) -> None:
        run_bundle("training", "--args_file", self.recipe, *options(self._choices(epochs)))

    def _choices(self, epochs: int) -> dict[str, object]:
        return {
            "dataset_dir": self.dataset_dir,
            "datalist": self.datalist,
            "output_dir": self.out / "training",
            "ckpt_dir": self.out / "models",
            "cache_dir": self.cache_dir,
            "seed": self.seed,
            "epochs": epochs,
            "val_interval": validation_interval(epochs),
            "resume": True,
            "compile_network": can_compile() and not torch.cuda.is_available(),  # not tried there
            "described_patients": 0,  # a step of its own describes them once
            "start_from": self.start_from or False,
        }


def seconds_per_epoch(tensorboard_dir: Path) -> float:
    """Measure the first epoch of a training by when TensorBoard was told of each of its steps.

    By the second half of them: the first ones are slow, where the network is compiled. An epoch that was cut short is
    run again from its first step, so the last that is told of each step is of the run that came to the end.

    Args:
        tensorboard_dir: the training's folder of event files.
    """
    events = EventAccumulator(str(tensorboard_dir))
    events.Reload()
    told = sorted((event.wall_time, event.step) for event in events.Scalars("loss"))
    last = {step: wall_time for wall_time, step in told}
    durations = np.diff([last[step] for step in sorted(last)])
    return float(np.mean(durations[len(durations) // 2 :])) * len(last)


def validation_interval(epochs: int) -> int:
    """Say after how many epochs each a training of so many is validated: the last one is."""
    return epochs // max(times for times in range(1, VALIDATIONS + 1) if epochs % times == 0)


if __name__ == "__main__":
    sys.exit(main())
