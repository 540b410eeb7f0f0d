"""Put a patient's files together into a case; two files for one place are refused."""

import logging
from collections.abc import Iterable
from pathlib import Path

from islesnet.data.case import Case
from islesnet.errors import InputError
from islesnet.files import NO_TARGET, exists
from islesnet.sequences import SEQUENCES
from islesnet.volumes.file_names import NameReading, read_name, stem_of

logger = logging.getLogger(__name__)


def reading_of(path: Path, folder_name: str = "") -> NameReading:
    """Say what a volume's file name means."""
    return read_name(stem_of(path.name) or path.name, folder_name)


def claim(path: Path, reading: NameReading) -> str | None:
    """Return the role that a file takes, or None; a name in doubt gives a warning."""
    if reading.doubt:
        logger.warning("%s is passed over: %s", path, reading.doubt)
    return reading.role


def assemble(patient: str, claims: Iterable[tuple[str, Path]]) -> Case | None:
    """Make a case of (sequence or "label", file) pairs; None without any sequence.

    A link to nothing is not among its files, but among what is lost.

    Raises:
        InputError: where two files claim the same place; both are named.
    """
    files: dict[str, Path] = {}
    lost: list[str] = []
    for role, path in claims:
        if not exists(path):
            logger.warning("%s is passed over: %s", path, NO_TARGET)
            lost.append(role)
            continue
        if role in files:
            raise InputError(
                f"patient {patient!r}: two files claim to be the {role}: {files[role]} and {path}; "
                "keep one, or name what differs in a CSV table"
            )
        files[role] = path
    label = files.pop("label", None)
    missing = tuple(role for role in SEQUENCES if role in lost and role not in files)
    missing += ("label",) if "label" in lost and label is None else ()
    if not files and missing in ((), ("label",)):
        if label is not None:
            logger.warning("patient %r has a label (%s) but no sequence; left out", patient, label)
        return None
    return Case(patient, files, label, missing)


def assemble_by_name(patient: str, paths: Iterable[Path]) -> Case | None:
    """Make a case of one patient's files, each placed by what its name says."""
    claims = [(claim(path, reading_of(path, patient)), path) for path in paths]
    return assemble(patient, [(role, path) for role, path in claims if role is not None])
