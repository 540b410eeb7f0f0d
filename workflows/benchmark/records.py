"""A file for each case that was measured, so that an interrupted benchmark goes on where it stopped."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from islesnet.files import write_json

Record = dict[str, Any]


def measured(path: Path, measure: Callable[[], Record]) -> Record:
    """Read the record of a case that was measured before; measure and record any other."""
    if not path.is_file():
        write_json(path, measure())
    kept: Record = json.loads(path.read_text())
    return kept
