"""What runs of islesnet leave in a folder, so that it is not taken for scans, and nothing else is replaced."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from islesnet.errors import InputError
from islesnet.files import exists, is_file, is_folder, read_json_object, sha256_of, whole_file
from islesnet.volumes.file_names import is_drawn, stem_of

# Names of files. Every run writes the first to its folder; the second, in a patient's folder of results, says that a
# run made that folder and may replace what it wrote of the patient.
RUN_FILE = "provenance.json"
MARK = ".islesnet"
SCANS_FILE = "scans.json"
BRAIN_FILE = "brain.nii.gz"
SEGMENTATION_FILE = "lesion.dcm"
_REPORT_FILE = "patient.json"
# What a run writes that could be taken for a scan: the first are written for raw scans only.
_REGISTERED = ("dwi.nii.gz", "t1.nii.gz", "t2.nii.gz", "flair.nii.gz")
_DERIVED = ("adc.nii.gz", BRAIN_FILE, SEGMENTATION_FILE)

# What a run may replace: files beside the patient's folder, called <patient>_..., and files in it.
BESIDE_FOLDER = ("probability.nii.gz", "lesion.nii.gz", "lesion.json")
IN_FOLDER = (*_REGISTERED, *_DERIVED, SCANS_FILE, "report.html", "lesions.csv", _REPORT_FILE)
# Of these, what a reader may correct in place; the mark has the checksums.
CORRECTABLE = (BRAIN_FILE, SEGMENTATION_FILE)

# What identifies a run: keys that its JSON files have, and the words of its mark.
_KEYS_OF_SCANS = {"registration", "brain_mask", "choices"}
_KEYS_OF_REPORT = {"total_volume_ml", "lesions", "versions"}
_WORDS_OF_MARK = "islesnet wrote here, and replaces what it wrote of this patient, here and beside this folder.\n"

# What is said of results whose mask somebody changed.
EDITED_MASK = (
    "The mask was changed after the run, and its numbers, checks and report are of the mask before. To measure the "
    "masks as they are: islesnet evaluate --pred OUT --truth OUT -o SCORES, with the folder of these results as OUT "
    "(predicted_ml and predicted_lesions in scores.csv). For a new mask and report move this one to another folder and "
    "segment the patient again."
)


def mark(folder: Path, is_finished: bool = False) -> None:
    """Mark a patient's folder as a run's, at its end with the checksums of what may be corrected there."""
    checksums = [f"{_checksum(folder / name)}  {name}\n" for name in CORRECTABLE if is_finished]
    with whole_file(folder / MARK) as part:
        part.write_text("".join([_WORDS_OF_MARK, *checksums]), encoding="utf-8")


def corrected_in(folder: Path) -> list[Path]:
    """List what was changed in a patient's folder after the run that made it marked it as finished."""
    try:
        _, *lines = (folder / MARK).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):  # no mark, or none of ours
        return []
    told = dict(line.split("  ", 1)[::-1] for line in lines if "  " in line)
    there = [folder / name for name in CORRECTABLE if name in told and is_file(folder / name)]
    return [path for path in there if _checksum(path) != told[path.name]]


def is_mask_edited(output_dir: Path, patient: str) -> bool:
    """Tell whether somebody changed a patient's mask after the run that made it, or closed it to reading.

    Masks of an earlier islesnet, which wrote no checksum, cannot be told from edited ones.
    """
    mask = output_dir / f"{patient}_lesion.nii.gz"
    checksum = read_json_object(output_dir / f"{patient}_lesion.json").get("mask_sha256")
    if checksum is None or not is_file(mask):
        return False
    try:
        return sha256_of(mask) != checksum
    except OSError:
        return True


def earlier_results(output_dir: Path, patient: str) -> Path:
    """Name the folder that keeps what an earlier run made of a patient until a later one has made it anew.

    Its name is hidden, so that no mask there is taken for the patient's.
    """
    return output_dir / f".earlier_{patient}"


def is_run_folder(folder: Path) -> bool:
    """Tell by its provenance whether a run of islesnet wrote to a folder."""
    versions = read_json_object(folder / RUN_FILE).get("versions")
    return isinstance(versions, dict) and "islesnet" in versions


def require_replaceable(folder: str | Path, names: Iterable[str]) -> None:
    """Refuse a folder in which a run would replace files that are somebody's own.

    Args:
        folder: of the results; it may be absent.
        names: of the files that the run writes there.

    Raises:
        InputError: where one of them is there, and no run of islesnet wrote to the folder.
    """
    folder = Path(folder)
    there = next((path for name in names if exists(path := folder / name)), None)
    if there is not None and not is_run_folder(folder):
        raise InputError(
            f"{there} would be replaced, and no {RUN_FILE} beside it says that it is a result of islesnet; choose "
            "another folder."
        )


def is_result(path: Path) -> bool:
    """Tell whether a run made a file, or a folder with all scans in it, as the results of a patient."""
    ending = next((ending for ending in BESIDE_FOLDER if path.name.endswith(f"_{ending}")), None)
    if ending is not None:
        return has_results(path.parent, path.name.removesuffix(f"_{ending}"))
    if not is_folder(path):
        return False
    made = made_in(path)
    return bool(made) and not _holds_else(path, made)


def has_results(output_dir: Path, patient: str) -> bool:
    """Tell whether what lies in a folder as <patient>_... is a run's."""
    is_told = "islesnet" in read_json_object(output_dir / f"{patient}_lesion.json")
    return is_told or bool(made_in(output_dir / patient))


def made_in(folder: Path) -> tuple[str, ...]:
    """Name the files of scans, brain and lesion that a run makes in a patient's folder; none in a folder of others.

    Registered scans are told in ``scans.json``, which is written before them. A mark, or a report, may have been copied
    to scans of the same names.
    """
    if set(read_json_object(folder / SCANS_FILE)) >= _KEYS_OF_SCANS:
        return (*_REGISTERED, *_DERIVED)
    is_reported = set(read_json_object(folder / _REPORT_FILE)) >= _KEYS_OF_REPORT
    return _DERIVED if is_reported or exists(folder / MARK) else ()


def _holds_else(folder: Path, names: Collection[str]) -> bool:
    """Tell whether a folder holds what may be scans under other names, directly or below."""
    try:
        there = [entry for entry in os.scandir(folder) if not entry.name.startswith(".") and entry.name not in names]
    except OSError:
        return True
    folders = [entry for entry in there if entry.is_dir(follow_symlinks=False)]
    files = [entry for entry in there if entry not in folders]
    return any(_may_be_scan(Path(file)) for file in files) or any(_holds_else(Path(folder), ()) for folder in folders)


def _may_be_scan(path: Path) -> bool:
    stem = stem_of(path.name)
    if stem is not None:
        return not is_drawn(stem)
    if path.suffix.lower() in (".dcm", ".ima"):
        return True
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return True


def _checksum(path: Path) -> str:
    return sha256_of(path) if is_file(path) else "-"
