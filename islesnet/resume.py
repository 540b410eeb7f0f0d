"""Which patients of a cohort are finished: their results are whole, and what made them is unchanged."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import islesnet
from islesnet.errors import require_switch
from islesnet.files import sha256_of


class FinishedPatients:
    """Tell which patients have results in a folder that a new run would only make again.

    A patient's item has "patient" and, under any other keys, what the patient consists of: files, or a folder whose
    files all count, hidden ones left out. Whatever is neither, is text.

    Args:
        output_dir: folder of the results.
        weights: file of the network.
        settings: what else the results depend on: plain values, lists and dictionaries of them.
        again: nobody is finished, everybody is segmented again.

    Raises:
        InputError: for an ``again`` that is neither True nor False.
    """

    def __init__(self, output_dir: str | Path, weights: str | Path, settings: Any, again: bool = False) -> None:
        self.output_dir = Path(output_dir)
        self.weights = Path(weights)
        self.settings = settings
        self.again = require_switch(again, "again")

    def stamp(self, item: Mapping[str, str]) -> str:
        """Give a hexadecimal digest of all that a patient's results are made of.

        That is islesnet's version, the weights' checksum, the settings, and name, size and time of change of every
        file of the patient.

        Raises:
            OSError: the weights cannot be read.
        """
        made_of = {
            "islesnet": islesnet.__version__,
            "weights": self._checksum,
            "settings": self.settings,
            "patient": {key: value if key == "patient" else self._content(value) for key, value in item.items()},
        }
        return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()

    def is_finished(self, item: Mapping[str, str]) -> bool:
        """Tell whether a patient's mask and numbers lie there, made of what would make them now."""
        if self.again:
            return False
        mask, numbers = (self.output_dir / f"{item['patient']}_lesion.{suffix}" for suffix in ("nii.gz", "json"))
        made_of = _read_stamp(numbers) if mask.is_file() else None
        return made_of is not None and made_of == self.stamp(item)

    @cached_property
    def _checksum(self) -> str:
        return sha256_of(self.weights)

    def _content(self, value: str) -> Any:
        """Give name, size and time of a file, or of every file in a folder; text as it is."""
        path = Path(value)
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (OSError, ValueError):  # no file, or what no file can be called
            return value
        if not value:  # which pathlib takes for the current folder
            return value
        if not is_folder:
            return _describe_file(path, path.parent)
        # Results among the scans would change with every run.
        results = {self.output_dir.resolve()} - {path.resolve()}
        return [_describe_file(file, path) for file in _walk(path, results)]


def _read_stamp(numbers: Path) -> str | None:
    try:
        content = json.loads(numbers.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content.get("made_of") if isinstance(content, dict) else None


def _describe_file(path: Path, root: Path) -> list[str | int]:
    name = str(path.relative_to(root))
    try:
        status = path.stat()
    except OSError:  # a link to nowhere
        return [name]
    return [name, status.st_size, status.st_mtime_ns]


def _walk(root: Path, seen: set[Path]) -> Iterator[Path]:
    """Give the files below a folder in order: hidden names left out, no folder twice, none of those seen before."""
    for folder, below, names in os.walk(root, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(names) if not name.startswith("."))
