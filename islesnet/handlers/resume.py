"""Exact resume: a training that was killed reaches the weights of one that was not."""

import logging
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.engines import Evaluator
from monai.transforms import Compose
from torch.optim.lr_scheduler import LambdaLR

from islesnet.errors import InputError, require_switch
from islesnet.handlers.begun_with import BegunWith
from islesnet.handlers.checkpoint import WholeCheckpointSaver
from islesnet.networks.operating_point import operating_point_file
from islesnet.networks.parallel import unwrapped
from islesnet.networks.trained_with import trained_with_file
from islesnet.networks.weight_files import checksum_of, save_tensors
from islesnet.networks.weights import other_spacings
from islesnet.trust import appearance_file, subsets_file

logger = logging.getLogger(__name__)


class ExactResume:
    """Save a training's whole state after every epoch and go on from it, as if it had never stopped.

    Every epoch draws its random numbers from (seed, epoch, rank) alone, so no generator's state need be saved: an
    epoch cut short is run again with the same order of patients, crops and augmentation. On a CPU with the same
    number of threads the weights are equal to the last bit. ``max_epochs`` may be raised: the schedule is then that
    of the longer training. What else the training depends on is compared by `BegunWith`, the first of the objects.

    Attach it after every handler whose state it saves (schedule, validation, early stop).

    Args:
        path: the state's file; written on rank 0, whole or not at all.
        objects: what has a state dict, by name: begun_with, network, optimizer, lr_scheduler, early_stop.
        evaluator: its best metric so far is kept too.
        best: the saver of the best weights.
        transform: the training transforms, whose random draws are seeded.
        seed: of the whole training.
        resume: go on from the file, where there is one; otherwise an earlier training's files are set aside.
    """

    def __init__(
        self,
        path: str | Path,
        objects: dict[str, Any],
        evaluator: Evaluator,
        best: WholeCheckpointSaver,
        transform: Compose,
        seed: int = 0,
        resume: bool = False,
    ) -> None:
        self.path = Path(path)
        self.objects = {name: unwrapped(value) for name, value in objects.items()}
        self.evaluator = evaluator
        self.best = best
        self.transform = transform
        self.seed = seed
        self.resume = require_switch(resume, "resume")

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.EPOCH_STARTED, self.seed_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.save)

    def start(self, engine: Engine) -> None:
        """Load the state, or set an earlier one aside; a further round of this training goes on from where it is.

        Raises:
            InputError: where there is a state that cannot be read or does not fit.
        """
        if engine.state.epoch > 0:
            return
        if self.resume and self.path.exists():
            self._load(engine)
            return
        if self.resume:
            logger.info("Nothing to resume at %s: training starts at epoch 1.", self.path)
        if engine.state.rank == 0 and any(file.exists() for file in self._files):
            self._set_aside()

    @property
    def _files(self) -> tuple[Path, ...]:
        weights = self.best.path
        beside = checksum_of, trained_with_file, operating_point_file, appearance_file, subsets_file
        return self.path, weights, *(name_beside(weights) for name_beside in beside)

    def _set_aside(self) -> None:
        """Give an earlier training's files names of their own, which no later training takes."""
        folder, number = self.path.parent, 1
        while (aside := folder / f"earlier_{number}").exists():
            number += 1
        aside.mkdir()
        for file in self._files:
            if file.exists():
                file.rename(aside / file.name)
        logger.warning("Training starts anew; the weights and the state that were there are now in %s.", aside)

    def seed_epoch(self, engine: Engine) -> None:
        """Make this epoch's random numbers a function of seed, epoch and rank."""
        entropy = np.random.SeedSequence([self.seed, engine.state.epoch, engine.state.rank])
        for_python, for_numpy, for_torch, for_transform = (int(word) for word in entropy.generate_state(4))
        random.seed(for_python)
        np.random.seed(for_numpy)
        torch.manual_seed(for_torch)
        self.transform.set_random_state(seed=for_transform)

    def save(self, engine: Engine) -> None:
        """Write the state of the epoch just completed."""
        if engine.state.rank != 0:
            return
        state = {
            "epoch": engine.state.epoch,
            "iteration": engine.state.iteration,
            "best_metric": float(self.evaluator.state.best_metric),
            "best_metric_epoch": int(self.evaluator.state.best_metric_epoch),
            "objects": {name: value.state_dict() for name, value in self.objects.items()},
        }
        if getattr(engine, "scaler", None) is not None:  # of mixed precision on a GPU
            state["scaler"] = engine.scaler.state_dict()
        save_tensors(state, self.path)

    def _load(self, engine: Engine) -> None:
        try:
            state = torch.load(self.path, map_location=engine.state.device, weights_only=True)
            needed = {name for name, value in self.objects.items() if not isinstance(value, BegunWith)}
            if lacking := needed - state["objects"].keys():
                raise ValueError(f"it holds no {', '.join(sorted(lacking))}: another recipe or version began it")
            for name, value in self.objects.items():
                saved = state["objects"].get(name, {})  # an earlier version kept no record of what it was begun with
                _require_same_spacing(value, saved)
                value.load_state_dict(_in_present_terms(value, saved))
        except Exception as error:  # torch, pickle and the objects each raise their own kinds
            raise InputError(
                f"{self.path} is not the state of this training ({error}). Resume with the settings and patients it "
                "was started with, or start anew with --resume False."
            ) from error
        if "scaler" in state and getattr(engine, "scaler", None) is not None:
            engine.scaler.load_state_dict(state["scaler"])
        self._follow_the_present_schedule()
        engine.state.epoch, engine.state.iteration = state["epoch"], state["iteration"]
        self.evaluator.state.best_metric = state["best_metric"]
        self.evaluator.state.best_metric_epoch = state["best_metric_epoch"]
        if state["best_metric_epoch"] > 0:
            self.best.continue_from(state["best_metric"])
        left = engine.state.max_epochs - state["epoch"]
        to_go = f"{left} to go" if left > 0 else "the training is finished, and more --epochs would go on"
        logger.info("Resumed %s after epoch %d; %s.", self.path, state["epoch"], to_go)
        if left <= 0:
            engine.terminate()

    def _follow_the_present_schedule(self) -> None:
        # The saved learning rate is that of the schedule it was saved under; with more epochs to go it differs.
        schedule = self.objects.get("lr_scheduler")
        if isinstance(schedule, LambdaLR):
            rates = [
                base * rate(schedule.last_epoch)
                for base, rate in zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
            ]
            for group, rate in zip(schedule.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate


def steps_taken(path: str | Path) -> int | None:
    """Read how many steps a training took from the state that `ExactResume` wrote; None where there is no such file."""
    if not Path(path).is_file():
        return None
    return int(torch.load(path, map_location="cpu", mmap=True, weights_only=True)["iteration"])


def first_step(path: str | Path, resume: bool = False) -> int:
    """Give the number of the first step that a training takes now, from which on earlier curves are not its own.

    Args:
        path: of the state; one that cannot be read counts as none, and `ExactResume` says what is wrong with it.
        resume: as for `ExactResume`.
    """
    if not resume:
        return 1
    try:
        return 1 + (steps_taken(path) or 0)
    except Exception as error:  # torch and pickle each raise their own kinds
        logger.debug("%s: %s", path, error)
        return 1


def _require_same_spacing(value: Any, saved: dict[str, Any]) -> None:
    """Refuse weights of another voxel size: once loaded, they would state a size that they are no longer trained on."""
    if isinstance(value, torch.nn.Module):
        for name, there, here in other_spacings(saved, value.state_dict()):
            raise ValueError(f"{name} is {there} mm there and {here} mm here")


def _in_present_terms(value: Any, saved: dict[str, Any]) -> dict[str, Any]:
    """Restore only the step counter of a saved schedule; its length and warm-up come from the current config."""
    if not isinstance(value, LambdaLR):
        return saved
    return value.state_dict() | {name: saved[name] for name in ("last_epoch", "_step_count")}
