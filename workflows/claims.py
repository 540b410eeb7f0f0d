"""Folders that remember what they were begun with, and that one run at a time works in."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from islesnet.counts import first_of
from islesnet.errors import InputError
from islesnet.files import as_json, write_json

_NAMED = 6  # of the choices that differ, at most


def claim_folder(folder: Path, name: str, choices: Mapping[str, object], option: str = "--out") -> None:
    """Write down what a folder is begun with, or make sure that it was begun with the same.

    Args:
        folder: of the work.
        name: of the note in the folder.
        choices: what the work depends on; values that JSON cannot hold are written as text.
        option: by which the user names the folder.

    Raises:
        InputError: naming the choices that differ.
    """
    check_claim(folder, name, choices, option)
    if not (folder / name).is_file():
        write_json(folder / name, as_json(choices))


def check_claim(folder: Path, name: str, choices: Mapping[str, object], option: str = "--out") -> None:
    """Make sure, without writing anything, that a folder was not begun with other choices.

    Args:
        folder: of the work.
        name: of the note in the folder.
        choices: what the work depends on, as for `claim_folder`.
        option: by which the user names the folder.

    Raises:
        InputError: naming the choices that differ.
    """
    note = folder / name
    if not note.is_file():
        return
    told, earlier = as_json(choices), json.loads(note.read_text())
    differing = [name for name in dict.fromkeys([*earlier, *told]) if earlier.get(name) != told.get(name)]
    if differing:
        raise InputError(
            f"{folder} was begun with another choice of {first_of(differing, _NAMED)} (see {note}). Go on with what it "
            f"was begun with, or name another folder with {option}."
        )


@contextmanager
def alone_in(folder: Path, option: str = "--out") -> Iterator[None]:
    """Keep other runs out of a folder while this one works in it; the lock ends with the process at the latest.

    Args:
        folder: of the work.
        option: by which the user names the folder.

    Raises:
        InputError: where another run is at work in it.
    """
    lock = FileLock(folder / ".at_work", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"another run is at work in {folder}: wait for it, stop it, or name another folder with {option}"
        ) from error
    except NotImplementedError:  # a file system without locks
        yield
        return
    try:
        yield
    finally:
        lock.release()
