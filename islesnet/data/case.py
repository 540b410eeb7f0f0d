"""A patient's case: the sequences there are, where their files lie, and the expert's label where there is one."""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from islesnet.errors import InputError
from islesnet.sequences import REFERENCE_ORDER, SEQUENCES


@dataclass(frozen=True)
class Case:
    """One patient (or one session of a patient) with any subset of the four sequences.

    Args:
        patient: name of the patient, unique in a data set; it also names the files that are written.
        sequences: sequence -> file; the keys are a subset of `SEQUENCES`, at least one unless all are lost.
        label: the expert's lesion mask, where there is one.
        lost: sequences, and "label", whose file is a link to one that is not there, as where it was not fetched.

    Raises:
        InputError: for no sequence, an unknown sequence, or a name that cannot be part of a file name.
    """

    patient: str
    sequences: Mapping[str, Path]
    label: Path | None = None
    lost: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_patient_name(self.patient)
        unknown = [name for name in self.sequences if name not in SEQUENCES]
        if unknown:
            raise InputError(
                f"patient {self.patient!r}: unknown sequence {unknown[0]!r}; known: {', '.join(SEQUENCES)}"
            )
        if not self.sequences and not self.lost_sequences:
            raise InputError(
                f"patient {self.patient!r} has no sequence; at least one of {', '.join(SEQUENCES)} is needed"
            )
        ordered = {name: Path(self.sequences[name]) for name in SEQUENCES if name in self.sequences}
        object.__setattr__(self, "sequences", ordered)

    @property
    def reference(self) -> str:
        """Name of the sequence whose grid the lesion mask is written on."""
        return next(name for name in REFERENCE_ORDER if name in self.sequences)

    @property
    def lost_sequences(self) -> tuple[str, ...]:
        """The lost ones without the label, which segmenting does not need."""
        return tuple(role for role in self.lost if role in SEQUENCES)

    @property
    def files(self) -> dict[str, Path]:
        """Every file of the case under its key: the sequences, then "label" where there is one."""
        files = dict(self.sequences)
        if self.label is not None:
            files["label"] = self.label
        return files

    def item(self) -> dict[str, str]:
        """Return the dictionary that MONAI's transforms take: "patient", then an absolute path per file present."""
        # Not Path.resolve(): following a link may lose the suffix by which the reader is chosen.
        return {"patient": self.patient} | {key: os.path.abspath(path) for key, path in self.files.items()}  # noqa: PTH100


def check_patient_name(patient: str) -> None:
    """Refuse a name that could not be part of a file name.

    Raises:
        InputError: for an empty name, "." or "..", a slash, a backslash or a control character.
    """
    if not patient.strip() or patient in (".", "..") or "/" in patient or "\\" in patient or _has_control(patient):
        raise InputError(
            f"patient name {patient!r} cannot be used: it becomes part of file names, "
            "so it must not be empty and holds no slash, backslash or control character"
        )


def name_of_patient(folder: Path) -> str:
    """Make a patient's name of a folder's: what `check_patient_name` would refuse is replaced by underscores."""
    legal = "".join("_" if character == "\\" or _has_control(character) else character for character in folder.name)
    return legal if legal.strip() else "_"


def _has_control(text: str) -> bool:
    # Control characters, bytes that are no text, line and paragraph ends; odd spaces and letters are legal.
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text)
