"""An experiment: one system, trained on a datalist's training patients and scored on its test patients, once."""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import pandas as pd

from islesnet.data import cases_in_datalist
from islesnet.errors import InputError
from islesnet.files import sha256_of, write_json
from islesnet.handlers import steps_taken
from islesnet.handlers.progress import clock
from islesnet.report import read_scores
from workflows.bundle_config import recipe_checksum
from workflows.claims import check_claim, claim_folder
from workflows.commands import BUNDLE, CommandError, options, run_bundle, stop_commands
from workflows.datasets import checksum_of_files
from workflows.systems import System

NEVER = 1_000_000  # validations without progress: more than any training has


@dataclass(frozen=True)
class Experiment:
    """One system on one datalist; an interrupted one goes on where it stopped, a finished one is not run again.

    Args:
        folder: for all that it writes: ``models/``, ``training/``, ``evaluation/`` and the commands' output.
        system: what is trained.
        dataset_dir: the folder that the datalist's paths are relative to.
        datalist: sections training, validation, test.
        seed: of the training.
        grid: that the masks are scored on: "native", or the "network"'s, where no masks are written.
        training: choices of the training, beside the system's own.
        cache_dir: for preprocessed patients, shared by experiments; None keeps them with the training.
    """

    folder: Path
    system: System
    dataset_dir: Path
    datalist: Path
    seed: int = 0
    grid: str = "native"
    training: Mapping[str, object] = field(default_factory=dict)
    cache_dir: Path | None = None

    @property
    def weights(self) -> Path:
        """The trained network, as it was at its best validation."""
        return self.folder / "models" / "model.pt"

    @property
    def results(self) -> Path:
        """Folder of the masks and scores on the test patients."""
        return self.folder / "evaluation"

    @property
    def tensorboard(self) -> Path:
        """Folder of the training's event files."""
        return self.folder / "training" / "tensorboard"

    @property
    def choices_in_training(self) -> dict[str, object]:
        """The choices of the training: the system's, overridden by this experiment's own.

        No training ends early, so that all systems have the same steps, and none describes its images.
        """
        return {
            "patience": NEVER,
            "described_patients": 0,
            **self.system.choices,
            **self.system.in_training,
            **self.training,
        }

    @property
    def steps(self) -> int | None:
        """How many steps the network was trained in; None where an earlier version did not record it."""
        steps = json.loads((self.folder / "trained.json").read_text()).get("steps")
        return None if steps is None else int(steps)

    @property
    def is_done(self) -> bool:
        """Whether the test patients have been scored, which is the last step."""
        return (self.results / "scores.csv").is_file() and (self.folder / "done.json").is_file()

    def check(self) -> None:
        """Make sure, without writing anything, that the folder holds no experiment with other choices.

        Raises:
            InputError: where it does.
        """
        check_claim(self.folder, "experiment.json", self._description())

    def run(self, share: Mapping[str, str] | None = None) -> None:
        """Train and score, each unless it has been done.

        Args:
            share: of the machine, as `shares_of_machine` gives it; None is all of it.

        Raises:
            InputError: where the folder holds an experiment with other choices.
            CommandError: where a command of the bundle fails.
        """
        claim_folder(self.folder, "experiment.json", self._description())
        if self.is_done:
            print(f"{self.folder}: done already", flush=True)
            return
        log = self.folder / "log.txt"
        cache_dir = self.cache_dir or self.folder / "training" / "cache"
        if not (self.folder / "trained.json").is_file():
            choices = {
                **self._places(self.folder / "training"),
                "resume": True,
                "ckpt_dir": self.folder / "models",
                "cache_dir": cache_dir,
                "seed": self.seed,
                **self.choices_in_training,
            }
            recipe = self.system.training_recipe
            run_bundle("training", "--args_file", recipe, *options(choices), log=log, share=share)
            self._mark("trained.json", {"steps": steps_taken(self.folder / "models" / "last.pt")})
        self.score("test", self.results, log, share)
        self._mark("done.json")

    def score(self, section: str, output: Path, log: Path, share: Mapping[str, str] | None = None) -> None:
        """Score the trained network on a section of the datalist.

        Raises:
            CommandError: where a patient failed; the others' scores are written.
        """
        choices = {
            **self._places(output),
            "section": section,
            "checkpoint": self.weights,
            **self.system.choices,
        }
        recipe = self.system.evaluation_recipe(self.grid)
        run_bundle("evaluating", "--args_file", recipe, *options(choices), log=log, share=share)

    def scores(self) -> pd.DataFrame:
        """Read the test patients' scores, a row each."""
        return read_scores(self.results / "scores.csv")

    def _places(self, output: Path) -> dict[str, object]:
        return {"dataset_dir": self.dataset_dir, "datalist": self.datalist, "output_dir": output}

    def _description(self) -> dict[str, object]:
        start = self.choices_in_training.get("start_from")
        sections = cases_in_datalist(self.datalist, self.dataset_dir)
        return {
            "recipe": self.system.training_recipe,
            "the bundle's configs": recipe_checksum(
                self.system.training_recipe, self.system.evaluation_recipe(self.grid)
            ),
            "grid": self.grid,
            "seed": self.seed,
            **self.choices_in_training,
            **({"weights at the start": sha256_of(BUNDLE / str(start))} if start else {}),
            "patients": {section: [case.patient for case in cases] for section, cases in sections.items()},
            **{f"files of {case.patient}": checksum_of_files(case) for cases in sections.values() for case in cases},
        }

    def _mark(self, name: str, known: Mapping[str, object] | None = None) -> None:
        write_json(self.folder / name, {"system": self.system.name, **(known or {})})


def run_all(experiments: Sequence[Experiment], shares: Sequence[Mapping[str, str]]) -> list[str]:
    """Run experiments, one at a time on each share of the machine; one that fails does not stop the others.

    Args:
        experiments: all of them.
        shares: as `shares_of_machine` gives them.

    Returns:
        What failed, in one text for each experiment.

    Raises:
        InputError: where a folder holds an experiment with other choices; then none is run.
    """
    for experiment in experiments:
        experiment.check()
    left = _TimeLeft(sum(not experiment.is_done for experiment in experiments))
    free: SimpleQueue[Mapping[str, str]] = SimpleQueue()
    for share in shares:
        free.put(share)

    def attempt(experiment: Experiment) -> str:
        share, is_new = free.get(), not experiment.is_done
        try:
            experiment.run(share)
        except InputError as error:  # a command that failed among them
            advice = "\n--at-once 1 needs less memory." if isinstance(error, CommandError) and error.was_killed else ""
            return f"{experiment.folder.parent.name}/{experiment.folder.name}: {error}{advice}"
        finally:
            free.put(share)
            if is_new:
                left.advance()
        return ""

    with ThreadPoolExecutor(len(shares)) as threads:
        try:
            return [failure for failure in threads.map(attempt, experiments) if failure]
        except BaseException:  # Ctrl-C, or a request to end
            threads.shutdown(wait=False, cancel_futures=True)
            stop_commands()
            raise


class _TimeLeft:
    """Say after each of several experiments how many there are still, and about how long they take together."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._began = time.monotonic()
        self._one_at_a_time = Lock()

    def advance(self) -> None:
        with self._one_at_a_time:
            self.done += 1
            spent = time.monotonic() - self._began
            left = spent / self.done * (self.total - self.done)
            told = f"Experiments: {self.done} of {self.total}, {clock(spent)} so far, about {clock(left)} left"
            print(told, flush=True)
