"""A workflow's own command line: how it is begun and answered, and what it says on the way."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence

from islesnet.errors import in_words, input_error_behind


def command_line(verb: str, about: str | None) -> argparse.ArgumentParser:
    """Make a parser for the command line of a workflow, which adds its own options to it.

    Args:
        verb: name of the workflow.
        about: its help, shown with the line breaks it has.
    """
    return argparse.ArgumentParser(verb, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def answer(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    words: Sequence[str] | None = None,
    goes_on: bool = True,
) -> int:
    """Do what a command line asks for, and say an error that the user can mend in one sentence, without a traceback.

    Where it is stopped, by Ctrl-C or a request to end, the commands that it runs are ended too.

    Args:
        parser: of the command line.
        work: takes the parsed arguments and returns the exit code.
        words: the command line; None takes that of this process.
        goes_on: whether the same command, given again, goes on where it was stopped, or begins anew; the user is told.

    Returns:
        The exit code.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work(parser.parse_args(words))
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{parser.prog}: stopped; the same command {'goes on from there' if goes_on else 'begins anew'}\n"
        )
        return 130
    except Exception as error:
        cause = input_error_behind(error)
        if cause is None:
            raise
        sys.stderr.write(f"{parser.prog}: {in_words(cause)}\n")
        return 1


def say_step(title: str) -> None:
    """Print the title of the step that begins."""
    print(f"\n== {title}", flush=True)


def say_failures(verb: str, failures: Sequence[str]) -> None:
    """List the parts of a resumable workflow that failed; say nothing where none did."""
    if failures:
        sys.stderr.write(f"{verb}: some parts failed; the same command tries them again.\n")
        sys.stderr.write("\n".join(failures) + "\n")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
