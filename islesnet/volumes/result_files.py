"""What runs of islesnet leave in a folder, so that it is not taken for scans, and nothing else is replaced."""

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from islesnet.errors import InputError
from islesnet.volumes.file_names import stem_of

# Every run writes this to its folder.
RUN_FILE = "provenance.json"
# A file in a patient's folder of results says that a run made the folder, and may replace what it wrote of the patient.
MARK = ".islesnet"
# What a run writes of a patient, as <patient>_...; the rest lies in the folder <patient>.
BESIDE_FOLDER = ("probability.nii.gz", "lesion.nii.gz", "lesion.json")
SCANS_FILE = "scans.json"
_SAID_OF_SCANS = {"registration", "brain_mask", "choices"}
# The volumes of a patient's folder: those of raw scans, and of all.
_REGISTERED = ("dwi.nii.gz", "t1.nii.gz", "t2.nii.gz", "flair.nii.gz")
_MAPS = ("adc.nii.gz", "brain.nii.gz", "lesion.dcm")


def is_run_folder(folder: Path) -> bool:
    """Tell by its provenance whether a run of islesnet wrote to a folder."""
    versions = read_object(folder / RUN_FILE).get("versions")
    return isinstance(versions, dict) and "islesnet" in versions


def require_replaceable(folder: str | Path, names: Iterable[str], is_of_patients: bool = True) -> None:
    """Refuse a folder in which a run would replace files that are somebody's own.

    Args:
        folder: of the results; it may be absent.
        names: of the files that the run writes there.
        is_of_patients: a patient's mark there says too that they are a run's.

    Raises:
        InputError: where one of them is there, and no run of islesnet wrote to the folder.
    """
    folder = Path(folder)
    there = next((path for name in names if _exists(path := folder / name)), None)
    is_ours = is_run_folder(folder) or (is_of_patients and any(folder.glob(f"*/{MARK}")))
    if there is not None and not is_ours:
        raise InputError(
            f"{there} would be replaced, and no {RUN_FILE} beside it says that it is a result of islesnet; choose "
            "another folder."
        )


def is_result(path: Path) -> bool:
    """Tell whether a run made a file, or a folder with all volumes in it, as the results of a patient."""
    ending = next((ending for ending in BESIDE_FOLDER if path.name.endswith(f"_{ending}")), None)
    if ending is not None:
        return has_results(path.parent, path.name.removesuffix(f"_{ending}"))
    if not os.path.isdir(path):  # noqa: PTH112  - as below
        return False
    if _exists(path / MARK) or _tells_scans(path):
        return not _holds_else(path, (*_REGISTERED, *_MAPS))
    return _exists(path / "patient.json") and not _holds_else(path, _MAPS)  # of scans that were prepared before


def has_results(output_dir: Path, patient: str) -> bool:
    """Tell whether what lies in a folder as <patient>_... is a run's."""
    folder = output_dir / patient
    is_told = "islesnet" in read_object(output_dir / f"{patient}_lesion.json")
    return is_told or _exists(folder / MARK) or _tells_scans(folder)


def has_folder_of_results(output_dir: Path, patient: str) -> bool:
    """Tell whether a patient's folder among results is a run's; one that was copied may lack the hidden mark."""
    folder = output_dir / patient
    return _exists(folder / MARK) or _tells_scans(folder) or is_result(folder)


def _tells_scans(folder: Path) -> bool:
    return set(read_object(folder / SCANS_FILE)) >= _SAID_OF_SCANS


def _holds_else(folder: Path, names: Collection[str]) -> bool:
    """Tell whether a folder holds folders, or what may be scans, under other names."""
    try:
        there = [entry for entry in os.scandir(folder) if not entry.name.startswith(".") and entry.name not in names]
    except OSError:
        return True
    return any(entry.is_dir() or _may_be_scan(entry.name) for entry in there)


def _may_be_scan(name: str) -> bool:
    return stem_of(name) is not None or Path(name).suffix.lower() in ("", ".dcm", ".ima")


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one where there is none, or it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110  - False of what lies in a closed folder, where pathlib's raises
