"""A patient whose scans are as the scanner left them, and what was made of them."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from islesnet.data import check_patient_name
from islesnet.errors import InputError
from islesnet.scanner import ROLES

# Where a patient's `Preparation` travels through MONAI's transforms, as text: text survives collating.
PREPARATION = "preparation"


@dataclass(frozen=True)
class RawScans:
    """A patient whose sequences are still to be told apart, read and registered.

    Args:
        patient: a pseudonym; it names the files that are written.
        folder: where the scans lie; None where those that are named are all.
        named: "dwi", "t1", "t2", "flair", "adc" or "b0" -> a volume file, a folder of one DICOM series, or one of its
            slices: what the user says instead of letting it be guessed.
        brain: the user's brain mask, on any grid that lies where the reference lies.
        one_patient: the user says that all scans are this patient's, whatever their names say.
        label: the expert's lesion mask where it is known; for those who score, not among what is segmented.
        lost: sequences that are there as links to files that are not.

    Raises:
        InputError: for a name that cannot be part of a file name, an unknown sequence, or nothing to read.
    """

    patient: str
    folder: Path | None = None
    named: Mapping[str, Path] = field(default_factory=dict)
    brain: Path | None = None
    one_patient: bool = False
    label: Path | None = None
    lost: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_patient_name(self.patient)
        unknown = [name for name in self.named if name not in ROLES]
        if unknown:
            raise InputError(f"patient {self.patient!r}: unknown sequence {unknown[0]!r}; known: {', '.join(ROLES)}")
        if self.folder is None and not self.named and not self.lost:
            raise InputError(f"patient {self.patient!r} has neither a folder nor a named scan")

    def item(self) -> dict[str, str]:
        """Return the dictionary that `PrepareScans` takes: "patient", absolute paths, and what else is known."""
        paths = {"folder": self.folder, **self.named, "brain": self.brain}
        absolute = {key: os.path.abspath(path) for key, path in paths.items() if path is not None}  # noqa: PTH100
        known = {"one_patient": "True" if self.one_patient else "", "lost": " ".join(self.lost)}
        return {"patient": self.patient} | absolute | {key: text for key, text in known.items() if text}


@dataclass(frozen=True)
class Preparation:
    """What was made of a patient's scans before they were segmented.

    Args:
        files: sequence, "adc" or "brain" -> the file that is used, in mm where the reference lies.
        reference: the sequence that stayed where it was and gives the mask's grid.
        moved: sequences that were registered to the reference.
        notes: sentences on the scans: repairs, doubts, registrations, what was left out.
        damaged: sequences, or "adc", that are there and cannot be used.
        doubtful_sides: sequences whose header leaves open which side is left.
        choices: source, role (or None) and reason of everything that was looked at.
        registration: sequence -> how it was brought to the reference, in numbers.
        brain: how the brain was found, or why there is no mask of it, in a few words.
        dicom: the reference's slices, each its file and, in a multi-frame one, its place there from 0; empty where the
            reference is not of DICOM, or a mosaic.
    """

    files: Mapping[str, str]
    reference: str
    moved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    doubtful_sides: tuple[str, ...] = ()
    choices: tuple[Mapping[str, Any], ...] = ()
    registration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    brain: str = ""
    dicom: tuple[tuple[str, int | None], ...] = ()

    def to_text(self) -> str:
        """Write it as one text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Preparation":
        """Read what `to_text` wrote."""
        content: dict[str, Any] = json.loads(text)
        lists = {key: tuple(content[key]) for key in ("moved", "notes", "damaged", "doubtful_sides", "choices")}
        return cls(**content | lists | {"dicom": tuple((path, frame) for path, frame in content["dicom"])})

    def told(self) -> dict[str, Any]:
        """Give what may be written beside the results: no path, for a path may hold a name."""
        return {
            "reference": self.reference,
            "moved": list(self.moved),
            "registration": dict(self.registration),
            "brain_mask": self.brain,
            "choices": [dict(choice) for choice in self.choices],
            "notes": list(self.notes),
        }
