"""What a network was trained with, in its weights or, where these do not show it, beside them: sequences, spacing."""

import json
import logging
import math
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch

from islesnet.errors import InputError
from islesnet.files import as_json, file_beside, write_json
from islesnet.networks.weight_files import read_state_dict

logger = logging.getLogger(__name__)

SPACING = "spacing_mm"  # how the entry of a state dict ends that says on which voxels a network was trained
USUAL_SPACING = (1.5, 1.5, 1.5)  # mm, as train.yaml has it


def trained_with_file(weights: str | PathLike[str]) -> Path:
    """Name the file of what a network's weights were trained with."""
    return file_beside(weights, "trained_with")


def write_trained_with(weights: str | PathLike[str], choices: Mapping[str, object]) -> None:
    """Write beside weights what they were trained with, unless it is written there already, or nothing is known.

    Args:
        weights: their file.
        choices: by the option's name.
    """
    if read_trained_with(weights) != as_json(choices):
        write_json(trained_with_file(weights), as_json(choices))


def read_trained_with(weights: str | PathLike[str]) -> dict[str, Any]:
    """Read what lies beside weights (``model.pt``: ``model_trained_with.json``); without it nothing is known.

    Raises:
        InputError: the file is damaged, or holds something else.
    """
    file = trained_with_file(weights)
    if not file.is_file():
        return {}
    try:
        choices = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: what the weights were trained with cannot be read from it ({error})") from error
    if not isinstance(choices, dict):
        raise InputError(f"{file}: what the weights were trained with cannot be read from it (it is no JSON object)")
    return choices


def trained_with(weights: str | PathLike[str], state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """Read what weights were trained with; where the file beside them belongs to others, nothing, with a warning.

    It does where it names another spacing than the weights themselves do.

    Args:
        weights: their file.
        state: what it holds.

    Raises:
        InputError: as `read_trained_with`.
    """
    said, spacings = read_trained_with(weights), spacings_in(state)
    others = [own for own in spacings.values() if "spacing" in said and not _is_same(said["spacing"], list(own))]
    if not others:
        return said
    logger.warning(
        "%s belongs to other weights and is ignored: it says that they were trained on voxels of %s mm, but those of "
        "%s were on %s mm. Remove it, or put the one there that was written with them.",
        trained_with_file(weights),
        in_words(said["spacing"]),
        weights,
        in_words(list(others[0])),
    )
    return {}


def trained_spacing(path: str | PathLike[str]) -> list[float]:
    """Read from weights the size of the voxels that they were trained on; the usual size where they do not say.

    Args:
        path: a file with a state dict. One that cannot be read gives the usual size; `require_weights` says what is
            wrong with it.

    Returns:
        mm along x, y, z.
    """
    try:
        weights, beside = read_state_dict(path, "weights"), read_trained_with(path)
    except (InputError, OSError) as error:
        logger.debug("Voxels of %g mm are assumed: %s", USUAL_SPACING[0], error)
        return list(USUAL_SPACING)
    own = list(spacings_in(weights).values())
    return list(own[0] if own else beside.get("spacing", USUAL_SPACING))


def spacings_in(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[float, ...]]:
    """Read from a state dict on which voxels its networks were trained: by the entry's name, in mm along x, y, z."""
    return {name: in_mm(value) for name, value in state.items() if name.rpartition(".")[2] == SPACING}


def in_mm(spacing: torch.Tensor) -> tuple[float, ...]:
    """Give a spacing as it was meant: single precision says 1.79999995 for 1.8."""
    return tuple(round(float(length), 6) for length in spacing)


def other_choices(trained: Mapping[str, Any], wanted: Mapping[str, object]) -> list[tuple[str, Any, Any]]:
    """Name the choices that differ between what weights were trained with and what they are to be used with.

    What is not known of the weights is not compared.

    Args:
        trained: by the option's name, as `trained_with` gives it.
        wanted: likewise.

    Returns:
        of each its name, the training's and the one wanted.
    """
    now = as_json(wanted)
    return [
        (name, trained[name], now[name]) for name in now if name in trained and not _is_same(trained[name], now[name])
    ]


def way_to_use(name: str, value: Any) -> str:
    """Say how weights are used with a choice that they were trained with; not every command has an option for it."""
    if name == "spacing":
        return f"with the bundle's recipe and without --spacing or, for the paper's recipes, with --spacing \"{value}\""
    if name == "sequences" and len(value) == 1:
        return f"with the bundle's recipe inference_paper.yaml and --sequence {value[0]}"
    return f'with the bundle\'s recipe and --{name} "{value}"'


def in_words(value: object) -> str:
    """Write a choice as it stands in a sentence."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _is_same(first: object, second: object) -> bool:
    """Compare two values; numbers that differ by rounding alone are the same."""
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_is_same, first, second))
    if isinstance(first, int | float) and isinstance(second, int | float):
        return math.isclose(first, second, rel_tol=1e-5)
    return first == second
