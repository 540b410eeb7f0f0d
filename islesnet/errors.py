"""The one error that is the user's to mend, and how a process says it without a traceback."""

import sys
from types import TracebackType


class InputError(ValueError):
    """What was given cannot be used; the message names the patient, the file, the numbers and what would be right."""


def say_errors_plainly() -> None:
    """Let this process end with the message alone where an InputError, however deeply wrapped, stopped it.

    `python -m monai.bundle run` wraps whatever a config raises. The bundle calls this in its `initialize`
    section; code that merely imports islesnet keeps Python's own behaviour.
    """
    unchanged = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        cause = input_error_behind(error)
        if cause is None:
            unchanged(kind, error, traceback)
        else:
            sys.stderr.write(f"islesnet: {cause}\n")

    sys.excepthook = hook


def input_error_behind(error: BaseException | None) -> InputError | OSError | None:
    """Find the InputError (or the operating system's refusal of a file) that a chain of exceptions began with."""
    while error is not None:
        if isinstance(error, InputError):
            return error
        if isinstance(error, OSError) and error.filename is not None:
            return error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None
