"""Why a patient failed, in words that a table can hold and that name no folder of the patient."""

import errno
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

from islesnet.errors import in_words, input_error_behind
from islesnet.files import is_folder

logger = logging.getLogger(__name__)


def describe_failure(error: BaseException) -> str:
    """Say what lies behind a chain of exceptions; what is not the user's to mend keeps the name of its type."""
    cause = input_error_behind(error)
    if cause is not None:
        return printable(in_words(cause), kept="\n")
    while error.__cause__ is not None:
        error = error.__cause__
    logger.debug("Not an input error", exc_info=error)
    return printable(f"{type(error).__name__}: {error}", kept="\n")


def full_disk_in(error: BaseException) -> str:
    """Name the file that a chain of exceptions says found a full disk or quota; empty where it was not that."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return str(cause.filename or "the disk")
        cause = cause.__cause__ or cause.__context__
    return ""


def names_of_folders(item: Mapping[str, str], output_dir: str | None) -> dict[str, str]:
    """Give the name to show for each folder that a message about a patient could mention.

    The patient's own folders are shown as the patient's name, which may be a pseudonym where the path has the real one.
    The folder of results is left out, so that a result is shown by its place in it, unless the scans lie there too.

    Args:
        item: the patient's, with the paths of its scans or their folder.
        output_dir: folder of the results, as the user typed it; None where nothing is written.

    Returns:
        Folder path -> name to show, as `without_paths` takes it.
    """
    paths = {key: Path(value) for key, value in item.items() if key != "patient" and isinstance(value, str | Path)}
    places = {key: path for key, path in paths.items() if path.is_absolute()}
    folders = {str(path if key == "folder" else path.parent) for key, path in places.items()}
    folders |= {str(path) for path in places.values() if is_folder(path)}
    names = dict.fromkeys(folders - {"/"}, item["patient"])
    if output_dir is not None:
        own = os.path.abspath(output_dir)  # noqa: PTH100  - links are told as they are typed
        is_patients = own in names
        # As it is typed, too, but for ".", which is in every path.
        for typed in {own, str(Path(output_dir))} - {"."}:
            names |= {typed: item["patient"]} if is_patients else {f"{typed}/": ""}
    return names


def without_paths(failure: str, patient: str, names: Mapping[str, str]) -> str:
    """Replace the folders in a reason by the names to show for them, and drop the patient's name in front.

    Args:
        failure: the reason, as `describe_failure` gives it.
        patient: the patient's name.
        names: folder path -> name to show.
    """
    called = {printable(folder, kept="\n"): name for folder, name in names.items()}
    if called:
        # The longest first, so that a folder is not taken for one that it lies in.
        known = "|".join(re.escape(folder) for folder in sorted(called, key=len, reverse=True))
        failure = re.sub(rf"(?<![\w/])({known})((?<=/)|(?!\w))", lambda found: called[found[1]], failure)
    return failure.removeprefix(f"{patient}: ")


def printable(text: str, kept: str = "") -> str:
    """Replace what a table cannot hold or a terminal would obey, for a file may be called anything.

    Args:
        text: with bytes that are no text, or control characters.
        kept: control characters that stay.
    """
    return "".join(
        character if character.isprintable() or character in kept else "\N{REPLACEMENT CHARACTER}" for character in text
    )
