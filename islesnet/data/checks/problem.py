"""A finding about a patient's file, in words a user can act on."""

from dataclasses import dataclass
from pathlib import Path

from islesnet.volumes.finding import Severity


@dataclass(frozen=True)
class Problem:
    """Something that a person should look at.

    Args:
        patient: whose file it is.
        file: the file; None where the finding is about the patient as a whole.
        message: what was found, with numbers, and what would be right.
        severity: "error" where the case cannot be used as it is, "warning" where it can.
    """

    patient: str
    file: Path | None
    message: str
    severity: Severity

    def __str__(self) -> str:
        place = f" ({self.file})" if self.file is not None else ""
        return f"{self.severity}: patient {self.patient}{place}: {self.message}"

    def without_patient(self) -> str:
        """Say it where the patient was named before."""
        return self.message if self.file is None else f"{self.file}: {self.message}"
