"""The systems that are compared: which recipe trains each, with which choices, and for how long."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from islesnet.errors import InputError
from islesnet.networks import ResNet50Encoder, load_pretrained_encoder
from islesnet.networks.weight_files import checksum_of, require_intact
from islesnet.sequences import SEQUENCES
from workflows.bundle_config import open_recipe
from workflows.commands import BUNDLE


@dataclass(frozen=True)
class System:
    """A network and the way it is trained.

    Args:
        name: in tables and of folders.
        recipe: of the bundle: ``recipes/training<_recipe>.yaml`` and ``evaluate<_recipe>.yaml``; "" is the default's.
        choices: what differs from the recipe in training and in use.
        in_training: what differs from the recipe in training alone.
        at_2_mm: choices for a grid of 2 mm, which has an eighth of the voxels of one of 1 mm.
        patch_at_2_mm: voxels of a training slab on that grid.
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

    def evaluation_recipe(self, grid: str = "native") -> str:
        """The args file that scores it, on the native grid or the network's."""
        return f"recipes/evaluate{self._suffix}{'_network_grid' if grid == 'network' else ''}.yaml"

    @property
    def ensemble_recipe(self) -> str:
        """The args file that scores an ensemble of it, on the native grid."""
        return f"recipes/evaluate{self._suffix}_ensemble.yaml"

    @property
    def _suffix(self) -> str:
        return f"_{self.recipe}" if self.recipe else ""

    @property
    def patch(self) -> tuple[int, ...]:
        """Voxels of a training slab, where a choice sets them."""
        return tuple(self.in_training.get("patch", ()))  # type: ignore[arg-type]

    @property
    def spacing(self) -> tuple[float, ...]:
        """Voxel size in mm, where a choice sets it."""
        return tuple(self.choices.get("spacing", ()))  # type: ignore[arg-type]

    def small(self) -> "System":
        """Give the same system for voxels of 2 mm."""
        return self.with_choices(self.at_2_mm).trained_with({"patch": list(self.patch_at_2_mm)})

    def with_choices(self, choices: Mapping[str, object]) -> "System":
        """Change choices of training and use."""
        return replace(self, choices={**self.choices, **choices})

    def trained_with(self, choices: Mapping[str, object]) -> "System":
        """Change choices of training alone."""
        return replace(self, in_training={**self.in_training, **choices})

    def on_slices_of(self, thickness_mm: float) -> "System":
        """Give the same system on a grid of the patients' slice thickness, so that slices stay as they are."""
        x, y, _ = self.spacing or open_recipe(self.training_recipe, {}).get("spacing")
        return self.with_choices({"spacing": [x, y, thickness_mm]})


FINE_TUNED = "fine_tuned"
SHIPPED_WEIGHTS = "models/model.pt"  # in the bundle's folder
# 128 pixels over the 230 mm of SISS, as the paper has it; the slices as they come.
_PAPER_AT_2_MM: Mapping[str, object] = {"spacing": [1.8, 1.8, 2.0]}
_PAPER_PATCH = (128, 128, 4)
_PAPER = {
    f"paper_{sequence}": System(
        f"paper_{sequence}", "paper", choices={"sequence": sequence}, at_2_mm=_PAPER_AT_2_MM, patch_at_2_mm=_PAPER_PATCH
    )
    for sequence in SEQUENCES
}
SYSTEMS: Mapping[str, System] = {
    "default": System("default"),
    FINE_TUNED: System(FINE_TUNED, in_training={"start_from": SHIPPED_WEIGHTS}),
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
    """Look systems up: ours, and those that a user has added to the bundle as recipes of their own.

    Raises:
        InputError: for a name that is unknown or given twice.
    """
    for name in names:
        if list(names).count(name) > 1:
            raise InputError(f"the system {name!r} is given twice")
    return [SYSTEMS[name] if name in SYSTEMS else _own_system(name) for name in names]


def require_ensemble_recipe(system: System) -> None:
    """Refuse a system whose ensemble nothing can score, before its networks are trained for days.

    Raises:
        InputError: naming the recipe that is missing.
    """
    recipe = system.ensemble_recipe
    if not (BUNDLE / recipe).is_file():
        raise InputError(f"with --holdout the ensemble of {system.name!r} is scored, which needs {recipe}")


def add_pretrained(parser: ArgumentParser) -> None:
    """Add the option that says what encoders start from."""
    parser.add_argument(
        "--pretrained", help='ResNet50 weights: imagenet (default on people), a file, or "none" (default on phantoms)'
    )


def encoder_weights(asked: str | None, data: str, systems: Sequence[str]) -> str | bool:
    """Choose what the encoders of the ResNet50s start from: "imagenet", a file, or False for random weights.

    Args:
        asked: "imagenet", "none", a file, or None. None takes ImageNet's for people and random ones for phantoms, so
            that a run on phantoms downloads nothing and begins alike on every machine.
        data: "phantom", or a folder.
        systems: their names.

    Raises:
        InputError: for a file that is not there, or where no system would start from what is asked for.
    """
    if asked not in (None, "none") and not set(systems) & {"default", *PAPER_SYSTEMS}:
        raise InputError(f"--pretrained {asked}: none of the systems has a 2D ResNet50 that could start from it")
    if asked is None:
        asked = "none" if data == "phantom" else "imagenet"
    if asked in ("imagenet", "none"):
        return "imagenet" if asked == "imagenet" else False
    if not Path(asked).is_file():
        raise InputError(f"--pretrained {asked}: there is no such file; a file, imagenet or none is expected")
    return str(Path(asked).absolute())


def start_encoders(systems: Sequence[System], weights: str | bool, training: str = "frozen") -> list[System]:
    """Let the encoder of every 2D ResNet50 start from these weights; the paper's is then trained in the way given.

    The plain U-Net and the 3D network begin with random weights: for 3D they would have to be MedicalNet's.

    Raises:
        InputError: for weights that do not fit a ResNet50 or cannot be downloaded, and where the fine-tuned system has
            no shipped weights to start from. It is raised here so that nobody learns of it after hours of training.
    """
    if any(system.name == FINE_TUNED for system in systems):
        _require_shipped_weights()
    if weights and any(system.name in ("default", *PAPER_SYSTEMS) for system in systems):
        load_pretrained_encoder(ResNet50Encoder(), weights)
    start = {"default": {"pretrained": weights}}
    start |= {name: {"pretrained": weights, "encoder_training": training} for name in PAPER_SYSTEMS}
    return [system.trained_with(start.get(system.name, {})) for system in systems]


def say_encoders(
    systems: Sequence[System], weights: str | bool, training: str = "frozen"
) -> tuple[str, tuple[str, ...]]:
    """Say what the ResNet50s started from, and give the stamps of a paper's recipe without its ImageNet weights."""
    names = [system.name for system in systems]
    origin = "from random weights, not ImageNet's (--pretrained imagenet)" if weights is False else f"from {weights}"
    said: list[str] = []
    stamps: tuple[str, ...] = ()
    if any(name in PAPER_SYSTEMS for name in names):
        said.append(f"The paper's recipe here: encoder {training}, {origin}; momentum 0.9 (the paper's 9 diverges).")
        stamps = (RANDOM_ENCODER,) if weights is False else ()
    if "default" in names:
        said.append(f"The default's encoder is fine-tuned, {origin}.")
    if FINE_TUNED in names:
        said.append(
            f"{FINE_TUNED} is the default from the shipped weights, trained before on other synthetic patients."
        )
    if "volumetric" in names:
        said.append("The 3D network starts from random weights.")
    return " ".join(said), stamps


@dataclass(frozen=True)
class Pace:
    """How long every system is trained: all in as many steps, of as many slices.

    Args:
        epochs: how many.
        steps_per_epoch: about how many. Where the patients cannot be divided evenly it is a few more or less, but the
            same number for every system.
        patients_per_step: how many, each with one slab.
    """

    epochs: int
    steps_per_epoch: int
    patients_per_step: int = 4

    def choices(self, patients: int) -> dict[str, object]:
        """Translate the pace into choices of the bundle, for so many training patients."""
        visits = max(1, round(self.steps_per_epoch * self.patients_per_step / patients))
        return {
            "epochs": self.epochs,
            "visits": visits,
            "batch_patients": self.patients_per_step,
            "slabs_per_patient": 1,
            **shares_of(self.epochs),
            "val_interval": max(1, self.epochs // 2),
        }


def shares_of(epochs: int) -> dict[str, object]:
    """Divide the epochs of a training.

    The learning rate rises in the first tenth; a staged encoder is frozen in the first third, at most 10 epochs as in
    the recipe, and not at all where there is one epoch alone.
    """
    frozen = max(1, epochs // 3) if epochs > 1 else 0
    return {"warmup_epochs": max(1, epochs // 10), "frozen_epochs": min(10, frozen)}


def say_pace(pace: Pace, systems: Sequence[System]) -> str:
    """Say how many steps a short training had, and of which slabs each system's steps were."""
    by_slab: dict[str, list[str]] = {}
    for system in systems:
        slab = f"{' x '.join(map(str, system.patch))} voxels of {' x '.join(map(str, system.spacing))} mm"
        by_slab.setdefault(slab, []).append(system.name)
    said = [f"{', '.join(names)}: {slab}" for slab, names in by_slab.items()] if len(by_slab) > 1 else list(by_slab)
    return (
        f"Every system was trained in {pace.epochs} epochs of about {pace.steps_per_epoch} steps of "
        f"{pace.patients_per_step} slabs ({'; '.join(said)}), by its own recipe."
    )


def _own_system(name: str) -> System:
    system = System(name, recipe=name)
    recipes = (system.training_recipe, system.evaluation_recipe())
    missing = [recipe for recipe in recipes if not (BUNDLE / recipe).is_file()]
    if missing or name in ("", *(known.recipe for known in SYSTEMS.values())):
        needed = missing[0] if missing else "a name of its own"
        raise InputError(
            f"there is no system {name!r}; there are {', '.join(SYSTEMS)}, and one of your own needs {needed}"
        )
    return system


def _require_shipped_weights() -> None:
    """Refuse other weights in place of the shipped ones: they may have been trained on the patients to be tested."""
    shipped = BUNDLE / SHIPPED_WEIGHTS
    checksum = checksum_of(shipped)
    if not (shipped.is_file() and checksum.is_file()):
        raise InputError(
            f"the system {FINE_TUNED!r} starts from the shipped weights, but {shipped} with its {checksum.name} is not "
            f"there; where a training has set both aside, in {shipped.parent / 'earlier_1'}, move them back"
        )
    require_intact(shipped)
