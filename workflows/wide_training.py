"""The bundle's training on wide phantoms, of as many epochs as a given time allows; it can be interrupted."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from islesnet.data import cases_in_datalist
from islesnet.files import require_writable, write_json
from islesnet.handlers import steps_taken
from islesnet.networks import can_compile
from islesnet.provenance import commands_in
from workflows.bundle_config import fill_cache, open_recipe, recipe_checksum
from workflows.claims import claim_folder
from workflows.command_line import say_step
from workflows.commands import options, run_bundle

VALIDATIONS = 4  # in a training, at most: each takes minutes
LEAST_STEPS = 4  # of an epoch: from fewer, the first of them slow, no pace can be told
RECIPE = "recipes/training_wide.yaml"
GPU_RECIPE = "recipes/training_wide_gpu.yaml"


@dataclass(frozen=True)
class WideTraining:
    """The bundle's training on wide phantoms, of as many epochs as the time allows or as are asked for.

    Args:
        out: folder for what it writes.
        dataset_dir: the phantoms.
        minutes: that the training may take once the phantoms are preprocessed.
        seed: of the training.
        start_from: weights that it begins with; None begins with random ones.
        epochs: how many, whatever time they take; None takes as many as the minutes allow.
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
        """The trained network, as it was at its best validation."""
        return self.out / "models" / "model.pt"

    def decisive(self) -> dict[str, object]:
        """List the choices that the training depends on, besides the phantoms."""
        return {
            "minutes": self.minutes,
            "training_seed": self.seed,
            "start_from": self.start_from,
            "epochs": self.epochs,
        }

    @property
    def cache_dir(self) -> Path:
        """Folder of the preprocessed phantoms, beside the phantoms and shared like them; it may be removed."""
        return self.dataset_dir.with_name(self.dataset_dir.name + "_preprocessed")

    @property
    def recipe(self) -> str:
        """The bundle's args file; steps on a GPU are larger."""
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
            say_step("Preprocessing, in parallel")
            fill_cache(self.recipe, {**self._choices(epochs=1), "visits": 1})
            write_json(plan, self._plan())
        told = json.loads(plan.read_text())
        epochs = int(told["epochs"])
        say_step(f"Training: {epochs} epochs" + (f", about {told['minutes']:g} minutes" if "minutes" in told else ""))
        self._train(epochs)
        steps = steps_taken(self.weights.with_name("last.pt"))
        write_json(self.out / "trained.json", {"epochs": epochs, "steps": steps})

    def in_words(self) -> str:
        """Say how long the finished training was, and on what."""
        told = json.loads((self.out / "trained.json").read_text())
        commands = commands_in(self.out / "training")
        minutes = sum(command["duration_s"] or 0.0 for command in commands) / 60
        machine = commands[-1]["machine"]
        device = machine["devices"][0] if machine["devices"] else machine["processor"]
        return f"{told['epochs']} epochs, {told.get('steps')} steps, {minutes:.0f} minutes on {device}"

    def _plan(self) -> dict[str, float]:
        if self.epochs is not None:
            return {"epochs": self.epochs}
        say_step("First epoch, to measure the pace")
        self._train(epochs=1)
        return {"epochs": self._epochs_in_time(), "minutes": self.minutes}

    def _epochs_in_time(self) -> int:
        """Compute how many epochs the time allows; where they are enough, a number that validations divide evenly."""
        events = self.out / "training" / "tensorboard"
        seconds = self.minutes * 60 - VALIDATIONS * seconds_of_validation(events)
        epochs = max(2, int(seconds / seconds_per_epoch(events)))
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
            "visits": self._visits(),
            "val_interval": validation_interval(epochs),
            "resume": True,
            "compile_network": can_compile() and not torch.cuda.is_available(),  # on a GPU it has not been tried
            "described_patients": 0,  # the workflow describes them itself, once
            "start_from": self.start_from or False,
        }

    def _visits(self) -> int:
        """Choose how often an epoch comes by every patient: as the recipe has it, or more often by very few."""
        recipe = open_recipe(self.recipe, {})
        patients = len(cases_in_datalist(self.datalist, self.dataset_dir)["training"])
        return max(recipe.get("visits"), math.ceil(LEAST_STEPS * recipe.get("batch_patients") / patients))


def seconds_per_epoch(tensorboard_dir: Path) -> float:
    """Measure how long the first epoch of a training takes, by the times that TensorBoard recorded for its steps.

    The second half of the steps counts, since the first ones are slow where the network is compiled. An interrupted
    epoch is run again from its first step, so the last record of each step is that of the run that reached the end.

    Args:
        tensorboard_dir: the training's folder of event files.
    """
    last = {step: told for told, step in _told(tensorboard_dir, "loss")}
    durations = np.diff([last[step] for step in sorted(last)])
    return float(np.mean(durations[len(durations) // 2 :])) * len(last)


def seconds_of_validation(tensorboard_dir: Path) -> float:
    """Measure how long the validation after the first epoch took: the time between its record and the last step's.

    Args:
        tensorboard_dir: the training's folder of event files.
    """
    validated, _ = _told(tensorboard_dir, "val_mean_dice")[0]
    return validated - max(told for told, _ in _told(tensorboard_dir, "loss") if told <= validated)


def validation_interval(epochs: int) -> int:
    """Give the number of epochs from one validation to the next, such that the last epoch is validated."""
    return epochs // max(times for times in range(1, VALIDATIONS + 1) if epochs % times == 0)


def _told(tensorboard_dir: Path, tag: str) -> list[tuple[float, int]]:
    """List the times at which TensorBoard recorded a quantity, and the steps, in the order of time."""
    events = EventAccumulator(str(tensorboard_dir))
    events.Reload()
    return sorted((event.wall_time, event.step) for event in events.Scalars(tag))
