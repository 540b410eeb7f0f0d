"""A tiny data set, and the bundle's recipes opened as a user's command line opens them."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from monai.bundle import ConfigWorkflow

from islesnet.data import find_cases, lesion_volume_ml, split_cases, write_datalist
from islesnet.phantom import PhantomSettings, write_dataset

BUNDLE = Path(__file__).parent.parent.parent / "bundle"
# 6 mm voxels and slabs of 32 x 32 x 4: an epoch takes a second.
TINY = {"spacing": [6.0, 6.0, 6.0], "patch": [32, 32, 4], "visits": 1, "cpu_bfloat16": False, "num_workers": 0}


def recipe_files(recipe: str) -> dict[str, Any]:
    return yaml.safe_load((BUNDLE / "recipes" / f"{recipe}.yaml").read_text())


def open_recipe(recipe: str, workflow_type: str, **overrides: Any) -> ConfigWorkflow:
    arguments = recipe_files(recipe)
    files = [str(BUNDLE / file) for file in arguments.pop("config_file")]
    places = {name: str(BUNDLE / arguments.pop(name)) for name in ("meta_file", "logging_file")}
    settings = arguments | {"bundle_root": str(BUNDLE)} | overrides
    return ConfigWorkflow(config_file=files, workflow_type=workflow_type, **places, **settings)


def run_bundle(
    verb: str, recipe: str, launcher: Sequence[str] = (), seconds: float = 280, **overrides: Any
) -> subprocess.CompletedProcess:
    """Run a recipe as its users do, in a process of its own, which has so many seconds."""
    return subprocess.run(
        bundle_command(verb, recipe, launcher, **overrides), cwd=BUNDLE, capture_output=True, text=True, timeout=seconds
    )


def bundle_command(verb: str, recipe: str, launcher: Sequence[str] = (), **overrides: Any) -> list[str]:
    settings = [word for name, value in overrides.items() for word in (f"--{name}", str(value))]
    start = list(launcher) or [sys.executable]
    return [*start, "-m", "monai.bundle", "run", verb, "--args_file", f"recipes/{recipe}.yaml", *settings]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siss")
    write_dataset(folder, 6, seed=3, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    cases = find_cases(folder)
    volumes = {case.patient: lesion_volume_ml(case) for case in cases}
    sections = split_cases(cases, (0.5, 0.3, 0.2), volumes_ml=volumes)
    write_datalist(folder / "datalist.json", sections, folder, {"seed": 0})
    return folder


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Random weights: whatever is tested with them does not depend on what was learnt."""
    torch.manual_seed(0)
    network = open_recipe("inference", "inference", spacing=TINY["spacing"]).parser.get_parsed_content("network_def")
    path = tmp_path_factory.mktemp("models") / "model.pt"
    with torch.no_grad():
        network.network.head.bias.zero_()
        network.network.head.weight *= 50  # probabilities from nearly 0 to nearly 1, not all about a half
    torch.save(network.state_dict(), path)
    return path
