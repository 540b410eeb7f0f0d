"""Where a run writes what it makes of a patient, and that it replaces nothing but what a run made before."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from islesnet.data import SEQUENCES
from islesnet.errors import InputError
from islesnet.files import remove_parts, whole_file

BRAIN_FILE = "brain.nii.gz"
SCANS_FILE = "scans.json"
# All that a run may write: to a patient's folder, and beside it as <patient>_...
IN_FOLDER = (
    *(f"{role}.nii.gz" for role in (*SEQUENCES, "adc")),
    *(BRAIN_FILE, SCANS_FILE, "report.html", "lesions.csv", "patient.json", "lesion.dcm"),
)
BESIDE_FOLDER = ("lesion.json", "lesion.nii.gz", "probability.nii.gz")
# A file in the folder of results says that a run has begun a patient: what lies there of others is not ours.
MARK = ".islesnet_"
SAID = "islesnet has begun this patient here and replaces its results; delete this file together with them.\n"


class PatientResults:
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
                    f"The results would be written among the scans, to {self.folder}; choose another folder for them."
                )
        there = next((path for path in self._places() if os.path.lexists(path)), None)
        if there is not None and not self._is_ours():
            raise InputError(
                f"{there} is no result of an earlier run; choose another folder for the results, so that nothing is "
                "replaced, or remove it."
            )

    def _is_ours(self) -> bool:
        """Tell whether a run began this patient here; folders that were copied may lack the hidden file."""
        return self._mark.exists() or (self.folder / SCANS_FILE).exists() or self._has_numbers()

    @property
    def _mark(self) -> Path:
        return self.output_dir / f"{MARK}{self.patient}"

    def _has_numbers(self) -> bool:
        try:
            numbers = json.loads((self.output_dir / f"{self.patient}_lesion.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(numbers, dict) and "islesnet" in numbers

    def _places(self) -> list[Path]:
        """List all that a run may write of the patient, the numbers first."""
        beside = [self.output_dir / f"{self.patient}_{ending}" for ending in BESIDE_FOLDER]
        return [*beside, *(self.folder / name for name in IN_FOLDER)]
