"""The `islesnet` command itself: how it starts, what all its commands share, how it ends."""

import logging
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

import islesnet
from islesnet.errors import InputError, in_words, input_error_behind


class _Commands(TyperGroup):
    """The commands, of which none takes an empty argument: a path of no name would be the current folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # whose context it is depends on typer's version
        """Take what was typed, for whichever command."""
        _require_no_empty(args)
        return super().parse_args(ctx, args)


# What a command needs is imported inside it: `islesnet --help` loads neither torch, MONAI nor numpy.
app = typer.Typer(
    cls=_Commands,
    help="Segment ischemic stroke lesions on DWI, T1, T2 and FLAIR. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(markup=False)  # a patient may be called "[/b]"
messages = Console(stderr=True, markup=False)
OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")]


def main() -> None:
    """Run the command; what is the user's to mend is said in one sentence, without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        messages.print("islesnet: stopped.")
        sys.exit(130)
    except Exception as error:
        cause = input_error_behind(error)
        if cause is None:
            raise
        sys.stderr.write(f"islesnet: {in_words(cause)}\n")
        sys.exit(1)


def _require_no_empty(typed: Sequence[str]) -> None:
    """Refuse an argument with nothing in it, as a shell makes it of a variable that is not set.

    Raises:
        InputError: naming what stands before it.
    """
    ends = typed.index("--") if "--" in typed else len(typed)
    bare = [option for option in typed[:ends] if option.startswith("--") and option.find("=") == len(option) - 1]
    empty = [*bare, *(before for before, argument in pairwise(typed) if not argument)]
    if empty:
        raise InputError(f"what follows {empty[0]} is empty (a variable that is not set?); the current folder is .")


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"islesnet {islesnet.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _islesnet(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("ignite").setLevel(logging.CRITICAL)  # it announces every exception that is handled here
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
