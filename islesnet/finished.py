"""Which patients of a cohort are finished: their results are there, and what made them is unchanged."""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import islesnet
from islesnet.errors import require_switch
from islesnet.files import read_json_object, sha256_of
from islesnet.result_files import is_mask_edited
from islesnet.volumes.file_names import stem_of


class FinishedPatients:
    """Tell which patients have results in a folder that a new run would only make again.

    A patient's item has "patient" and, under any other keys, what the patient consists of: volumes, with the files
    beside them that are called the same (.json, .bval, .raw); slices, with all files in their folder; or a folder whose
    files all count. Hidden files are left out. Whatever is neither, is text.

    What was named beside the folder, a sequence or a brain mask, was a choice of the user's: the patient stays finished
    in later runs that are given the folder alone, a cohort's, until something in it or in the settings changes.

    Args:
        output_dir: folder of the results.
        weights: file of the network.
        settings: what else the results depend on: plain values, lists and dictionaries of them.
        again: nobody is finished, everybody is segmented again.
        report: who has no ``<output_dir>/<patient>/report.html`` is not finished.
        probability: who has no ``<output_dir>/<patient>_probability.nii.gz`` is not finished.
        read_beside: finds the file that is read with an item though that does not name it, e.g.
            `islesnet.patients.find_adc`.

    Raises:
        InputError: for an ``again``, a ``report`` or a ``probability`` that is neither True nor False.
    """

    def __init__(
        self,
        output_dir: str | Path,
        weights: str | Path,
        settings: Any,
        again: bool = False,
        report: bool = False,
        probability: bool = False,
        read_beside: Callable[[Mapping[str, str]], Path | None] | None = None,
    ) -> None:
        self.output_dir = Path(output_dir)
        self.weights = Path(weights)
        self.settings = settings
        self.again = require_switch(again, "again")
        self.report = require_switch(report, "report")
        self.probability = require_switch(probability, "save_probability")
        self.read_beside = read_beside

    def digest(self, item: Mapping[str, str]) -> str:
        """Give a hexadecimal digest of all that a patient's results are made of.

        That is islesnet's version and `RESULTS_SINCE`, the weights' checksum, the settings, and name, size and time of
        change of every file of the patient. Where anything is named beside a folder, a blank and the digest without it
        follow.

        Raises:
            OSError: the weights cannot be read.
        """
        digests = [self._digest(item)]
        found = {key: item[key] for key in ("patient", "folder") if key in item}
        if "folder" in item and found != item:
            digests.append(self._digest(found))
        return " ".join(digests)

    def is_finished(self, item: Mapping[str, str], digest: str | None = None) -> bool:
        """Tell whether a patient's mask, numbers and report lie there, made of what would make them now.

        Args:
            item: the patient's.
            digest: the item's, where it is known already.
        """
        if self.again:
            return False
        patient = item["patient"]
        wanted = [f"{patient}_lesion.nii.gz"]
        wanted += [f"{patient}/report.html"] if self.report else []
        wanted += [f"{patient}_probability.nii.gz"] if self.probability else []
        are_there = all((self.output_dir / name).is_file() for name in wanted)
        made_of = _read_digest(self.output_dir / f"{patient}_lesion.json") if are_there else ""
        return bool(made_of) and (digest or self.digest(item)).split()[0] in made_of.split()

    def is_mask_edited(self, patient: str) -> bool:
        """Tell whether a finished patient's mask was changed since, so that its numbers are of the mask before."""
        return is_mask_edited(self.output_dir, patient)

    def _digest(self, item: Mapping[str, str]) -> str:
        beside = None if self.read_beside is None else self.read_beside(item)
        if beside is not None:
            item = {**item, "beside": str(beside)}
        made_of = {
            "islesnet": [islesnet.__version__, islesnet.RESULTS_SINCE],
            "weights": self._checksum,
            "settings": self.settings,
            "patient": {key: value if key == "patient" else self._content(value) for key, value in item.items()},
        }
        return hashlib.sha256(json.dumps(made_of, sort_keys=True, default=str).encode()).hexdigest()

    @cached_property
    def _checksum(self) -> str:
        return sha256_of(self.weights)

    def _content(self, value: str) -> Any:
        """Give name, size and time of a file and those it is read with, or of every file in a folder; text as it is."""
        path = Path(value)
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except (OSError, ValueError):  # no file, or what no file can be called
            return value
        if not value:  # which pathlib takes for the current folder
            return value
        # Results among the scans would change with every run.
        results = self.output_dir.resolve()
        if is_folder:
            return [_describe_file(file, path) for file in _walk(path, {results} - {path.resolve()})]
        files = [path] if path.parent.resolve() == results else _read_with(path)
        return [_describe_file(file, path.parent) for file in files]


def _read_digest(numbers: Path) -> str:
    digest = read_json_object(numbers).get("made_of")
    return digest if isinstance(digest, str) else ""


def _describe_file(path: Path, root: Path) -> list[str | int]:
    name = str(path.relative_to(root))
    try:
        status = path.stat()
    except OSError:  # a link to nowhere
        return [name]
    return [name, status.st_size, status.st_mtime_ns]


def _read_with(path: Path) -> list[Path]:
    """Give a file, and those beside it: of a volume the ones called the same, of a slice all, hidden ones left out."""
    stem = stem_of(path.name)
    try:
        names = sorted(entry.name for entry in os.scandir(path.parent) if not entry.is_dir())
    except OSError:  # a folder that may be passed through, not listed
        return [path]
    shown = [name for name in names if not name.startswith(".")]
    beside = [path.with_name(name) for name in shown if stem is None or name.startswith(f"{stem}.")]
    return [path, *(other for other in beside if other != path)]


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
