"""Where a run's results come from, written beside them."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from ignite.engine import Engine, Events
from monai.utils import ensure_tuple

from islesnet.provenance import config_as_run, write_provenance


class Provenance:
    """Write ``provenance.json`` when a run starts, as not finished, and again when it has come to its end.

    The config is that of the command line, where that is MONAI's bundle's.

    Args:
        output_dir: folder of the results.
        seeds: as for `islesnet.provenance.write_provenance`, like all that follow.
        split: section -> patients.
        weights: files of networks, used or made.
        datalist: the file that names the patients.
        stamps: words in capitals that keep the run from being mistaken.
    """

    def __init__(
        self,
        output_dir: str | Path,
        seeds: Mapping[str, int] | int | None = None,
        split: Mapping[str, Sequence[str]] | None = None,
        weights: Sequence[str | Path] = (),
        datalist: str | Path | None = None,
        stamps: Sequence[str] = (),
    ) -> None:
        self.output_dir = output_dir
        self.known: dict[str, Any] = {
            "config": config_as_run(sys.argv),
            "seeds": seeds,
            "split": split,
            "weights": ensure_tuple(weights),
            "datalist": datalist,
            "stamps": ensure_tuple(stamps),
        }
        self._began = time.time()

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer or evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self) -> None:
        """Say that results are in the making."""
        self._write(finished=False)

    def finish(self) -> None:
        """Say that they are complete, and how long they took."""
        self._write(finished=True)

    def _write(self, finished: bool) -> None:
        if idist.get_rank() == 0:
            write_provenance(self.output_dir, began=self._began, finished=finished, **self.known)
