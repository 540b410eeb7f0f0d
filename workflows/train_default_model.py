"""Train the default model on synthetic patients alone, choose its threshold, and measure it on real ones.

    python -m workflows.train_default_model --lesions MASKS_IN_MNI_SPACE --minutes 90 --out results/default_model

Phantoms are made once, wide, in parallel, and preprocessed in parallel; then the bundle's own training runs for the
time given, by the recipe `training_wide`. Interrupted, the same command goes on where it was. Real patients are never
trained on, and no number is chosen on them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from islesnet.data import Case, find_cases, lesion_volume_ml
from islesnet.errors import InputError, input_error_behind
from islesnet.files import require_writable, whole_file
from islesnet.phantom import write_wide_dataset
from workflows.bundle_config import fill_cache
from workflows.commands import options, run_bundle, say
from workflows.datasets import Patients, write_split
from workflows.release_weights import write_half_precision
from workflows.subsets import SubsetPredictor, choose_operating_point, score_real_patients, score_subsets

SPACING_MM = 1.5
VALIDATION, TEST = 20, 24  # patients; the others are trained on
RECIPE = "recipes/training_wide.yaml"
SHARE_FOR_TRAINING = 0.97  # of the time given; the last validation needs the rest


def main(words: Sequence[str] | None = None) -> int:
    """Train, choose and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/default_model"), help="folder for everything")
    parser.add_argument(
        "--lesions", type=Path, help="folder of lesion masks in MNI space; without it all lesions are grown"
    )
    parser.add_argument("--patients", type=int, default=540, help="how many phantoms, 44 of them to validate and test")
    parser.add_argument("--minutes", type=float, default=90, help="of training")
    parser.add_argument("--seed", type=int, default=4, help="of phantoms and training")
    parser.add_argument(
        "--real", type=Path, nargs="*", default=[], help="folders of real patients with a label, to be measured on"
    )
    try:
        return train_default_model(parser.parse_args(words))
    except Exception as error:
        cause = input_error_behind(error)
        if cause is None:
            raise
        sys.stderr.write(f"train_default_model: {cause}\n")
        return 1


def train_default_model(arguments: argparse.Namespace) -> int:
    """Go through all steps that are not done."""
    out: Path = arguments.out.absolute()
    require_writable(out)
    patients = make_phantoms(out / "phantoms", arguments.patients, arguments.seed, arguments.lesions)
    training = WideTraining(out, patients.folder, arguments.minutes, arguments.seed)
    write_split(training.datalist, split(patients.cases), patients, {"stamps": list(patients.stamps)})
    training.run()

    say("Operating point, on validation phantoms")
    predictor = SubsetPredictor(training.weights)
    sections = split(patients.cases)
    point = choose_operating_point(predictor, sections["validation"])
    print(json.dumps(point.as_dict()))
    _write_json(out / "operating_point.json", point.as_dict())

    say("The 15 subsets of sequences, on test phantoms")
    table = score_subsets(predictor, sections["test"], point)
    table.to_csv(out / "subsets.csv", index=False)
    print(table.groupby("sequences", sort=False)["dice"].agg(["mean", "median"]).round(3).to_string())
    if arguments.real:
        say("Real patients, never trained on")
        real = score_real_patients(arguments.real, training.weights, point, out / "real")
        real.to_csv(out / "real.csv", index=False)
        print(real.round(3).to_string(index=False))
    print(f"\nWeights  {write_half_precision(training.weights, out / 'model.pt')}")
    return 0


def make_phantoms(folder: Path, patients: int, seed: int, lesions: Path | None) -> Patients:
    """Make the wide phantoms that are not there yet.

    Raises:
        InputError: for too few patients.
    """
    if patients <= VALIDATION + TEST:
        raise InputError(f"--patients is {patients}: {VALIDATION + TEST} validate and test, so more are needed")
    say(f"{patients} wide synthetic patients of {SPACING_MM:g} mm")
    with Progress() as bar:
        task = bar.add_task("Phantoms", total=patients)
        write_wide_dataset(
            folder, patients, seed, SPACING_MM, lesions, progress=lambda done, _: bar.update(task, completed=done)
        )
    cases = sorted(find_cases(folder), key=lambda case: int(case.patient))[:patients]
    return Patients(folder, cases, {case.patient: lesion_volume_ml(case) for case in cases}, ("PHANTOM",))


def split(cases: Sequence[Case]) -> dict[str, list[Case]]:
    """Split phantoms by their number: they are drawn alike, so the first are as good as any."""
    return {
        "training": list(cases[VALIDATION + TEST :]),
        "validation": list(cases[:VALIDATION]),
        "test": list(cases[VALIDATION : VALIDATION + TEST]),
    }


@dataclass(frozen=True)
class WideTraining:
    """The bundle's training on wide phantoms, of as many epochs as the time allows.

    Args:
        out: folder for what it writes.
        dataset_dir: the phantoms.
        minutes: of training, once the phantoms are preprocessed.
        seed: of the training.
    """

    out: Path
    dataset_dir: Path
    minutes: float
    seed: int

    @property
    def datalist(self) -> Path:
        """The split."""
        return self.out / "datalist.json"

    @property
    def weights(self) -> Path:
        """The trained network: of its validations, the best."""
        return self.out / "models" / "model.pt"

    def run(self) -> None:
        """Preprocess, measure the pace in a first epoch, and train for the time that is left.

        Raises:
            CommandError: where a command of the bundle fails.
        """
        if (self.out / "trained.json").is_file():
            return
        plan = self.out / "plan.json"
        if not plan.is_file():
            say("Preprocessing, in parallel")
            fill_cache(RECIPE, self._choices(epochs=1))
            say("First epoch, to measure the pace")
            self._train(epochs=1)
            epochs = self._epochs_in_time()
            _write_json(plan, {"epochs": epochs, "minutes": self.minutes})
        epochs = int(json.loads(plan.read_text())["epochs"])
        say(f"Training: {epochs} epochs, about {self.minutes:g} minutes")
        self._train(epochs)
        _write_json(self.out / "trained.json", {"epochs": epochs})

    def _epochs_in_time(self) -> int:
        """Say how many epochs the time allows, by when TensorBoard was told of each of the first one's steps."""
        events = EventAccumulator(str(self.out / "training" / "tensorboard"))
        events.Reload()
        times = [event.wall_time for event in events.Scalars("loss")]
        seconds = (times[-1] - times[0]) / (len(times) - 1) * len(times)
        return max(2, int(self.minutes * 60 * SHARE_FOR_TRAINING / seconds))

    def _train(self, epochs: int) -> None:
        run_bundle("training", "--args_file", RECIPE, *options(self._choices(epochs)))

    def _choices(self, epochs: int) -> dict[str, object]:
        return {
            "dataset_dir": self.dataset_dir,
            "datalist": self.datalist,
            "output_dir": self.out / "training",
            "ckpt_dir": self.out / "models",
            "cache_dir": self.out / "cache",
            "seed": self.seed,
            "epochs": epochs,
            "val_interval": max(1, epochs // 8),
            "resume": True,
        }


def _write_json(path: Path, content: object) -> None:
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
