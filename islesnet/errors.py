"""The errors that are the user's to mend, and how a process says them without a traceback."""

import math
import os
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from string import ascii_lowercase
from types import TracebackType

# A process needs a second or two to end, and torchrun then ends the others at once.
_SECONDS_FOR_THE_FIRST = 5.0


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


def require_paths(options: Mapping[str, object]) -> None:
    """Refuse options that are no text, as a folder of digits or an option with nothing behind it comes to be read.

    An empty text is refused too: it would be the current folder.

    Args:
        options: what was given, by the option's name.

    Raises:
        InputError: naming the option, what was given and what to write.
    """
    for name, value in options.items():
        if not isinstance(value, str | PathLike):
            raise InputError(f"{name} is {value!r}; it must be a path, a name of digits as in --{name} ./2024.")
        if value == "":
            raise InputError(f"{name} is empty (a variable that is not set?); the current folder is --{name} .")


def require_numbers(
    options: Mapping[str, object],
    minimum: float = -math.inf,
    maximum: float = math.inf,
    counts: Sequence[int] = (1,),
    is_whole: bool = False,
) -> None:
    """Refuse options that are no numbers, too few or too many, or out of range.

    Stock classes, given such a value, say what failed in them, not which option of the command line was wrong.

    Args:
        options: what was given, by the option's name; False is 0, as everywhere in Python, but True is no number.
        minimum: of each number.
        maximum: of each number.
        counts: how many numbers may be given; 1 is a number by itself, more are a list.
        is_whole: take whole numbers alone, as for what is counted.

    Raises:
        InputError: naming the option, what was given and what would be right.
    """
    for name, value in options.items():
        plain: object = value.tolist() if hasattr(value, "tolist") else value  # what NumPy or PyTorch holds
        numbers = plain if isinstance(plain, list | tuple) else [plain]
        is_counted = len(numbers) in counts and (numbers is plain) == (len(numbers) > 1)
        if not is_counted or not all(_is_number(number, minimum, maximum, is_whole) for number in numbers):
            kind, span = "whole number" if is_whole else "number", _span(minimum, maximum)
            ways = [
                f"a {kind}{span}" if count == 1 else f'{count} {kind}s{span}, as in --{name} "{_letters(count)}"'
                for count in dict.fromkeys(counts)
            ]
            raise InputError(f"{name} is {value!r}; it must be {' or '.join(ways)}.")


def say_errors_plainly() -> None:
    """Let this process end with the message alone where an InputError, however deeply wrapped, stopped it.

    `python -m monai.bundle run` wraps whatever a config raises. The bundle calls this in its `initialize`
    section; code that merely imports islesnet keeps Python's own behaviour.

    Of several processes that torchrun started, all but the first wait a little: what stops them all is said once, as
    torchrun ends them meanwhile. One that nobody ends says it too.
    """
    unchanged = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        cause = input_error_behind(error)
        if cause is None:
            unchanged(kind, error, traceback)
        else:
            if _is_follower():
                time.sleep(_SECONDS_FOR_THE_FIRST)
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


def _is_follower() -> bool:
    """Tell whether this is one of several processes, and not the first; a RANK that was merely left set is none."""
    is_one_of_several = "TORCHELASTIC_RUN_ID" in os.environ or os.environ.get("WORLD_SIZE", "1") != "1"
    return is_one_of_several and os.environ.get("RANK", "0") != "0"


def _is_number(value: object, minimum: float, maximum: float, is_whole: bool) -> bool:
    if value is True or not isinstance(value, Integral if is_whole else Real):
        return False
    return minimum <= float(value) <= maximum


def _span(minimum: float, maximum: float) -> str:
    if minimum == -math.inf:
        return "" if maximum == math.inf else f" of {maximum:g} or less"
    return f" of {minimum:g} or more" if maximum == math.inf else f" from {minimum:g} to {maximum:g}"


def _letters(count: int) -> str:
    return f"[{', '.join(ascii_lowercase[:count])}]"
