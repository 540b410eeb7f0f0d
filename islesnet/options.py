"""Options of `python -m monai.bundle run`, read as MONAI reads them; a misspelt one, which MONAI takes in silence."""

import difflib
import inspect
import sys
from collections.abc import Sequence
from typing import Any

from monai.bundle import ConfigParser, update_kwargs
from monai.bundle.scripts import run
from monai.utils import ensure_tuple

from islesnet.errors import InputError

# What MONAI's experiment tracking may be told, besides.
_OF_TRACKING = ("tracking_uri", "experiment_name", "run_name", "execute_config", "save_execute_config")


def arguments_of_run(words: Sequence[str]) -> dict[str, Any]:
    """Read what `monai.bundle run` is told, by place, by name and in its args file, with the values that MONAI sees.

    Args:
        words: of the command line, after "run".
    """
    import fire  # type: ignore[import-untyped]  # which MONAI's command line is built on

    given: dict[str, Any] = {}

    # The arguments of monai.bundle.run, which may be given by place as well as by name.
    def take(
        run_id: Any = None,
        init_id: Any = None,
        final_id: Any = None,
        meta_file: Any = None,
        config_file: Any = None,
        logging_file: Any = None,
        tracking: Any = None,
        args_file: Any = None,
        **override: Any,
    ) -> None:
        named = {"run_id": run_id, "init_id": init_id, "final_id": final_id, "meta_file": meta_file}
        named |= {"config_file": config_file, "logging_file": logging_file, "tracking": tracking}
        given.update(update_kwargs(args=args_file, **named, **override))

    fire.Fire(take, command=list(words))
    return given


def refuse_misspelt_options(words: Sequence[str] | None = None) -> None:
    """Refuse an option that neither MONAI nor any of the stacked configs knows, on the command line or in an args file.

    Args:
        words: of the command line; this process's where None. One that is not of `monai.bundle run` is not looked at.

    Raises:
        InputError: naming the option, and what may have been meant.
    """
    words = sys.argv[1:] if words is None else words
    given = arguments_of_run(words[1:]) if words and words[0] == "run" else {}
    if "config_file" not in given:
        return
    configs = (ConfigParser.load_config_file(file) for file in ensure_tuple(given["config_file"]))
    known = {*inspect.signature(run).parameters, *(_first_part(name) for config in configs for name in config)}
    if "tracking" in given:
        known |= set(_OF_TRACKING)
    for name in given:
        if (own := _first_part(name)) not in known:
            close = difflib.get_close_matches(own, known, n=1)
            hint = f"; did you mean --{close[0]}?" if close else ", and no config has a line of that name"
            raise InputError(f"there is no option --{name}{hint}")


def _first_part(name: str) -> str:
    """Leave off what stands before a name ("+": appended) and the names within it ("::", or "#")."""
    return str(name).lstrip("+~").replace("#", "::").partition("::")[0]
