"""What a training was begun with: kept in its state, so that a resumed one goes on with nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

from islesnet.errors import InputError
from islesnet.files import as_json


class BegunWith:
    """The choices and the patients that a training depends on, among the things that `ExactResume` saves.

    What an earlier version kept no record of, or has no choice for, is not compared.

    Args:
        choices: by the option's name; values that JSON cannot hold are compared as text.
        split: section -> patients.
    """

    def __init__(self, choices: Mapping[str, object], split: Mapping[str, Sequence[str]]) -> None:
        self.choices = as_json(choices)
        self.split = as_json(split)

    def state_dict(self) -> dict[str, Any]:
        """Give both."""
        return {"choices": self.choices, "split": self.split}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Compare with what was saved.

        Raises:
            InputError: naming every choice that differs, with both values, and how many patients left and joined.
        """
        differences = [
            f"{name} was {value} and is {self.choices.get(name)}"
            for name, value in state.get("choices", {}).items()
            if value != self.choices.get(name)
        ]
        for section, patients in state.get("split", {}).items():
            before, now = set(patients), set(self.split.get(section, ()))
            if before != now:
                differences.append(
                    f"of {len(before)} {section} patients {len(before - now)} left, and {len(now - before)} joined"
                )
        if differences:
            raise InputError("; ".join(differences))
