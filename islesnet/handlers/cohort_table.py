"""One table, and one page, of all patients whose results lie in a folder."""

import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ignite.engine import Engine, Events
from monai.utils import ensure_tuple

from islesnet.report.patient import CohortRow, write_cohort_page
from islesnet.result_files import EDITED_MASK, is_mask_edited
from islesnet.volumes.file_names import natural_key

logger = logging.getLogger(__name__)


class CohortTable:
    """Write ``cohort.csv`` and ``cohort.html`` when a run has come to its end: a row a patient, also for the failed.

    They are made anew of every ``<patient>_lesion.json`` in the folder, so that nothing is lost with a run that was
    killed, and several runs into one folder have one table. A patient that failed in this run has the failure, and no
    volume of an earlier one. A row leads to ``<patient>/report.html`` where that lies there. Where there is no
    patient, nothing is written. A mask that somebody changed after its run is noted, for its numbers are of the mask
    before.

    Args:
        output_dir: folder of the results.
        stamps: words in capitals that keep the run from being mistaken; the patients' own are added.
        seconds: after which the files are written during the run too, so that a killed one has them.
    """

    def __init__(self, output_dir: str | Path, stamps: Sequence[str] = (), seconds: float = 20.0) -> None:
        self.output_dir = Path(output_dir)
        self.stamps = ensure_tuple(stamps)
        self.seconds = seconds
        self._last = -math.inf
        self._left_out: set[Path] = set()

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.write_meanwhile)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def write_meanwhile(self, engine: Engine) -> None:
        """Write both while patients are still to come; a failure to write them does not stop the run."""
        if time.monotonic() - self._last < self.seconds:
            return
        self._last = time.monotonic()
        try:
            self._write(engine, is_finished=False)
        except OSError as error:
            logger.warning("The cohort's table cannot be written for now: %s", error)

    def write(self, engine: Engine) -> None:
        """Write both."""
        self._write(engine, is_finished=True)

    def _write(self, engine: Engine, is_finished: bool) -> None:
        failures: Mapping[str, str] = getattr(engine, "failures", {})
        # A killed process may have left a ".part." of one.
        paths = [path for path in self.output_dir.glob("*_lesion.json") if not path.name.startswith(".part.")]
        rows = [row for row in map(self._row, paths) if row is not None and row.patient not in failures]
        rows += [CohortRow(patient, failure=reason) for patient, reason in failures.items()]
        if rows:
            rows.sort(key=lambda row: natural_key(row.patient))
            write_cohort_page(self.output_dir, rows, self.stamps, is_finished)

    def _row(self, path: Path) -> CohortRow | None:
        try:
            return _read_row(path)
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            if path not in self._left_out:  # said once in a run
                logger.warning("%s is left out of cohort.csv: it does not hold a patient's lesions (%r).", path, error)
            self._left_out.add(path)
            return None


def _read_row(path: Path) -> CohortRow:
    numbers = json.loads(path.read_text(encoding="utf-8"))
    patient, trust = str(numbers["patient"]), numbers.get("trust", {})
    is_trusted = trust.get("is_trusted")
    report = f"{patient}/report.html"
    is_edited = is_mask_edited(path.parent, patient)
    return CohortRow(
        patient=patient,
        total_volume_ml=float(numbers["lesion_volume_ml"]),
        lesions=int(numbers["lesion_count"]),
        is_trusted=None if is_trusted is None else is_trusted is True,
        reasons=tuple(trust.get("reasons", ())),
        notes=(*([EDITED_MASK] if is_edited else []), *trust.get("notes", ())),
        is_edited=is_edited,
        report=report if (path.parent / report).is_file() else None,
        stamps=tuple(numbers.get("stamps", ())),
        weights=str(numbers.get("weights_sha256", "")),
    )
