"""Find a data set's patients: which layout it has, and what that layout's module finds."""

import os
from pathlib import Path
from typing import Protocol

from islesnet.counts import first_of
from islesnet.data.case import Case
from islesnet.data.layouts import bids, folders, nnunet, siss2015, table
from islesnet.data.layouts.listing import DICOM_HINT, entries, holds_dicom
from islesnet.errors import InputError
from islesnet.volumes.file_names import natural_key


class Layout(Protocol):
    """What a layout's module offers."""

    NAME: str
    DESCRIPTION: str

    def recognises(self, folder: Path, /) -> bool:
        """Tell whether this layout can read what lies at a path."""

    def find(self, folder: Path, /) -> list[Case]:
        """Find the patients at a path."""


# The order of detection: from the most telling marks to the least.
_MODULES: tuple[Layout, ...] = (table, nnunet, siss2015, bids, folders)
LAYOUTS = tuple(module.NAME for module in _MODULES)


def find_cases(folder: Path, layout: str = "auto", with_lost: bool = False) -> list[Case]:
    """Find the patients of a data set, sorted naturally by patient.

    Args:
        folder: the data set's folder, one patient's folder, or a CSV table.
        layout: "auto", or one of "siss2015", "bids", "nnunet", "csv", "folders".
        with_lost: patients of whom no file is there, but links to them, are among them, with no sequence; those of whom
            a table names a file that is missing, with that file.

    Raises:
        InputError: where there is nothing that the layout understands, where two files claim the same sequence of a
            patient, or where a patient comes twice.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  - "data/.." names its parent, links stay
    if layout == "auto":
        layout = detect_layout(folder)
    elif layout not in LAYOUTS:
        raise InputError(f"unknown layout {layout!r}; known: auto, {', '.join(sorted(LAYOUTS))}")
    _require_existing(folder)
    module = next(module for module in _MODULES if layout == module.NAME)
    if (module is table) != folder.is_file():
        wanted = "a CSV file, not a folder" if module is table else "a folder, not a file"
        raise InputError(f"{folder}: the layout {layout!r} is {wanted}")
    found = table.find(folder, with_missing=with_lost) if module is table else module.find(folder)
    cases = [case for case in found if case.sequences or with_lost]
    if not cases:
        raise _nothing_known(folder, layout)
    _require_each_once(cases, folder)
    return sorted(cases, key=lambda case: natural_key(case.patient))


def detect_layout(folder: Path) -> str:
    """Say which layout a data set has.

    Raises:
        InputError: where the path does not exist or nothing in it is known.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  - "data/.." names its parent, links stay
    _require_existing(folder)
    candidates = (table,) if folder.is_file() else _MODULES
    for module in candidates:
        if module.recognises(folder):
            return module.NAME
    raise _nothing_known(folder, "auto")


def _require_existing(folder: Path) -> None:
    if not folder.exists():
        raise InputError(f"{folder} does not exist; give the data set's folder or a CSV table")
    if folder.is_dir():
        entries(folder)  # which refuses a folder that cannot be opened


def _require_each_once(cases: list[Case], folder: Path) -> None:
    files: dict[str, Path] = {}
    for case in cases:
        path = next(iter(case.files.values()), folder)
        if case.patient in files:
            raise InputError(
                f"{folder}: the patient {case.patient!r} comes twice: {files[case.patient]} and {path}; rename one"
            )
        files[case.patient] = path


def _nothing_known(folder: Path, layout: str) -> InputError:
    names = [folder.name] if folder.is_file() else [entry.name for entry in entries(folder)]
    found = first_of(names, most=6)
    if folder.is_dir() and holds_dicom(folder):
        found += f" ({DICOM_HINT})"
    tables = [name for name in names if name.lower().endswith((".csv", ".tsv"))]
    if tables and folder.is_dir():
        found += f" (if the table lists the patients, give the table itself: {folder / tables[0]})"
    modules = [module for module in _MODULES if layout in ("auto", module.NAME)]
    understood = "".join(f"\n  {module.NAME}: {module.DESCRIPTION}" for module in modules)
    return InputError(f"{folder}: no patient found. Found there: {found or 'nothing'}. Understood is:{understood}")
