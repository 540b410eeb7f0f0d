"""Where a run's results come from, written beside them."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import ignite.distributed as idist
from ignite.engine import Engine, Events
from monai.utils import ensure_tuple

from islesnet.errors import require_switch
from islesnet.files import read_json_object
from islesnet.provenance import commands_in, config_as_run, file_record, write_provenance


class Provenance:
    """Write ``provenance.json`` when a run starts, as not finished, after every epoch, and when it has come to its end.

    The config is that of the command line, where that is MONAI's bundle's.

    Args:
        output_dir: folder of the results.
        seeds: as for `islesnet.provenance.write_provenance`, like all that follow.
        split: section -> patients.
        weights: files of networks, used or made.
        datalist: the file that names the patients.
        stamps: words in capitals that keep the run from being mistaken.
        resume: the run goes on from earlier ones, whose commands are kept, and what the first of them started from.
        read: settings that the config reads from a file, by name: in the config that is written they stand as values;
            of another command than MONAI's they alone are written.
        start_from: the file of weights that a training begins with, or None or False; its checksum is taken at once,
            since the training may set it aside.
    """

    def __init__(
        self,
        output_dir: str | Path,
        seeds: Mapping[str, int] | int | None = None,
        split: Mapping[str, Sequence[str]] | None = None,
        weights: Sequence[str | Path] = (),
        datalist: str | Path | None = None,
        stamps: Sequence[str] = (),
        resume: bool = False,
        read: Mapping[str, Any] | None = None,
        start_from: str | Path | Literal[False] | None = None,
    ) -> None:
        self.output_dir = output_dir
        self.resume = require_switch(resume, "resume")
        config = config_as_run(sys.argv)
        self.known: dict[str, Any] = {
            "config": {**(config or {}), **(read or {})} or None,
            "seeds": seeds,
            "split": split,
            "weights": ensure_tuple(weights),
            "datalist": datalist,
            "stamps": ensure_tuple(stamps),
            "start_from": file_record(start_from) if start_from else None,
        }
        self._began = time.time()

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer or evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.go_on)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Engine) -> None:
        """Say that results are in the making, on which device, and by which commands before this one."""
        device = getattr(engine.state, "device", None)  # MONAI's engines have one, an ignite engine need not
        self.known["device"] = None if device is None else str(device)
        self.known["earlier"] = commands_in(self.output_dir) if self.resume else []
        begun = read_json_object(Path(self.output_dir) / "provenance.json")
        if self.resume and begun:  # by now the file may hold what the training made of it
            self.known["start_from"] = begun.get("start_from")
        self._write(finished=False)

    def go_on(self) -> None:
        """Say how long it took so far, which is what is known of a run that is killed later."""
        self._write(finished=False)

    def finish(self) -> None:
        """Say that they are complete, and how long they took."""
        self._write(finished=True)

    def _write(self, finished: bool) -> None:
        if idist.get_rank() == 0:
            write_provenance(self.output_dir, began=self._began, finished=finished, **self.known)
