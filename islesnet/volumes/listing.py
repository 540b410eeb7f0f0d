"""What lies directly in a folder, hidden names left out; what becomes of a closed folder, each caller says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from islesnet.volumes.file_names import SYSTEM_FOLDERS, natural_key

# Of each folder the names as one text: those of a million slices take 15 MB so, and five times that one by one.
_kept: ContextVar[dict[Path, str] | None] = ContextVar("kept", default=None)
_BETWEEN = "\0"  # is in no name


@contextmanager
def listed_once() -> Iterator[None]:
    """List no folder twice until the block ends, where a search asks of one folder again and again.

    For a block that writes nothing: what appears meanwhile is not seen. Nothing is kept after it. Within another such
    block it changes nothing.
    """
    if _kept.get() is not None:
        yield
        return
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def shown_in(folder: Path) -> list[str]:
    """List the names in a folder, without hidden ones and the system's own folders, in natural order.

    Returns:
        the names; a slash ends those of folders, and of links to folders.

    Raises:
        OSError: where the folder cannot be opened.
    """
    kept = _kept.get()
    if kept is None:
        return _list(folder)
    if folder not in kept:
        kept[folder] = _BETWEEN.join(_list(folder))
    return kept[folder].split(_BETWEEN) if kept[folder] else []


def can_be_listed(folder: Path) -> bool:
    """Tell whether a folder can be opened; it is listed whole where that is done once in any case."""
    try:
        if _kept.get() is None:
            with os.scandir(folder) as found:
                next(found, None)
        else:
            shown_in(folder)
    except OSError:
        return False
    return True


def _list(folder: Path) -> list[str]:
    # Unlike Path.iterdir, this tells folders from files without a look at each of a scanner's thousands of slices.
    with os.scandir(folder) as found:
        shown = [entry for entry in found if not entry.name.startswith(".") and entry.name not in SYSTEM_FOLDERS]
    shown.sort(key=lambda entry: natural_key(entry.name))
    return [f"{entry.name}/" if _is_folder(entry) else entry.name for entry in shown]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False
