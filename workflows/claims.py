"""Folders that remember what they were begun with, so that nobody goes on with anything else."""

import json
from collections.abc import Mapping
from pathlib import Path

from islesnet.errors import InputError
from islesnet.files import whole_file


def claim_folder(folder: Path, name: str, choices: Mapping[str, object], option: str = "--out") -> None:
    """Write down what a folder is begun with, or make sure that it was begun with the same.

    Args:
        folder: of the work.
        name: of the note in it.
        choices: what decides the work; what JSON has no word for is written as text.
        option: that the user names the folder with.

    Raises:
        InputError: naming the choices that differ.
    """
    told = json.loads(json.dumps(choices, default=str))
    note = folder / name
    if not note.is_file():
        with whole_file(note) as part:
            part.write_text(json.dumps(told, indent=2) + "\n")
        return
    earlier = json.loads(note.read_text())
    differing = [name for name in dict.fromkeys([*earlier, *told]) if earlier.get(name) != told.get(name)]
    if differing:
        raise InputError(
            f"{folder} was begun with another choice of {', '.join(differing)} (see {note}). Go on with what it was "
            f"begun with, or name another folder with {option}."
        )
