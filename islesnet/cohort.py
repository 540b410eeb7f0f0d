"""Many patients with one model: when one fails, the others are still segmented; who is finished is passed over."""

import errno
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from monai.data import Dataset
from monai.engines import SupervisedEvaluator
from monai.transforms import Transform

from islesnet.errors import FailedPatientsError, InputError, in_words
from islesnet.failures import describe_failure, full_disk_in, names_of_folders, without_paths
from islesnet.finished import FinishedPatients
from islesnet.result_files import EDITED_MASK

logger = logging.getLogger(__name__)

# JSON of {folder path: name to show}, so that errors raised after loading can hide real paths as well.
_FOLDER_NAMES = "names"


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
        finished: tells which patients are finished. They are handed on as "finished" without being loaded, with a
            warning where somebody changed the mask since, and the others get "made_of", a digest by which later runs
            recognise their results. By default everybody is loaded.
        output_dir: folder of the results; messages name files there by their place in it.
    """

    def __init__(
        self,
        data: Sequence[HasItem | dict[str, str]],
        transform: Transform,
        prepare: Transform | None = None,
        finished: FinishedPatients | None = None,
        output_dir: str | Path | None = None,
    ) -> None:
        super().__init__(data=[case if isinstance(case, dict) else case.item() for case in data], transform=transform)
        self.prepare = prepare
        self.finished = finished
        self.output_dir = None if output_dir is None else str(output_dir)

    def _transform(self, index: int) -> dict[str, Any]:
        item = self.data[index]
        names = names_of_folders(item, self.output_dir)
        try:
            if self.finished is not None:
                # Before the files are read: those that change meanwhile make the patient unfinished.
                made_of = self.finished.digest(item)
                if self.finished.is_finished(item, made_of):
                    if self.finished.is_mask_edited(item["patient"]):
                        logger.warning("%s: %s", item["patient"], EDITED_MASK)
                    return {"patient": item["patient"], "finished": True}
                item = item | {"made_of": made_of}
            loaded: dict[str, Any] = self.transform(item if self.prepare is None else self.prepare(item))
            loaded[_FOLDER_NAMES] = json.dumps(names)
        except Exception as error:  # any failure is one patient's, and said at the end
            reason = without_paths(describe_failure(error), item["patient"], names)
            failure = {"patient": item["patient"], "failure": reason}
            full_disk = full_disk_in(error)
            return failure | {"full_disk": full_disk} if full_disk else failure
        return loaded


class CohortEvaluator(SupervisedEvaluator):
    """MONAI's evaluator that goes on with the next patient when one fails, and says at the end which and why.

    Only a full disk stops it. Patients that were finished before are passed over. ``failures`` (patient -> reason) and
    ``finished`` (patients) are those of the latest run.

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
        if self.state.epoch_length == 0:  # MONAI would do nothing and report success
            raise InputError("There is no patient: the data set, or this section of its datalist, is empty.")
        self.failures, self.finished = {}, []
        try:
            super().run(global_epoch)
        except OSError as error:  # a full disk has no room for the tables, so who failed is told here
            left = self.state.epoch_length - self.state.iteration
            unreached = f"\nNot reached: {left} of {self.state.epoch_length} patients." if left else ""
            self._tell_failures(f"\nThen the run was stopped: {in_words(error)}{unreached}")
            raise
        if self.finished:
            logger.info("%d of %d patients were finished before.", len(self.finished), self.state.epoch_length)
        self._tell_failures()

    def _tell_failures(self, last_words: str = "") -> None:
        if self.failures:
            # A reason's further lines stand deeper than the patients' names.
            deeper = {patient: reason.replace("\n", "\n  ") for patient, reason in self.failures.items()}
            reasons = "\n".join(f"  {patient}: {reason}" for patient, reason in deeper.items())
            told = f"{len(self.failures)} of {self.state.epoch_length} patients failed:\n{reasons}"
            raise FailedPatientsError(told + last_words, self.failures, is_stopped=bool(last_words))

    def _iteration(self, engine: SupervisedEvaluator, batchdata: dict[str, Any]) -> dict[str, Any]:
        patient = batchdata["patient"][0]
        if "finished" in batchdata:
            self.finished.append(patient)
            return {}
        failure = batchdata["failure"][0] if "failure" in batchdata else None
        full_disk = batchdata["full_disk"][0] if "full_disk" in batchdata else ""
        if failure is None:
            try:
                segmented: dict[str, Any] = super()._iteration(engine, batchdata)
                return segmented
            except Exception as error:  # as above: writing and postprocessing belong to the patient too
                names = json.loads(batchdata[_FOLDER_NAMES][0]) if _FOLDER_NAMES in batchdata else {}
                failure, full_disk = without_paths(describe_failure(error), patient, names), full_disk_in(error)
        self.failures[patient] = failure
        logger.error("%s: %s", patient, failure)
        if full_disk:  # every patient to come would be computed for nothing
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), full_disk)
        return {}
