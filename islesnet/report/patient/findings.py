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
        if len(self.lesions) - bulk < max(bulk, FEWEST_SMALL):
            return ""
        largest = "The largest has" if bulk == 1 else f"The {bulk} largest have"
        return f". {largest} {100 * shares[bulk - 1]:.0f} % of the volume{self._say_doubt(bulk)}"

    def _say_doubt(self, bulk: int) -> str:
        """Say which lesions to doubt more than those with the bulk of the volume, or as many of highest confidence.

        Confidence decides where it is known, for it tells lesions from false marks better than volume does
        (bundle/docs/weights.md). It is compared within the patient alone, so that it need not be calibrated.
        """
        confidences = {lesion.number: lesion.confidence for lesion in self.lesions if lesion.confidence is not None}
        if len(confidences) < len(self.lesions):
            return f"; look at the other {len(self.lesions) - bulk} with more doubt"
        ranked = sorted(confidences, key=lambda number: -confidences[number])
        # Nothing is believed more than the largest lesion for being small.
        largest = self.lesions[0].number
        first = max(bulk, ranked.index(largest) + 1)
        sure, doubted = ranked[:first], ranked[first:]
        if len(doubted) < len(sure):
            return (
                f", but {first - 1} smaller ones have a higher confidence (up to {say(confidences[sure[0]], 2)}) than "
                f"the largest ({say(confidences[largest], 2)}); look at all of them with doubt"
            )
        spread = _say_range(confidences[sure[-1]], confidences[sure[0]])
        told = f". Confidence is highest in lesions {_say_numbers(sorted(sure))}"
        if set(sure) == {lesion.number for lesion in self.lesions[:bulk]}:
            told = " and the highest confidence"
        others = f"the other {len(doubted)} (up to {say(confidences[doubted[0]], 2)})"
        return f"{told} ({spread}); look at {others} with more doubt"

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


def _say_range(lowest: float, highest: float) -> str:
    return " to ".join(dict.fromkeys((say(lowest, 2), say(highest, 2))))


def _say_numbers(numbers: Sequence[int]) -> str:
    """List numbers that rise, three and more in a row by the first and the last: 1 to 3, 6 and 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [part for run in runs for part in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
