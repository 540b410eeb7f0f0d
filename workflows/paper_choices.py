"""What is chosen where the paper contradicts itself, or where a run departs from it."""

import argparse
from dataclasses import dataclass, replace

from islesnet.errors import InputError
from workflows.systems import (
    FINE_TUNED,
    PAPER_SYSTEMS,
    Pace,
    System,
    encoder_weights,
    say_encoders,
    say_pace,
    shares_of,
    start_encoders,
    systems_named,
)

QUICK = Pace(epochs=3, steps_per_epoch=10, patients_per_step=2)
# The paper's 1e-5 hardly changes a network in so few steps.
QUICK_PAPER_LEARNING_RATE = 1e-2


@dataclass(frozen=True)
class Choices:
    """What was chosen where the paper contradicts itself, or where this run departs from it.

    Args:
        encoder: how the paper's encoder is trained.
        pretrained: the weights that it starts from.
        everyone: choices of every system, for training and for use.
        epochs: of all systems; None leaves each recipe its own.
        pace: of a quick run.
        stamps: that these choices put on every output.
        remarks: how the run differs from the paper's text.
    """

    encoder: str
    pretrained: str | bool
    everyone: dict[str, object]
    epochs: int | None
    pace: Pace | None
    stamps: tuple[str, ...]
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Choices":
        """Read the choices from the command line.

        Raises:
            InputError: for choices that do not go together.
        """
        pretrained = encoder_weights(arguments.pretrained, arguments.data, arguments.systems)
        said, stamps = say_encoders(systems_named(arguments.systems), pretrained, arguments.encoder)
        _require_compatible(arguments)
        everyone: dict[str, object] = {"head": arguments.head}
        if arguments.split == "slices":
            # The neighbours of a slice may be on the other side of the split.
            everyone["context"] = 0
        pace = replace(QUICK, epochs=arguments.epochs or QUICK.epochs) if arguments.quick else None
        if pace:
            stamps = (*stamps, "QUICK")
        remarks = (said, *_remarks(arguments, pace))
        return cls(arguments.encoder, pretrained, everyone, arguments.epochs, pace, stamps, remarks)

    def apply(self, system: System) -> System:
        """Give a system these choices."""
        chosen = (system.small() if self.pace else system).with_choices(self.everyone)
        if self.epochs and not self.pace:
            chosen = chosen.trained_with({"epochs": self.epochs, **shares_of(self.epochs)})
        if self.pace and system.name in PAPER_SYSTEMS:
            chosen = chosen.trained_with({"learning_rate": QUICK_PAPER_LEARNING_RATE})
        (started,) = start_encoders([chosen], self.pretrained, self.encoder)
        return started


def _require_compatible(arguments: argparse.Namespace) -> None:
    """Refuse choices that do not go together.

    Raises:
        InputError: for the first of them.
    """
    if arguments.head != "softmax" and FINE_TUNED in arguments.systems:
        raise InputError(f"--head {arguments.head}: the weights that {FINE_TUNED!r} starts from have a softmax")
    if arguments.split == "slices" and "volumetric" in arguments.systems:
        raise InputError("--split slices deals single slices: there is no volume for the system 'volumetric'")
    if arguments.split == "slices" and FINE_TUNED in arguments.systems:
        raise InputError(
            f"--split slices shows each slice alone; {FINE_TUNED!r} starts from weights that see three at once"
        )
    if arguments.epochs is not None and arguments.epochs < 1:
        raise InputError(f"--epochs is {arguments.epochs}: 1 or more")
    if arguments.encoder != "frozen" and not set(arguments.systems) & set(PAPER_SYSTEMS):
        raise InputError(f"--encoder {arguments.encoder} is for the paper's recipe, and none of the systems has it")
    if arguments.epochs == 1 and arguments.encoder == "staged":
        raise InputError("--encoder staged opens the encoder after a first epoch; --epochs is 1")


def _remarks(arguments: argparse.Namespace, pace: Pace | None) -> list[str]:
    """Say how the run differs from the paper's text, its encoders aside."""
    remarks = []
    if arguments.split == "slices":
        remarks.append(
            "Slices, not patients, were split: the same patients are on both sides, and every score is too high. "
            "Each slice is seen alone, without its neighbours. What depends on them (lesion counts, surface "
            "distances) is left out."
        )
    if pace:
        remarks.append(f"Quick: {say_pace(pace, [system.small() for system in systems_named(arguments.systems)])}")
        if set(arguments.systems) & set(PAPER_SYSTEMS):
            remarks.append(
                f"The paper's recipe has a learning rate of {QUICK_PAPER_LEARNING_RATE:g} here: with its own, 1e-5, "
                "nothing would be seen in so few steps."
            )
    elif arguments.epochs:
        remarks.append(f"{arguments.epochs} epochs instead of each recipe's own.")
    if arguments.grid == "network":
        remarks.append(
            "Scored on the network's grid, which is not the same for every system: their rows cannot be compared, "
            "and there are no masks for the paper's figures 7 to 9."
        )
    return remarks
