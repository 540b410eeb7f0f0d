"""A CSV (or TSV) table: a column with the patient, one per sequence, perhaps one with the label."""

import csv
import difflib
import io
import logging
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from islesnet.data.case import Case
from islesnet.data.layouts.assembly import assemble
from islesnet.errors import InputError
from islesnet.failures import printable
from islesnet.files import exists, is_file, is_folder, is_link
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import (
    BRAIN_WORDS,
    SEQUENCE_WORDS,
    read_name,
    says_only_how,
    sequence_named,
    stem_of,
    words_of,
)

NAME = "csv"
DESCRIPTION = "a table.csv: columns patient, dwi, t1, t2, flair, label; paths relative to the table's folder"

_PATIENT_COLUMNS = ("patient", "patient_id", "subject", "subject_id", "case", "case_id", "id", "participant_id")
_LABEL_COLUMNS = ("label", "mask", "msk", "seg", "segmentation", "lesion", "truth", "lesion_mask")

# "pwi", "t2s" and "dir" are other contrasts, one letter away; so is "dwib0", which has half as many again.
_SHORTEST_MISSPELT, _LIKENESS = 4, 0.8

logger = logging.getLogger(__name__)


def recognises(path: Path) -> bool:
    """Tell whether a path is a table by its suffix."""
    return path.suffix.lower() in (".csv", ".tsv") and not path.is_dir()


def find(path: Path, with_missing: bool = False) -> list[Case]:
    """Read the table's rows as cases; an empty cell is a sequence that the patient does not have.

    Args:
        path: the table.
        with_missing: a case may name files that are missing, for whoever goes on with the others, and a row without a
            sequence is left out with a warning.

    Raises:
        InputError: for a table without the columns or without a row, a column of files whose name resembles that of
            one that the table lacks, a row without patient or with a folder, or, unless ``with_missing``, one without
            sequence or with a file that is missing.
    """
    rows = _rows(path)
    columns = _columns(path, rows[0][1] if rows else [])
    if len(rows) == 1:
        raise InputError(f"{path}: no patient found: no row follows the columns' names")
    _pass_over_others(path, rows, columns)
    cases = []
    for number, row in rows[1:]:
        place = f"{path}, line {number}"
        cells = {columns[index]: cell.strip() for index, cell in enumerate(row) if index in columns and cell.strip()}
        patient = cells.pop("patient", None)
        if patient is None:
            raise InputError(f"{place}: the patient's name is empty")
        files = {role: path.parent / cell for role, cell in cells.items()}
        for role, cell in cells.items():
            _require_file(files[role], place, cell, with_missing)
        case = _case(patient, files)
        if case is None:
            told = f"{place}: patient {patient!r} has no file for any of {', '.join(SEQUENCES)}"
            if not with_missing:
                raise InputError(told)
            logger.warning("%s; left out", told)
            continue
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
    named = printable(", ".join(header))
    for index, title in enumerate(header):
        role = _role(title.strip().lower())
        if role is None:
            continue
        if role in columns.values():
            raise InputError(f"{path}: two columns are the {role}; the columns are {named}")
        columns[index] = role
    if "patient" not in columns.values() or not set(columns.values()) & set(SEQUENCES):
        raise InputError(
            f"{path}: a column 'patient' and at least one of {', '.join(SEQUENCES)} are needed; "
            f"the columns are {named or 'none'}"
        )
    return columns


def _pass_over_others(path: Path, rows: list[tuple[int, list[str]]], columns: dict[int, str]) -> None:
    """Tell of the columns that are not used, and refuse a sequence or a label that is only misspelt."""
    others = {index: title.strip() for index, title in enumerate(rows[0][1]) if index not in columns}
    lacking = {*SEQUENCES, "label"} - set(columns.values())
    for index, title in others.items():
        meant = _meant(title.lower(), lacking)
        if meant and any(stem_of(row[index].strip()) for _, row in rows[1:] if index < len(row)):
            raise InputError(
                f"{path}: the column {title!r} holds volumes and is not known; did you mean {meant!r}? Call it so or, "
                "where it is something else, by a name unlike that"
            )
    if named := ", ".join(filter(None, others.values())):
        logger.info("%s: columns that are passed over: %s", path, printable(named))


def _meant(title: str, lacking: Collection[str]) -> str | None:
    """Name the column among those that a table lacks which a title may be a misspelling of."""
    reading = read_name(title)
    # An SWI is no DWI, a T1 with contrast medium no T1, and a brain mask no label.
    if says_only_how(title) or reading.doubt or BRAIN_WORDS.intersection(words_of(title)):
        return None
    if reading.role in lacking:  # "stroke_mask"
        return reading.role
    if len(title) < _SHORTEST_MISSPELT or re.fullmatch(r"b\d+", title):
        return None
    words = {word: role for role in lacking for word in SEQUENCE_WORDS.get(role, _LABEL_COLUMNS)}
    close = difflib.get_close_matches(title, words, n=1, cutoff=_LIKENESS)
    return words[close[0]] if close else None


def _role(title: str) -> str | None:
    if title in _PATIENT_COLUMNS:
        return "patient"
    if title in _LABEL_COLUMNS:
        return "label"
    return title if title in SEQUENCES else sequence_named(title)


def _case(patient: str, files: Mapping[str, Path]) -> Case | None:
    """Make a case, of missing files too: whoever reads them says so; None without any sequence."""
    if all(exists(path) or is_link(path) for path in files.values()):
        return assemble(patient, files.items())
    sequences = {role: path for role, path in files.items() if role != "label"}
    return Case(patient, sequences, files.get("label")) if sequences else None


def _require_file(path: Path, place: str, cell: str, with_missing: bool) -> None:
    if is_folder(path):
        raise InputError(f"{place}: {cell!r} is a folder; a table names a file for each sequence ({path})")
    if not with_missing and not is_file(path):
        raise InputError(f"{place}: {cell!r} does not exist (looked for {path})")
