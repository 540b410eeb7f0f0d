"""A CSV (or TSV) table: a column with the patient, one per sequence, perhaps one with the label."""

import csv
import io
from pathlib import Path

from islesnet.data.case import Case
from islesnet.data.layouts.assembly import assemble
from islesnet.errors import InputError
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import sequence_named

NAME = "csv"
DESCRIPTION = "a table.csv: columns patient, dwi, t1, t2, flair, label; paths relative to the table's folder"

_PATIENT_COLUMNS = ("patient", "patient_id", "subject", "subject_id", "case", "case_id", "id", "participant_id")
_LABEL_COLUMNS = ("label", "mask", "msk", "seg", "segmentation", "lesion", "truth", "lesion_mask")


def recognises(path: Path) -> bool:
    """Tell whether a path is a table by its suffix."""
    return path.suffix.lower() in (".csv", ".tsv") and not path.is_dir()


def find(path: Path) -> list[Case]:
    """Read the table's rows as cases; an empty cell is a sequence that the patient does not have.

    Raises:
        InputError: for a table without the columns, a row without patient or sequence, or a file that is missing.
    """
    rows = _rows(path)
    columns = _columns(path, rows[0][1] if rows else [])
    cases = []
    for number, row in rows[1:]:
        place = f"{path}, line {number}"
        cells = {columns[index]: cell.strip() for index, cell in enumerate(row) if index in columns and cell.strip()}
        patient = cells.pop("patient", None)
        if patient is None:
            raise InputError(f"{place}: the patient's name is empty")
        case = assemble(patient, [(role, _file(path, place, cell)) for role, cell in cells.items()])
        if case is None:
            raise InputError(f"{place}: patient {patient!r} has no file for any of {', '.join(SEQUENCES)}")
        cases.append(case)
    return cases


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save the table as CSV UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not empty, each with the number of its line."""
    text = _text(path)
    # Spreadsheets write semicolons where the comma is the decimal sign.
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: not a table ({error})") from error


def _columns(path: Path, header: list[str]) -> dict[int, str]:
    columns: dict[int, str] = {}
    for index, title in enumerate(header):
        role = _role(title.strip().lower())
        if role is None:
            continue
        if role in columns.values():
            raise InputError(f"{path}: two columns are the {role}; the columns are {', '.join(header)}")
        columns[index] = role
    if "patient" not in columns.values() or not set(columns.values()) & set(SEQUENCES):
        raise InputError(
            f"{path}: a column 'patient' and at least one of {', '.join(SEQUENCES)} are needed; "
            f"the columns are {', '.join(header) or 'none'}"
        )
    return columns


def _role(title: str) -> str | None:
    if title in _PATIENT_COLUMNS:
        return "patient"
    if title in _LABEL_COLUMNS:
        return "label"
    return title if title in SEQUENCES else sequence_named(title)


def _file(table: Path, place: str, cell: str) -> Path:
    path = table.parent / cell
    if not path.is_file():
        raise InputError(f"{place}: {cell!r} does not exist (looked for {path})")
    return path
