"""Measured cases kept one file each, so that an interrupted benchmark goes on where it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from islesnet.files import whole_file

Record = dict[str, Any]


def measured(path: Path, measure: Callable[[], Record]) -> Record:
    """Read a case's record where it was measured before, otherwise measure it and keep it."""
    if not path.is_file():
        record = measure()
        with whole_file(path) as part:
            part.write_text(json.dumps(record, indent=2))
    kept: Record = json.loads(path.read_text())
    return kept
