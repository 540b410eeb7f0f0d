"""The bundle's parts in this process: a recipe's config, a network with its weights, preprocessing done in parallel."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader
from monai.data.meta_tensor import MetaTensor
from rich.progress import track

from islesnet.networks.weight_files import read_state_dict
from islesnet.processes import one_thread, usable_cores
from islesnet.quiet import leave_out_decoder_warnings
from islesnet.sequences import SEQUENCES
from workflows.commands import BUNDLE


def open_recipe(recipe: str, choices: Mapping[str, object]) -> ConfigParser:
    """Read the config files of a recipe, with other choices of its keys.

    Args:
        recipe: an args file of the bundle, e.g. ``recipes/training.yaml``.
        choices: values by key, as a command line would give them.
    """
    arguments = ConfigParser.load_config_file(BUNDLE / recipe)
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / file) for file in arguments.pop("config_file")])
    for ours in ("meta_file", "logging_file"):
        arguments.pop(ours, None)
    given = {key: str(value) if isinstance(value, Path) else value for key, value in choices.items()}
    leave_out_decoder_warnings()
    parser.update({"bundle_root": str(BUNDLE), **arguments, **given})
    return parser


class TrainedNetwork:
    """A recipe's network with its weights, asked with any of a patient's sequences.

    Args:
        recipe: an args file of the bundle.
        weights: of the recipe's network.
        choices: other values of the config's keys.
    """

    def __init__(self, recipe: str, weights: Path, choices: Mapping[str, object]) -> None:
        self._parser = open_recipe(recipe, {"checkpoint": weights, **choices})
        self._network = self.part("network").eval()
        self._network.load_state_dict(read_state_dict(weights, "weights"))
        self._inferer = self.part("inferer")
        self._device: torch.device = self.part("device")
        self._is_mixed_precision: bool = self.part("amp")

    def part(self, key: str) -> Any:
        """Give the object or value that a key of the recipe's config describes."""
        return self._parser.get_parsed_content(key)

    def logits(self, image: MetaTensor, subset: Sequence[str]) -> torch.Tensor:
        """Infer with a subset of the sequences; the others are zeros, as the preprocessing makes absent ones.

        On the recipe's device and in its precision, as the bundle does; the logits come back to the CPU.

        Shapes:
            ``(sequences, X, Y, Z)`` -> ``(channels, X, Y, Z)`` float32.
        """
        is_shown = torch.tensor([sequence in subset for sequence in SEQUENCES])
        shown = (image * is_shown.view(-1, 1, 1, 1)).as_tensor()[None].to(self._device)
        with torch.inference_mode(), torch.autocast(self._device.type, enabled=self._is_mixed_precision):
            logits: torch.Tensor = self._inferer(shown, self._network)[0]
        return logits.float().cpu()


def recipe_checksum(*recipes: str) -> str:
    """Give the SHA-256 of the recipes' merged configs, which tells a run with changed configs from an earlier one."""
    merged = [open_recipe(recipe, {"bundle_root": ""}).get() for recipe in recipes]
    return hashlib.sha256(json.dumps(merged, sort_keys=True, default=str).encode()).hexdigest()


def fill_cache(recipe: str, choices: Mapping[str, object]) -> None:
    """Preprocess a training's patients before it begins, on all cores; those in the cache already are only read."""
    parser = open_recipe(recipe, choices)
    with one_thread():  # in this process and its workers: one patient a core
        for section in ("train", "validate"):
            dataset = parser.get_parsed_content(f"{section}::dataset")
            loader = DataLoader(dataset, batch_size=None, num_workers=usable_cores(), collate_fn=_nothing)
            for _ in track(loader, f"Patients of {section}", total=len(dataset)):
                pass


def _nothing(item: object) -> int:
    """Send nothing back from a worker: what it made is in the cache."""
    return 0
