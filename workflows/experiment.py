"""An experiment: one system, trained on a datalist's training patients and scored on its test patients, once."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import pandas as pd
import torch

from islesnet.data import cases_in_datalist
from islesnet.errors import InputError
from islesnet.files import sha256_of, whole_file
from islesnet.report import read_scores
from workflows.bundle_config import recipe_checksum
from workflows.claims import check_claim, claim_folder
from workflows.commands import BUNDLE, CommandError, options, run_bundle, stop_commands
from workflows.datasets import checksum_of_files
from workflows.systems import System

_LONGEST_TEMPORARY_PATH = 60  # characters; of a socket's 107 Python takes 33 for itself
NEVER = 1_000_000  # validations without progress: more than any training has


@dataclass(frozen=True)
class Experiment:
    """One system on one datalist; interrupted, it goes on where it was, and finished it is not run again.

    Args:
        folder: for all it writes: ``models/``, ``training/``, ``evaluation/``, what the commands said.
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
        """The trained network: of its validations, the best."""
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
        """The system's choices, then this experiment's own, which win; none ends early, none describes its images."""
        return {
            "patience": NEVER,
            "described_patients": 0,
            **self.system.choices,
            **self.system.in_training,
            **self.training,
        }

    @property
    def steps(self) -> int | None:
        """How many steps the network was trained in; None where an earlier version did not write it down."""
        steps = json.loads((self.folder / "trained.json").read_text()).get("steps")
        return None if steps is None else int(steps)

    @property
    def is_done(self) -> bool:
        """Whether the scores are there; they are the last that is written."""
        return (self.results / "scores.csv").is_file() and (self.folder / "done.json").is_file()

    def check(self) -> None:
        """Make sure, without writing anything, that the folder holds no experiment with other choices.

        Raises:
            InputError: where it does.
        """
        check_claim(self.folder, "experiment.json", self._description())

    def run(self, share: Mapping[str, str] | None = None) -> None:
        """Train and score, as far as that is not done.

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
        share = {**(share or {}), **_temporary_files_beside(cache_dir)}
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
            self._mark("trained.json", {"steps": steps_taken(self.folder / "models")})
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
        with whole_file(self.folder / name) as part:
            part.write_text(json.dumps({"system": self.system.name, **(known or {})}) + "\n")


def steps_taken(models: Path) -> int | None:
    """Say how many steps a training took, by the state in its folder of weights; None where that is not there."""
    last = models / "last.pt"
    if not last.is_file():
        return None
    return int(torch.load(last, map_location="cpu", mmap=True, weights_only=True)["iteration"])


def _temporary_files_beside(cache_dir: Path) -> dict[str, str]:
    """Let commands make their temporary files on the cache's file system, where they are not anyway.

    MONAI's PersistentDataset moves finished files into the cache; within a file system that is one step, so that two
    trainings can share it. Below too long a path Python's processes cannot open their sockets.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    is_there = cache_dir.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev
    return {} if is_there or len(str(cache_dir)) > _LONGEST_TEMPORARY_PATH else {"TMPDIR": str(cache_dir)}


def run_all(experiments: Sequence[Experiment], shares: Sequence[Mapping[str, str]]) -> list[str]:
    """Run experiments, one at a time on each share of the machine; one that fails does not stop the others.

    Args:
        experiments: all of them.
        shares: of `shares_of_machine`.

    Returns:
        what failed, a sentence each.

    Raises:
        InputError: where a folder holds an experiment with other choices; then none is run.
    """
    for experiment in experiments:
        experiment.check()
    free: SimpleQueue[Mapping[str, str]] = SimpleQueue()
    for share in shares:
        free.put(share)

    def attempt(experiment: Experiment) -> str:
        share = free.get()
        try:
            experiment.run(share)
        except InputError as error:  # a command that failed among them
            advice = "\n--at-once 1 needs less memory." if isinstance(error, CommandError) and error.was_killed else ""
            return f"{experiment.folder.parent.name}/{experiment.folder.name}: {error}{advice}"
        finally:
            free.put(share)
        return ""

    with ThreadPoolExecutor(len(shares)) as threads:
        try:
            return [failure for failure in threads.map(attempt, experiments) if failure]
        except BaseException:  # Ctrl-C, or a request to end
            threads.shutdown(wait=False, cancel_futures=True)
            stop_commands()
            raise
