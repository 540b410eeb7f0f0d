"""What a patient's results were made of, told apart from another patient's scans of the same name."""

import hashlib
import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from islesnet.patients.folders import first_scan, is_volume, volumes_below
from islesnet.scanner import ROLES, examination_of

_LOOKED_AT = 2**20  # bytes of a file


def source_of(item: Mapping[Hashable, Any]) -> str:
    """Give digests by which a patient's scans are known again: the examination's, or of volumes their place and files'.

    Scans that moved keep their files, and scans that were exchanged for better ones their place.

    Args:
        item: the patient's, as `RawScans` and `islesnet.data.Case` give it.

    Returns:
        one or two digests; those of other scans have none in common with them.
    """
    if "folder" in item:
        home = Path(item["folder"])
        scan = first_scan(home)
        examination = examination_of(scan) if scan is not None and not is_volume(scan) else ""
        if examination:
            return _digest(examination)
        files = list(volumes_below(home))
    else:
        files = [Path(item[role]) for role in ROLES if role in item]
        home = Path(os.path.commonpath([path.parent for path in files]))
    return f"{_digest(os.path.realpath(home))} {_digest(' '.join(sorted(map(_fingerprint, files))))}"


def is_same_source(first: str, second: str) -> bool:
    """Tell whether two sources, as `source_of` gives them, may be one patient's scans."""
    return not set(first.split()).isdisjoint(second.split())


def _fingerprint(path: Path) -> str:
    """Give a digest of a file's size and of what lies in its middle; its head is much the same in all patients."""
    if not path.is_file():  # a pipe would be waited for
        return path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size // 2 - _LOOKED_AT // 2))
            return hashlib.sha256(b"%d " % size + file.read(_LOOKED_AT)).hexdigest()
    except OSError:  # what cannot be read is said where it would be used
        return path.name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]
