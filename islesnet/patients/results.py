"""Where a run writes what it makes of a patient, and that it replaces nothing but what a run made before."""

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from islesnet.data import SEQUENCES
from islesnet.errors import InputError
from islesnet.files import remove_parts, sha256_of, whole_file
from islesnet.scanner import ROLES
from islesnet.volumes.result_files import BESIDE_FOLDER, MARK, SCANS_FILE, is_begun, read_object

BRAIN_FILE = "brain.nii.gz"
# All that a run may write to a patient's folder.
IN_FOLDER = (
    *(f"{role}.nii.gz" for role in (*SEQUENCES, "adc")),
    *(BRAIN_FILE, SCANS_FILE, "report.html", "lesions.csv", "patient.json", "lesion.dcm"),
)
SAID = "islesnet has begun this patient here and replaces its results; delete this file together with them.\n"
# What a patient's item names files or a folder by.
_FILES = ("folder", *ROLES, "brain", "label")


class BeginPatient(Transform):
    """Make room for a patient's results before anything is written, or refuse what would be lost by it.

    What an earlier run left of the patient is removed. The item is handed on as it came.

    Args:
        output_dir: folder of all results.

    Raises:
        InputError: patient by patient, where a scan is not there, the results would fall among the scans, or something
            lies in their places that is no result of an earlier run, or a mask that somebody has changed since.
    """

    def __init__(self, output_dir: str | Path) -> None:
        self.output_dir = Path(output_dir)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Make room for one patient's results."""
        inputs = [Path(data[key]) for key in _FILES if key in data]
        _require_there(inputs)
        _PatientResults(self.output_dir, str(data["patient"])).begin(inputs)
        return dict(data)


class _PatientResults:
    """The places of one patient's results.

    Args:
        output_dir: folder of all results.
        patient: who.
    """

    def __init__(self, output_dir: Path, patient: str) -> None:
        self.output_dir = output_dir
        self.patient = patient
        self.folder = output_dir / patient

    def begin(self, inputs: Iterable[Path]) -> None:
        """Take the places: what an earlier run made is removed, as the scans may be others now.

        The numbers go first: the patient is undone. Then the places are this tool's, in later runs too.

        Args:
            inputs: files and folders that the results are made of.

        Raises:
            InputError: where a result could replace a scan, this patient's or another's, or pass for one.
        """
        self._require_apart(inputs)
        self._require_permission()
        if not self._mark.exists():
            with whole_file(self._mark) as part:
                part.write_text(SAID, encoding="utf-8")
        for path in self._places():
            path.unlink(missing_ok=True)
        remove_parts(self.folder)
        remove_parts(self.output_dir, tuple(f".{self.patient}_{ending}" for ending in BESIDE_FOLDER))

    def _require_apart(self, inputs: Iterable[Path]) -> None:
        target, home = self.folder.resolve(), self.output_dir.resolve()
        places = {path.resolve() for path in self._places()}
        for path in (path.resolve() for path in inputs):
            if path in (target, home) or target in path.parents or path in places:
                raise InputError(
                    f"The results would be written among the scans; choose another folder than {self.output_dir}."
                )
        there = next(self._foreign(), None) if not is_begun(self.output_dir, self.patient) else None
        if there is not None:
            raise InputError(
                f"{there} is no result of an earlier run; choose another folder for the results, so that nothing is "
                "replaced, or remove it."
            )
        if self._is_mask_changed():
            raise InputError(
                f"{self._mask} was changed since islesnet wrote it. So that no correction is lost, move it away before "
                "the patient is segmented again, or choose another folder for the results."
            )

    def _foreign(self) -> Iterator[Path]:
        """Go through what would be ours had a run begun this patient: at the places, and anything in the folder."""
        yield from (path for path in self._places() if os.path.lexists(path))
        if self.folder.is_dir():
            yield from (path for path in sorted(self.folder.iterdir()) if not path.name.startswith("."))

    def _require_permission(self) -> None:
        """Refuse a folder of another user's before anything in the other is removed."""
        for folder in (self.output_dir, self.folder):
            if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
                raise InputError(f"Cannot write to the folder {folder}: permission denied. Choose another.")

    def _is_mask_changed(self) -> bool:
        written = read_object(self.output_dir / f"{self.patient}_lesion.json").get("mask_sha256")
        return written is not None and self._mask.is_file() and sha256_of(self._mask) != written

    @property
    def _mark(self) -> Path:
        return self.output_dir / f"{MARK}{self.patient}"

    @property
    def _mask(self) -> Path:
        return self.output_dir / f"{self.patient}_lesion.nii.gz"

    def _places(self) -> list[Path]:
        """List all that a run may write of the patient, the numbers first."""
        beside = [self.output_dir / f"{self.patient}_{ending}" for ending in BESIDE_FOLDER]
        return [*beside, *(self.folder / name for name in IN_FOLDER)]


def _require_there(inputs: Sequence[Path]) -> None:
    """Refuse what is not there before earlier results are removed for it."""
    for path in inputs:
        if not path.exists():
            raise InputError(f"{path}: {'is a link to what is not there' if path.is_symlink() else 'does not exist'}")
