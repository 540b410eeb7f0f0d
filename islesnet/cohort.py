"""Many patients with one model: when one fails, the others are still segmented; who is finished is passed over."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from monai.data import Dataset
from monai.engines import SupervisedEvaluator
from monai.transforms import Transform

from islesnet.errors import FailedPatientsError, InputError, in_words, input_error_behind
from islesnet.resume import FinishedPatients

logger = logging.getLogger(__name__)

_RESULTS = "\0"  # stands for the folder of results, while others are replaced
_ITEM = "item"  # what a patient came as, as text: what fails later is told without the folders' names too


class HasItem(Protocol):
    """A patient that knows the dictionary MONAI's transforms take, e.g. `islesnet.data.Case`."""

    def item(self) -> dict[str, str]:
        """Give "patient", and where what the patient consists of lies."""


class CohortDataset(Dataset):
    """Load patients, and hand on the reason in place of the data where one cannot be loaded.

    Cases or the items of a datalist, not paths, come in: no string from a patient's folder ever stands in a config,
    where it could be read as an expression.

    Args:
        data: the patients, as `islesnet.data.find_cases` or `islesnet.data.read_datalist` gives them.
        transform: the preprocessing.
        prepare: what comes before it, e.g. `islesnet.patients.PrepareScans`; by default nothing.
        finished: tells who is finished: these are handed on as "finished" without being loaded, the others with
            "made_of", the stamp by which their results are known again. By default everybody is loaded.
    """

    def __init__(
        self,
        data: Sequence[HasItem | dict[str, str]],
        transform: Transform,
        prepare: Transform | None = None,
        finished: FinishedPatients | None = None,
    ) -> None:
        super().__init__(data=[case if isinstance(case, dict) else case.item() for case in data], transform=transform)
        self.prepare = prepare
        self.finished = finished

    def _transform(self, index: int) -> dict[str, Any]:
        item = self.data[index]
        try:
            if self.finished is not None:
                # Before the files are read: those that change meanwhile make the patient unfinished.
                made_of = self.finished.stamp(item)
                if self.finished.is_finished(item, made_of):
                    return {"patient": item["patient"], "finished": True}
                item = item | {"made_of": made_of}
            loaded: dict[str, Any] = self.transform(item if self.prepare is None else self.prepare(item))
            loaded[_ITEM] = json.dumps([self.data[index], self._output_dir], default=str)
        except Exception as error:  # any failure is one patient's, and said at the end
            return {
                "patient": item["patient"],
                "failure": _without_folders(describe_failure(error), self.data[index], self._output_dir),
            }
        return loaded

    @property
    def _output_dir(self) -> str | None:
        return None if self.finished is None else str(self.finished.output_dir)


class CohortEvaluator(SupervisedEvaluator):
    """MONAI's evaluator that goes on with the next patient when one fails, and says at the end which and why.

    Patients that were finished before are passed over. ``failures`` (patient -> reason) and ``finished`` (patients)
    are those of the latest run.

    Arguments as for `monai.engines.SupervisedEvaluator`; the data loader's batches are single patients of a
    `CohortDataset`.

    Raises:
        InputError: from ``run``, at once, where there is no patient.
        FailedPatientsError: from ``run``, after the last patient, naming everyone who failed and the reason, and what
            kept the run's own files from being written.
        OSError: from ``run``, where those cannot be written and no patient failed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.failures: dict[str, str] = {}
        self.finished: list[str] = []

    def run(self, global_epoch: int = 1) -> None:
        """Segment all patients."""
        if self.state.epoch_length == 0:  # MONAI would end well, having done nothing
            raise InputError("There is no patient: the data set, or this section of its datalist, is empty.")
        self.failures, self.finished = {}, []
        try:
            super().run(global_epoch)
        except OSError as error:  # a full disk takes no table either; who failed is told all the same
            self._tell_failures(f"\nThen the run was stopped: {in_words(error)}")
            raise
        if self.finished:
            logger.info("%d of %d patients were finished before.", len(self.finished), self.state.epoch_length)
        self._tell_failures()

    def _tell_failures(self, last_words: str = "") -> None:
        if self.failures:
            reasons = "\n".join(f"  {patient}: {reason}" for patient, reason in self.failures.items())
            told = f"{len(self.failures)} of {self.state.epoch_length} patients failed:\n{reasons}"
            raise FailedPatientsError(told + last_words, self.failures)

    def _iteration(self, engine: SupervisedEvaluator, batchdata: dict[str, Any]) -> dict[str, Any]:
        patient = batchdata["patient"][0]
        if "finished" in batchdata:
            self.finished.append(patient)
            return {}
        failure = batchdata["failure"][0] if "failure" in batchdata else None
        if failure is None:
            try:
                segmented: dict[str, Any] = super()._iteration(engine, batchdata)
                return segmented
            except Exception as error:  # as above: writing and postprocessing belong to the patient too
                item = json.loads(batchdata[_ITEM][0]) if _ITEM in batchdata else [{"patient": patient}]
                failure = _without_folders(describe_failure(error), *item)
        self.failures[patient] = failure
        logger.error("%s: %s", patient, failure)
        return {}


def describe_failure(error: BaseException) -> str:
    """Say in one line what lies behind a chain of exceptions; what is not the user's to mend keeps its type's name."""
    cause = input_error_behind(error)
    if cause is not None:
        return _printable(in_words(cause))
    while error.__cause__ is not None:
        error = error.__cause__
    logger.debug("Not an input error", exc_info=error)
    return _printable(f"{type(error).__name__}: {error}")


def _printable(reason: str) -> str:
    """Replace what a table cannot hold and a terminal would obey: a file may be called anything."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in reason
    )


def _without_folders(failure: str, item: Mapping[str, str], output_dir: str | None = None) -> str:
    """Call a patient's folders by the patient's name, which may be a pseudonym where the folders have the real one.

    Results are told by their place in the folder of results.
    """
    places = {key: Path(value) for key, value in item.items() if key != "patient" and Path(value).is_absolute()}
    folders = {path if key == "folder" else path.parent for key, path in places.items()}
    folders |= {path for path in places.values() if path.is_dir()}
    if output_dir is not None:
        failure = re.sub(_whole(output_dir), _RESULTS, failure)
    for folder in sorted({str(folder) for folder in folders} - {"/"}, key=len, reverse=True):
        failure = re.sub(_whole(folder), lambda _: item["patient"], failure)
    failure = failure.replace(f"{_RESULTS}/", "").replace(_RESULTS, output_dir or "")
    return failure.removeprefix(f"{item['patient']}: ")


def _whole(folder: str) -> str:
    return rf"(?<![\w/]){re.escape(_printable(folder))}(?!\w)"
