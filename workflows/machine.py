"""The machine, divided among the trainings that are at work at once."""

import argparse
import os
from collections.abc import Mapping

import torch

from islesnet.errors import InputError
from islesnet.processes import usable_cores


def add_at_once(parser: argparse.ArgumentParser) -> None:
    """Add the option for the number of trainings at once."""
    parser.add_argument(
        "--at-once",
        type=int,
        help="trainings at once (default: one on each GPU, or two that share the cores of a CPU)",
    )


def shares_of_machine(at_once: int | None = None) -> list[Mapping[str, str]]:
    """Divide the machine among commands that run at once: a GPU for each or, where there is none, a part of the cores.

    On two cores, two trainings at once with one core each get more done than one after the other with both
    (workflows/README.md).

    Args:
        at_once: how many commands; with GPUs at most one on each. None is one on each GPU or, without any, two.

    Returns:
        The environment variables of each command.

    Raises:
        InputError: where `at_once` is less than 1.
    """
    if at_once is not None and at_once < 1:
        raise InputError(f"--at-once is {at_once}: 1 or more")
    devices = _visible_devices()
    if devices:
        return [{"CUDA_VISIBLE_DEVICES": device} for device in devices[:at_once]]
    cores = usable_cores()
    count = min(2, cores) if at_once is None else at_once
    return [{"OMP_NUM_THREADS": str(max(1, cores // count))}] * count


def _visible_devices() -> list[str]:
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return named.split(",")[:count] if named else [str(number) for number in range(count)]
