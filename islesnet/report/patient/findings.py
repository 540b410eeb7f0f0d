"""What was found in a patient, in words and as plain data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from islesnet.report.patient.lesions import LESION_COLUMNS, LesionMeasures
from islesnet.report.wording import say

TRUST = {True: "yes", False: "no", None: "not assessed"}
BULK = 0.8  # share of the volume that is most of it
FEWEST_SMALL = 3  # beside the lesions that have it, to be spoken of
SIDES = {"left": "on the left", "right": "on the right", "both": "on both sides", "midline": "on the midline"}


@dataclass(frozen=True)
class PatientFindings:
    """What was found in a patient, and how far it is to be believed.

    Args:
        patient: pseudonym; never a name from a file's header.
        lesions: of `measure_lesions`, the largest first.
        is_trusted: False where the mask is not to be relied on; None where nobody looked.
        reasons: sentences that say why it is not.
        quality_notes: sentences on the scans: a sequence missing, the field of view cut, motion, registration.
        stamps: words in capitals that keep the run from being mistaken, e.g. "PHANTOM".
        versions: of the software and the weights, by name.
        measured: a sentence on what the network reaches on test patients with this patient's sequences.
    """

    patient: str
    lesions: Sequence[LesionMeasures]
    is_trusted: bool | None = None
    reasons: Sequence[str] = ()
    quality_notes: Sequence[str] = ()
    stamps: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    measured: str = ""

    @property
    def total_volume_ml(self) -> float:
        """Volume of all lesions."""
        return sum((lesion.volume_ml for lesion in self.lesions), 0.0)

    def sentence(self) -> str:
        """Say the result in a sentence, or two where most of the volume lies in few of many lesions."""
        if not self.lesions:
            return "No lesion was found."
        largest = self.lesions[0]
        size = f"{say_ml(largest.volume_ml)} and a longest axial diameter of {say_mm(largest.diameter_mm)}"
        if len(self.lesions) == 1:
            return f"One lesion {SIDES[largest.side]}, with {size}."
        counts = Counter(lesion.side for lesion in self.lesions)
        places = ", ".join(f"{counts[side]} {place}" for side, place in SIDES.items() if counts[side])
        where, which = f"({places})", f"the largest, {SIDES[largest.side]},"
        if len(counts) == 1:
            where, which = SIDES[largest.side], "the largest"
        total = say_ml(self.total_volume_ml)
        told = f"{len(self.lesions)} lesions {where}, {total} in all; {which} has {size}"
        return f"{told}{self._say_bulk()}."

    def _say_bulk(self) -> str:
        """Say how few of many lesions have most of the volume; nothing where they are few, or alike."""
        shares = np.cumsum([lesion.volume_ml for lesion in self.lesions]) / self.total_volume_ml
        bulk = int(np.argmax(shares >= BULK)) + 1
        rest = len(self.lesions) - bulk
        if rest < max(bulk, FEWEST_SMALL):
            return ""
        largest = "The largest has" if bulk == 1 else f"The {bulk} largest have"
        return f". {largest} {100 * shares[bulk - 1]:.0f} % of the volume; look at the other {rest} with more doubt"

    def content(self) -> dict[str, Any]:
        """Give everything as plain data, the numbers unrounded, None where something is not known."""
        return {
            "patient": self.patient,
            "total_volume_ml": self.total_volume_ml,
            "lesion_count": len(self.lesions),
            "is_trusted": self.is_trusted,
            "reasons": list(self.reasons),
            "quality_notes": list(self.quality_notes),
            "lesions": [lesion.row() for lesion in self.lesions],
            "stamps": list(self.stamps),
            "versions": dict(self.versions),
            "measured": self.measured,
            "intended_use": "research only, not a medical device",
        }

    def frame(self) -> pd.DataFrame:
        """Give a row a lesion, the numbers unrounded; without lesions, the columns of one without sequences."""
        rows = pd.DataFrame([lesion.row() for lesion in self.lesions], columns=None if self.lesions else LESION_COLUMNS)
        rows.insert(0, "patient", self.patient)
        return rows


def say_ml(volume_ml: float) -> str:
    """Write a volume: two decimals below 10 ml, one above."""
    return f"{say(volume_ml, 2 if volume_ml < 10 else 1)} ml"


def say_mm(length_mm: float) -> str:
    """Write a length in whole mm."""
    return f"{say(length_mm, 0)} mm"
