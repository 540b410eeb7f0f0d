"""What runs of islesnet leave in a folder, so that it is not taken for scans, and nothing else is replaced."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from islesnet.errors import InputError

# Every run writes this to its folder.
RUN_FILE = "provenance.json"
# A file in the folder of results says that a run has begun a patient: what lies there of others is not ours.
MARK = ".islesnet_"
# What a run writes of a patient, as <patient>_...; the rest lies in the folder <patient>.
BESIDE_FOLDER = ("probability.nii.gz", "lesion.nii.gz", "lesion.json")
SCANS_FILE = "scans.json"
_SAID_OF_SCANS = {"registration", "brain_mask", "choices"}


def is_run_folder(folder: Path) -> bool:
    """Tell by its provenance whether a run of islesnet wrote to a folder."""
    versions = read_object(folder / RUN_FILE).get("versions")
    return isinstance(versions, dict) and "islesnet" in versions


def require_replaceable(folder: str | Path, names: Iterable[str]) -> None:
    """Refuse a folder in which a run would replace files that are somebody's own.

    Args:
        folder: of the results; it may be absent.
        names: of the files that the run writes there.

    Raises:
        InputError: where one of them is there, and no run of islesnet wrote to the folder or began a patient there.
    """
    folder = Path(folder)
    there = next((path for name in names if _exists(path := folder / name)), None)
    if there is not None and not is_run_folder(folder) and not any(folder.glob(f"{MARK}*")):
        raise InputError(
            f"{there} would be replaced, and no {RUN_FILE} beside it says that it is a result of islesnet; choose "
            "another folder."
        )


def is_result(path: Path) -> bool:
    """Tell whether a run made a file, or a folder in its own, as the results of a patient."""
    ending = next((ending for ending in BESIDE_FOLDER if path.name.endswith(f"_{ending}")), None)
    if ending is not None:
        return is_begun(path.parent, path.name.removesuffix(f"_{ending}"))
    if not os.path.isdir(path):  # noqa: PTH112  - as below
        return False
    # Reports and marks may come to lie anywhere; in a folder that no run wrote to, scans are scans.
    return is_run_folder(path.parent) and (is_begun(path.parent, path.name) or _exists(path / "report.html"))


def is_begun(output_dir: Path, patient: str) -> bool:
    """Tell whether a run began a patient in a folder; one that was copied may lack the hidden file."""
    return (
        _exists(output_dir / f"{MARK}{patient}")
        or "islesnet" in read_object(output_dir / f"{patient}_lesion.json")
        or set(read_object(output_dir / patient / SCANS_FILE)) >= _SAID_OF_SCANS
    )


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one where there is none, or it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  - False of what lies in a closed folder, where pathlib's raises
