"""The systems that are compared: which recipe trains each, with which choices, and for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from islesnet.errors import InputError
from islesnet.networks.pretrained import IMAGENET_URL


@dataclass(frozen=True)
class System:
    """A network and the way it is trained.

    Args:
        name: as tables and folders call it.
        recipe: of the bundle: ``recipes/training<_recipe>.yaml`` and ``evaluate<_recipe>.yaml``; "" is the default's.
        choices: what differs from the recipe in training and in use.
        in_training: what differs from the recipe in training alone.
        at_2_mm: the choices for voxels of 2 mm, an eighth of those of 1 mm.
        patch_at_2_mm: voxels of a training slab there.
    """

    name: str
    recipe: str = ""
    choices: Mapping[str, object] = field(default_factory=dict)
    in_training: Mapping[str, object] = field(default_factory=dict)
    at_2_mm: Mapping[str, object] = field(default_factory=lambda: {"spacing": [2.0, 2.0, 2.0]})
    patch_at_2_mm: tuple[int, int, int] = (96, 96, 4)

    @property
    def training_recipe(self) -> str:
        """The args file that trains it."""
        return f"recipes/training{self._suffix}.yaml"

    def evaluation_recipe(self, grid: str = "native", is_ensemble: bool = False) -> str:
        """The args file that scores it, or an ensemble of it, on the native grid or the network's."""
        ending = ("_ensemble" if is_ensemble else "") + ("_network_grid" if grid == "network" else "")
        return f"recipes/evaluate{self._suffix}{ending}.yaml"

    @property
    def _suffix(self) -> str:
        return f"_{self.recipe}" if self.recipe else ""

    def small(self) -> "System":
        """Give the same system for voxels of 2 mm."""
        return self.with_choices(self.at_2_mm).trained_with({"patch": list(self.patch_at_2_mm)})

    def with_choices(self, choices: Mapping[str, object]) -> "System":
        """Change choices of training and use."""
        return replace(self, choices={**self.choices, **choices})

    def trained_with(self, choices: Mapping[str, object]) -> "System":
        """Change choices of training alone."""
        return replace(self, in_training={**self.in_training, **choices})


# 128 pixels over the 230 mm of SISS, as the paper has it; the slices as they come.
_PAPER_AT_2_MM: Mapping[str, object] = {"spacing": [1.8, 1.8, 2.0]}
_PAPER_PATCH = (128, 128, 4)
_PAPER = {
    f"paper_{sequence}": System(
        f"paper_{sequence}", "paper", choices={"sequence": sequence}, at_2_mm=_PAPER_AT_2_MM, patch_at_2_mm=_PAPER_PATCH
    )
    for sequence in ("dwi", "t1", "t2", "flair")
}
SYSTEMS: Mapping[str, System] = {
    "default": System("default"),
    **_PAPER,
    "paper_all": System("paper_all", "paper_all", at_2_mm=_PAPER_AT_2_MM, patch_at_2_mm=_PAPER_PATCH),
    "plain_unet": System("plain_unet", "plain_unet"),
    "volumetric": System(
        "volumetric",
        "volumetric",
        at_2_mm={"spacing": [2.0, 2.0, 2.0], "window": [96, 96, 48]},
        patch_at_2_mm=(64, 64, 32),
    ),
}
PAPER_SYSTEMS = (*_PAPER, "paper_all")
RANDOM_ENCODER = "RANDOM ENCODER"  # stamped where the paper's recipe lacks its ImageNet weights


def systems_named(names: Sequence[str]) -> list[System]:
    """Look systems up.

    Raises:
        InputError: for a name that is unknown or given twice.
    """
    for name in names:
        if name not in SYSTEMS:
            raise InputError(f"there is no system {name!r}; there are {', '.join(SYSTEMS)}")
        if list(names).count(name) > 1:
            raise InputError(f"the system {name!r} is given twice")
    return [SYSTEMS[name] for name in names]


def encoder_weights(asked: str, data: str) -> str | bool:
    """Say what the paper's encoder starts from: "imagenet", a file, or False for random weights.

    Phantoms show the way on any machine, without a network: with them, "imagenet" is used where it was downloaded
    before, and random weights elsewhere. On real data a missing download stays an error.

    Args:
        asked: "imagenet", "none" or a file.
        data: "phantom", or a folder.
    """
    if asked not in ("imagenet", "none"):
        return str(Path(asked).absolute())
    downloaded = Path(torch.hub.get_dir()) / "checkpoints" / Path(IMAGENET_URL).name
    return "imagenet" if asked == "imagenet" and (data != "phantom" or downloaded.is_file()) else False


def start_encoders(systems: Sequence[System], weights: str | bool, training: str = "frozen") -> list[System]:
    """Let the paper's systems start from these encoder weights; the others keep their recipe's own."""
    choices = {"pretrained": weights, "encoder_training": training}
    return [system.trained_with(choices) if system.name in PAPER_SYSTEMS else system for system in systems]


def say_encoders(
    systems: Sequence[System], weights: str | bool, training: str = "frozen"
) -> tuple[str, tuple[str, ...]]:
    """Say how the paper's recipe was started, and which stamps that makes; nothing where no paper's system is there."""
    if not any(system.name in PAPER_SYSTEMS for system in systems):
        return "", ()
    origin = "from random weights, not ImageNet's (--pretrained FILE)" if weights is False else f"from {weights}"
    said = f"The paper's recipe here: encoder {training}, {origin}; momentum 0.9 (the paper's 9 diverges)."
    return said, ((RANDOM_ENCODER,) if weights is False else ())


@dataclass(frozen=True)
class Pace:
    """How long every system is trained: in the same number of steps, of the same number of slices.

    Args:
        epochs: how many.
        steps_per_epoch: about how many; where the patients do not come out even a few more or less, but the same for
            every system.
        patients_per_step: each gives one slab.
    """

    epochs: int
    steps_per_epoch: int
    patients_per_step: int = 4

    def choices(self, patients: int) -> dict[str, object]:
        """Say it in the bundle's terms, for so many training patients."""
        visits = max(1, round(self.steps_per_epoch * self.patients_per_step / patients))
        return {
            "epochs": self.epochs,
            "visits": visits,
            "batch_patients": self.patients_per_step,
            "slabs_per_patient": 1,
            "warmup_epochs": max(1, self.epochs // 10),
            "val_interval": max(1, self.epochs // 2),
        }
