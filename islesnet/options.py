"""Options of `python -m monai.bundle run`: MONAI takes a misspelt name in silence, and goes on without it."""

import difflib
import inspect
import sys
from collections.abc import Mapping, Sequence

from monai.bundle import ConfigParser
from monai.bundle.scripts import run

from islesnet.errors import InputError

# What MONAI's experiment tracking may be told, besides.
_OF_TRACKING = ("tracking_uri", "experiment_name", "run_name", "execute_config", "save_execute_config")


def refuse_misspelt_options(words: Sequence[str] | None = None) -> None:
    """Refuse an option on the command line that neither MONAI nor any of the stacked configs knows.

    Args:
        words: of the command line; this process's where None. One that is not of `monai.bundle run` is not looked at.

    Raises:
        InputError: naming the option, and what may have been meant.
    """
    words = sys.argv[1:] if words is None else words
    given = _options(words) if words and words[0] == "run" else {}
    if not {"config_file", "args_file"} & given.keys():
        return
    known = set(inspect.signature(run).parameters) | _names_in_configs(given)
    if "tracking" in given:
        known |= set(_OF_TRACKING)
    for name in given:
        if (own := _first_part(name)) not in known:
            close = difflib.get_close_matches(own, known, n=1)
            hint = f"; did you mean --{close[0]}?" if close else ", and no config has a line of that name"
            raise InputError(f"there is no option --{name}{hint}")


def _options(words: Sequence[str]) -> dict[str, str]:
    """Read ``--name value`` and ``--name=value`` as MONAI's command line does."""
    options = {}
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options[name.replace("-", "_")] = value if equals else after
    return options


def _names_in_configs(given: Mapping[str, str]) -> set[str]:
    """Return the names of all lines of the configs that a command stacks."""
    arguments = ConfigParser.load_config_file(given["args_file"]) if given.get("args_file") else {}
    files = given.get("config_file") or arguments.get("config_file", [])
    if isinstance(files, str):
        files = [file.strip(" '\"") for file in files.strip("[]").split(",")]
    return set(arguments) | {_first_part(str(name)) for file in files for name in ConfigParser.load_config_file(file)}


def _first_part(name: str) -> str:
    """Leave off what stands before a name ("+": appended) and the names within it ("::", or "#")."""
    return name.lstrip("+~").replace("#", "::").partition("::")[0]
