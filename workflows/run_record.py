"""The record of a workflow's run: the systems it lacks, steps and time taken, devices used, and its provenance."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from islesnet.provenance import commands_in, write_provenance
from workflows.experiment import Experiment


def say_missing(planned: Mapping[str, object], done: Mapping[str, object]) -> list[str]:
    """Say which of the planned systems the report lacks, in one sentence; no sentence where it has them all."""
    missing = [name for name in planned if name not in done]
    return [f"Not in this report, because a training or an evaluation failed: {', '.join(missing)}."] if missing else []


def say_steps(done: Mapping[str, Sequence[Experiment]]) -> str:
    """Say how many steps each system's trainings took."""
    counts = {name: sorted({experiment.steps or 0 for experiment in own}) for name, own in done.items()}
    told = (f"{name} {_say_span(own)}" for name, own in counts.items())
    are_equal = len({count for own in counts.values() for count in own}) == 1
    return f"Steps of a training: {', '.join(told)}." + ("" if are_equal else " Unequal: each recipe has its own.")


def total_duration_s(folder: Path) -> float:
    """Add up the seconds that all commands of the bundle below a folder took, in all their runs, at once or not."""
    return float(sum(command["duration_s"] or 0.0 for command in _commands_below(folder)))


def devices_used(folder: Path) -> str | None:
    """Name the devices that the commands of the bundle below a folder ran on; None where they do not say."""
    return ", ".join(sorted({command["device"] for command in _commands_below(folder) if command["device"]})) or None


def write_run_provenance(folder: Path, arguments: argparse.Namespace, **known: Any) -> Path:
    """Write the provenance of a workflow's run: its arguments, and how long and on what devices its commands ran.

    Args:
        folder: of all the run's results; the commands' own provenance is looked for below it.
        arguments: the run's command line.
        known: further arguments of `islesnet.provenance.write_provenance`.
    """
    config = {
        "arguments": {name: str(value) for name, value in vars(arguments).items()},
        "duration_s_of_commands_added_up": total_duration_s(folder),
    }
    return write_provenance(folder, config=config, device=devices_used(folder), **known)


def _say_span(steps: Sequence[int]) -> str:
    """Write steps that rise by the first and the last of them; 0 is a number that is not known."""
    if steps[0] == 0:
        return "not known"
    return str(steps[0]) if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"


def _commands_below(folder: Path) -> list[dict[str, Any]]:
    homes = [path.parent for path in folder.rglob("provenance.json") if path.parent != folder]
    found = ({"device": None, **command} for home in homes for command in commands_in(home))
    return [command for command in found if "monai.bundle" in (command["command"] or "")]  # not the workflow's own
