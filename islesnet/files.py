"""Files that appear whole or not at all, what is read of them, and whether they can be seen."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from islesnet.errors import InputError

# What is said of a file that was not fetched.
NO_TARGET = "a link to a file that is not there (not fetched yet?)"
FULL_DISK_BYTES = 2**20


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name to write under; on success it becomes ``path``, on any failure it is removed.

    The temporary file lies beside ``path`` and ends in the same name, so that writers which choose a format by
    suffix choose the same. A killed process leaves at most a hidden ``.*.part.*`` file, never a half ``path``.

    Args:
        path: the file to be; its folder is made where it is absent.

    Raises:
        OSError: as the operating system refuses (no permission, disk full), naming ``path``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".part.", suffix=f".{path.name}", dir=path.parent)
        os.close(descriptor)
    except OSError as error:
        raise _named(error, path) from error
    part = Path(name)
    try:
        yield part
        _make_readable(part)
        part.replace(path)
    except OSError as error:
        if error.filename not in (None, str(part), part):  # another file's, e.g. of one that is written along with this
            raise
        raise _named(error, path) from error
    except RuntimeError as error:
        # What torch.save says of a full disk is about positions in an archive.
        if shutil.disk_usage(path.parent).free < FULL_DISK_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any], ensure_ascii: bool = True) -> None:
    """Write a JSON object as a whole file.

    Args:
        path: as for `whole_file`.
        content: the object.
        ensure_ascii: write characters beyond ASCII as escapes, not as UTF-8.

    Raises:
        OSError: as `whole_file`.
    """
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=ensure_ascii) + "\n", encoding="utf-8")


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one where the file is absent, cannot be read, or holds anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # the last where brackets are nested by the thousand
        return {}
    return content if isinstance(content, dict) else {}


def as_json(content: Mapping[str, object]) -> dict[str, Any]:
    """Give a JSON object as it is read back once written: tuples are lists, and what JSON cannot hold is text."""
    told: dict[str, Any] = json.loads(json.dumps(content, default=str))
    return told


def remove_parts(folder: Path, endings: tuple[str, ...] = ("",), least_age_s: float = 0.0) -> None:
    """Remove what a killed process left of files that `whole_file` was to write into a folder.

    Args:
        folder: it may be absent.
        endings: of the files' names; by default all are removed.
        least_age_s: seconds since a file was last written to, where others may be writing theirs.
    """
    for part in folder.glob(".part.*"):
        with suppress(FileNotFoundError, PermissionError):  # removed meanwhile, or another user's
            if part.name.endswith(endings) and time.time() - part.stat().st_mtime >= least_age_s:
                part.unlink()


def sha256_of(path: Path) -> str:
    """Give a file's SHA-256 in hexadecimal digits.

    Raises:
        OSError: where it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_beside(weights: str | os.PathLike[str], what: str) -> Path:
    """Name the file that tells something of a network's weights: beside ``model.pt`` it is ``model_<what>.json``."""
    weights = Path(weights)
    return weights.with_name(f"{weights.stem}_{what}.json")


# These return False for a path inside a folder that we may not enter; pathlib's own methods raise.
def exists(path: Path) -> bool:
    """Tell whether a file or folder can be seen."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Tell whether a file can be seen."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Tell whether a folder can be seen."""
    return os.path.isdir(path)  # noqa: PTH112


def is_link(path: Path) -> bool:
    """Tell whether a link can be seen."""
    return os.path.islink(path)  # noqa: PTH114


def require_writable(folder: str | Path) -> None:
    """Make a folder for results, and refuse one that cannot be written to before any work is done.

    Raises:
        InputError: naming the folder and the operating system's reason.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError(f"Cannot write to the folder {path}: {error.strerror}. Choose another.") from error


def _named(error: OSError, path: Path) -> OSError:
    # The user knows the file that should have been, not the temporary one.
    return OSError(error.errno, error.strerror or str(error), str(path))


def _make_readable(path: Path) -> None:
    # mkstemp gives the file to its owner alone; a result belongs to whoever may read the folder.
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
