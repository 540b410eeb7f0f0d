"""One table of the lesions of all patients whose results lie in a folder."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ignite.engine import Engine, Events
from monai.utils import ensure_tuple

from islesnet.report import write_csv
from islesnet.volumes.file_names import natural_key

logger = logging.getLogger(__name__)

COLUMNS = ("patient", "lesion_volume_ml", "lesion_count", "is_trusted", "reasons", "notes")


class LesionTable:
    """Write ``lesions.csv`` when a run has come to its end: a row a patient, also for those that failed.

    It is made anew of every ``<patient>_lesion.json`` in the folder, so that nothing is lost with a run that was
    killed, and several runs into one folder have one table. A patient that failed in this run has no volume, and the
    failure as the reason not to trust it. Where there is no patient, nothing is written.

    Args:
        output_dir: folder of the results.
        stamps: words in capitals that keep the run from being mistaken; the patients' own are added.
    """

    def __init__(self, output_dir: str | Path, stamps: Sequence[str] = ()) -> None:
        self.output_dir = Path(output_dir)
        self.stamps = ensure_tuple(stamps)

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.COMPLETED, self.write)

    def write(self, engine: Engine) -> None:
        """Write the table."""
        failures: Mapping[str, str] = getattr(engine, "failures", {})
        rows = [
            row for row in map(_row, self.output_dir.glob("*_lesion.json")) if row and row["patient"] not in failures
        ]
        rows += [
            {"patient": patient, "is_trusted": False, "reasons": f"Failed: {reason}"}
            for patient, reason in failures.items()
        ]
        if rows:
            rows.sort(key=lambda row: natural_key(row["patient"]))
            frame = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"lesion_count": "Int64"})
            # Each row its own: synthetic and real patients may lie in one folder.
            stamps = [" ".join(dict.fromkeys([*self.stamps, *row.get("stamps", ())])) for row in rows]
            write_csv(frame.assign(stamp=stamps) if any(stamps) else frame, self.output_dir / "lesions.csv")


def _row(path: Path) -> dict[str, Any] | None:
    try:
        numbers = json.loads(path.read_text(encoding="utf-8"))
        trust = numbers.get("trust", {})
        return {
            **{name: numbers[name] for name in ("patient", "lesion_volume_ml", "lesion_count")},
            "is_trusted": trust.get("is_trusted"),
            "reasons": " ".join(trust.get("reasons", ())),
            "notes": " ".join(trust.get("notes", ())),
            "stamps": numbers.get("stamps", ()),
        }
    except (ValueError, KeyError, AttributeError) as error:
        logger.warning("%s is left out of lesions.csv: it does not hold a patient's lesions (%r).", path, error)
        return None
