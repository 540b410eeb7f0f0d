"""The errors that are the user's to mend, and how a process says them without a traceback."""

import sys
from collections.abc import Collection
from types import TracebackType


class InputError(ValueError):
    """What was given cannot be used; the message names the patient, the file, the numbers and what would be right."""


class FailedPatientsError(InputError):
    """Some of a cohort's patients failed; the others are done.

    Args:
        told: how many of how many, and patient by patient why.
        patients: who failed.
        is_stopped: the run ended before all patients were reached.
    """

    def __init__(self, told: str, patients: Collection[str] = (), is_stopped: bool = False) -> None:
        super().__init__(told)
        self.patients = frozenset(patients)
        self.is_stopped = is_stopped


def require_switch(value: object, name: str) -> bool:
    """Take True or False; refuse the text "false", which a command line hands on and Python takes for true.

    Raises:
        InputError: naming the switch and what to write.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}; write --{name} True or --{name} False, with a capital.")
    return value


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
            sys.stderr.write(f"islesnet: {in_words(cause)}\n")

    sys.excepthook = hook


def input_error_behind(error: BaseException | None) -> InputError | OSError | None:
    """Find what is the user's to mend behind a chain of exceptions.

    That is the first InputError that the chain was raised from or met, or else the first refusal of a named file by
    the operating system that it was raised from; one that was merely met, and handled, is a matter of its own.
    """
    link, refused = error, None
    is_raised_from = True
    while link is not None:
        if isinstance(link, InputError):
            return link
        if is_raised_from and refused is None and isinstance(link, OSError) and link.filename is not None:
            refused = link
        is_raised_from = is_raised_from and link.__cause__ is not None
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return refused


def in_words(cause: InputError | OSError) -> str:
    """Say what is the user's to mend; of what the operating system refused, the file and why."""
    if isinstance(cause, OSError) and cause.filename is not None and cause.strerror:
        return f"{cause.filename}: {cause.strerror.lower()}"
    return str(cause)
