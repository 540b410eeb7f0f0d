"""How much a network finds with each subset of the sequences, as it was measured on test patients."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from islesnet.errors import InputError
from islesnet.files import file_beside, write_json
from islesnet.trust.finding import Finding


@dataclass(frozen=True)
class SubsetScores:
    """What a network reached on test patients with each subset of the sequences, at its operating point.

    Args:
        mean_dice: subset, e.g. "dwi+flair" in the order of the network's channels -> mean over patients.
        patients: subset -> how many they were.
        tested_on: what the patients are, in the plural.
    """

    mean_dice: Mapping[str, float]
    patients: Mapping[str, int]
    tested_on: str = "synthetic patients"

    def write(self, path: Path) -> None:
        """Write the scores as JSON."""
        subsets = {name: {"mean_dice": dice, "patients": self.patients[name]} for name, dice in self.mean_dice.items()}
        write_json(path, {"tested_on": self.tested_on, "subsets": subsets})

    @classmethod
    def read(cls, path: Path) -> "SubsetScores":
        """Read what `write` wrote.

        Raises:
            InputError: for another or a damaged file.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            mean_dice = {str(name): float(scores["mean_dice"]) for name, scores in stored["subsets"].items()}
            patients = {str(name): int(scores["patients"]) for name, scores in stored["subsets"].items()}
            return cls(mean_dice, patients, str(stored["tested_on"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} does not hold the scores of subsets of the sequences ({error!r}).") from error

    def tell(self, present: Sequence[str]) -> str:
        """Say what the network reached with the sequences of a patient; nothing where that was not measured.

        Args:
            present: the patient's, in the order of the network's channels.
        """
        return f"{self._measured(present)}." if "+".join(present) in self.mean_dice else ""

    def check(self, present: Sequence[str], minimum_dice: float) -> list[Finding]:
        """Find out whether the network finds next to nothing with the sequences of a patient.

        Args:
            present: as for `tell`.
            minimum_dice: a mean below it is next to nothing.
        """
        dice = self.mean_dice.get("+".join(present), 1.0)
        if dice >= minimum_dice:
            return []
        return [
            Finding(
                "too few sequences",
                f"{self._measured(present)}, next to nothing. What it marks may be right, but an empty or small mask "
                "excludes no infarct.",
            )
        ]

    def note(self, present: Sequence[str], minimum_dice: float, doubtful_dice: float) -> list[Finding]:
        """Note that the network finds little, though more than next to nothing.

        Args:
            present: as for `tell`.
            minimum_dice: as for `check`.
            doubtful_dice: a mean below it is little.
        """
        if not minimum_dice <= self.mean_dice.get("+".join(present), 1.0) < doubtful_dice:
            return []
        return [
            Finding(
                "few sequences",
                f"{self._measured(present)}, which is little: much is missed or drowned in false marks, small "
                "lesions above all. An empty or small mask excludes no infarct.",
            )
        ]

    def _measured(self, present: Sequence[str]) -> str:
        name = "+".join(present)
        sequences = " + ".join(present).upper() + (" alone" if len(present) == 1 else "")
        return (
            f"With {sequences} this network reaches a mean Dice of {self.mean_dice[name]:.2f} on "
            f"{self.patients[name]} {self.tested_on}"
        )


def read_subsets(weights: str | Path) -> SubsetScores | None:
    """Read the scores that lie beside a network's weights (``model.pt``: ``model_subsets.json``); None without."""
    path = subsets_file(weights)
    return SubsetScores.read(path) if path.is_file() else None


def subsets_file(weights: str | Path) -> Path:
    """Name the file of the scores by subset that belong to a network's weights."""
    return file_beside(weights, "subsets")
