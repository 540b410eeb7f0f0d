"""Where results come from: versions, machine, settings and files, written beside them."""

import json
import platform
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

import islesnet
from islesnet.files import read_json_object, sha256_of, whole_file
from islesnet.networks import has_fast_bfloat16
from islesnet.options import arguments_of_run
from islesnet.processes import usable_cores

PACKAGES = ("torch", "monai", "pytorch-ignite", "numpy", "scipy", "pandas", "nibabel", "SimpleITK")
_OF_COMMAND = ("started", "duration_s", "finished", "command", "versions", "machine", "device")
# What `python -m monai.bundle run` takes besides the values that override the config.
_NOT_CONFIG = ("run_id", "init_id", "final_id", "meta_file", "config_file", "logging_file", "tracking", "workflow_name")


def write_provenance(
    folder: Path | str,
    *,
    began: float,
    config: Mapping[str, Any] | None = None,
    seeds: Mapping[str, int] | int | None = None,
    split: Mapping[str, Sequence[str]] | None = None,
    weights: Iterable[Path | str] = (),
    start_from: Mapping[str, str | None] | None = None,
    datalist: Path | str | Sequence[Path] | None = None,
    stamps: Sequence[str] = (),
    device: str | None = None,
    finished: bool = True,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write ``provenance.json``: what has to be known to get the same results again, and to trust them.

    Neither environment variables nor the user's or the machine's name are written; the home folder stands as ~.

    Args:
        folder: where the results are.
        began: when the run began, as `time.time` gave it.
        config: the settings as they were run, e.g. of `config_as_run`.
        seeds: of the random numbers.
        split: section or fold -> patients.
        weights: files of networks, used or made; one that does not exist (yet) has no checksum.
        start_from: the weights that a training began with, as `file_record` gave them then.
        datalist: the file that names the patients, or one for each fold.
        stamps: words in capitals that keep the run from being mistaken.
        device: that the network ran on.
        finished: False at the start of a run; where it stays, the run was cut short.
        earlier: the commands that this one goes on from, as `commands_in` gives them.
    """
    content = {
        "finished": finished,
        "stamps": list(stamps),
        "started": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        "duration_s": round(time.time() - began, 1),
        "command": shlex.join(sys.orig_argv),
        "versions": _versions(),
        "machine": _machine(),
        "seeds": seeds,
        "weights": [file_record(path) for path in weights],
        "start_from": start_from,
        "device": device,
        "datalist": _datalists(datalist),
        "split": split,
        "config": config,
        "earlier": list(earlier),
    }
    path = Path(folder) / "provenance.json"
    with whole_file(path) as part:
        part.write_text(_without_home(json.dumps(content, indent=2, default=str)) + "\n", encoding="utf-8")
    return path


def commands_in(folder: Path | str) -> list[dict[str, Any]]:
    """Give the commands that made the results in a folder, oldest first: when, for how long, on what.

    There are several where a run was resumed, and none where the folder's ``provenance.json`` is absent or unreadable.
    """
    content = read_json_object(Path(folder) / "provenance.json")
    if not content:
        return []
    return [*content.get("earlier", ()), {name: content.get(name) for name in _OF_COMMAND}]


def file_record(path: Path | str) -> dict[str, str | None]:
    """Give a file as ``provenance.json`` names one: its path and its SHA-256, which is None where it does not exist."""
    return {"file": str(path), "sha256": sha256_of(Path(path)) if Path(path).is_file() else None}


def config_as_run(argv: Sequence[str]) -> dict[str, Any] | None:
    """Read the command line of `python -m monai.bundle run` again, and merge its configs and overrides as MONAI does.

    Args:
        argv: as `sys.argv`; relative paths are those of the current folder.

    Returns:
        the config with its references and expressions unresolved, as a user would write it; None for another command.
    """
    words = list(argv)
    if Path(words[0] if words else "").parts[-3:] != ("monai", "bundle", "__main__.py") or words[1:2] != ["run"]:
        return None
    arguments = arguments_of_run(words[2:])
    parser = ConfigParser()
    parser.read_config(arguments["config_file"])
    parser.update({name: value for name, value in arguments.items() if name not in _NOT_CONFIG})
    return {name: value for name, value in parser.get().items() if name != ConfigParser.meta_key}


def _versions() -> dict[str, str | None]:
    return {
        "islesnet": islesnet.__version__,
        **_commit(),
        "python": platform.python_version(),
        **{name: _version_of(name) for name in PACKAGES},
    }


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> dict[str, str]:
    """Name the commit of a checkout, and whether it was changed since; nothing for an installed package."""
    root = Path(islesnet.__file__).resolve().parent.parent
    top, _, commit = _git(root, "rev-parse", "--show-toplevel", "HEAD").partition("\n")
    if not commit or Path(top) != root:  # an environment may lie in the repository of something else
        return {}
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit + (", with changes" if changed else "")}


def _git(folder: Path, *words: str) -> str:
    try:
        ended = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "devices": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "fast_bfloat16": has_fast_bfloat16(),
    }


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.is_file():
        models = re.findall(r"^model name\s*:\s*(.+)$", told.read_text(errors="replace"), re.MULTILINE)
        if models:
            return models[0]
    return platform.processor() or platform.machine()


def _datalists(datalist: Path | str | Sequence[Path] | None) -> object:
    if datalist is None or isinstance(datalist, str | Path):
        return None if datalist is None else file_record(datalist)
    return [file_record(path) for path in datalist]


def _without_home(text: str) -> str:
    home = json.dumps(str(Path.home()))[1:-1]
    return text if home == "/" else re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
