"""What lies directly in a folder, hidden names left out; what becomes of a closed folder, each caller says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from islesnet.volumes.file_names import SYSTEM_FOLDERS, natural_key

_kept: ContextVar[dict[Path, list[os.DirEntry[str]]] | None] = ContextVar("kept", default=None)


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


def shown_in(folder: Path) -> list[os.DirEntry[str]]:
    """List what lies in a folder, without hidden names and the system's own folders, in natural order.

    Raises:
        OSError: where the folder cannot be opened.
    """
    kept = _kept.get()
    if kept is None:
        return _list(folder)
    if folder not in kept:
        kept[folder] = _list(folder)
    return list(kept[folder])


def _list(folder: Path) -> list[os.DirEntry[str]]:
    # Unlike Path.iterdir, this tells folders from files without a look at each of a scanner's thousands of slices.
    with os.scandir(folder) as found:
        shown = [entry for entry in found if not entry.name.startswith(".") and entry.name not in SYSTEM_FOLDERS]
    return sorted(shown, key=lambda entry: natural_key(entry.name))
