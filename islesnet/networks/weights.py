"""A network's own weights: checked against the network that is to take them, a start for it, joined for an ensemble."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.files import sha256_of
from islesnet.networks.operating_point import OperatingPoint, operating_point_file, read_operating_point
from islesnet.networks.trained_with import (
    SPACING,
    in_mm,
    in_words,
    other_choices,
    spacings_in,
    trained_with,
    trained_with_file,
    way_to_use,
    write_trained_with,
)
from islesnet.networks.weight_files import (
    checksum_of,
    read_state_dict,
    require_intact,
    require_present,
    save_tensors,
)

logger = logging.getLogger(__name__)

MEMBERS = "members."  # how an ensemble's entries begin, followed by the member's number


def require_weights(path: str | PathLike[str], network: nn.Module, choices: Mapping[str, object] | None = None) -> None:
    """Refuse to go on without a network's weights, before any patient is read; log which they are.

    Args:
        path: a file with the network's state dict.
        network: the network that is to take them.
        choices: what it is to be used with, by the option's name: compared with what is said beside the weights.

    Raises:
        InputError: where there is no such file (saying how to come by one), it cannot be read or is damaged, it is not
            the file that the checksum beside it was made of, it holds the weights of another network or another number
            of networks, or they were trained with another choice or on voxels of another size.
    """
    require_present(path)
    require_intact(Path(path))
    weights, own = read_state_dict(path, "weights"), network.state_dict()
    _require_members(weights, own, path)
    for name, trained, wanted in other_choices(trained_with(path, weights), choices or {}):
        raise InputError(
            f"The weights at {path} were trained with {name} {in_words(trained)}, as {trained_with_file(path)} says, "
            f"and are to be used with {in_words(wanted)}. Use them as they were trained: {way_to_use(name, trained)}."
        )
    difference = _difference(weights, own, "the configured network needs")
    if difference:
        raise InputError(
            f"The weights at {path} are of another network: {difference}. Use the settings they were trained with."
        )
    for name, trained, wanted in other_spacings(weights, own):
        member = f"{name.removesuffix(SPACING).rstrip('.')} of the " if name != SPACING else "The "
        raise InputError(
            f"{member}weights at {path} were trained on voxels of {trained} mm, and are to be used on {wanted} mm. "
            f"Use them as they were trained: {way_to_use('spacing', list(trained))}."
        )
    logger.info("Weights: %s%s", path, _origin_of(Path(path)))


def start_from(
    network: nn.Module, path: str | PathLike[str] | Literal[False] | None, choices: Mapping[str, object] | None = None
) -> nn.Module:
    """Let a network begin with the weights of one trained before; what it is trained with differently is warned of.

    Args:
        network: of the same kind.
        path: a file with its state dict, or None or False for no such start.
        choices: of this training, as for `require_weights`.

    Returns:
        the network itself.

    Raises:
        InputError: as `require_weights`, but for choices and the voxels' size.
    """
    if path is None or path is False:
        return network
    if not Path(path).is_file():
        raise InputError(f"start_from: there are no weights at {path}.")
    require_intact(Path(path))
    weights, own = read_state_dict(path, "start_from"), network.state_dict()
    difference = _difference(weights, own, "the configured network needs")
    if difference:
        raise InputError(f"start_from: the weights at {path} are of another network: {difference}.")
    for _, trained, wanted in other_spacings(weights, own):
        logger.warning(
            "start_from: the weights at %s were trained on voxels of %s mm, and this training is on %s mm, where "
            'everything has another size than they learnt. --spacing "%s" trains on theirs.',
            path,
            trained,
            wanted,
            list(trained),
        )
    for name, trained, wanted in other_choices(trained_with(path, weights), choices or {}):
        if name != "spacing" or not other_spacings(weights, own):
            logger.warning(
                "start_from: the weights at %s were trained with %s %s, as %s says, and this training is with %s.",
                path,
                name,
                in_words(trained),
                trained_with_file(path),
                in_words(wanted),
            )
    network.load_state_dict({name: own[name] if name.endswith(SPACING) else weights[name] for name in own})
    return network


def join_weights(paths: Sequence[str | PathLike[str]]) -> dict[str, torch.Tensor]:
    """Put the weights of several networks together as those of one `EnsembleNetwork`.

    Args:
        paths: a file of weights for each member, in order.

    Returns:
        the ensemble's state dict, on the CPU.

    Raises:
        InputError: for no files, a file that cannot be read, or one that differs from the first: of another network,
            trained on voxels of another size or with another choice, or used with the bias corrected where the first is
            not.
    """
    return _join(paths)[0]


def write_ensemble(members: Sequence[str | PathLike[str]], path: str | PathLike[str]) -> None:
    """Write the weights of one `EnsembleNetwork`, and beside them what is said of its members.

    That is what they were trained with, and whether the bias is corrected. Where all members have the same operating
    point, it becomes the ensemble's, unless one was chosen for the same members together before.

    Args:
        members: a file of weights for each, in order.
        path: the file to write.

    Raises:
        InputError: as `join_weights`.
    """
    path = Path(path)
    before = sha256_of(path) if path.is_file() else ""
    joined, known = _join(members)
    save_tensors(joined, path)
    write_trained_with(path, known)
    _write_common_point(members, path, is_new=sha256_of(path) != before)


def other_spacings(
    weights: Mapping[str, torch.Tensor], needed: Mapping[str, torch.Tensor]
) -> list[tuple[str, tuple[float, ...], tuple[float, ...]]]:
    """Name the voxel sizes that differ between weights and what a network needs, each with the two of them in mm."""
    return [
        (name, in_mm(weights[name]), wanted)
        for name, wanted in spacings_in(needed).items()
        if not torch.allclose(weights[name].float(), needed[name].float().cpu())
    ]


def _join(paths: Sequence[str | PathLike[str]]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Join weights as `join_weights`, and give beside them what is known of all: what they were trained with."""
    if not paths:
        raise InputError("an ensemble needs the weights of at least one network; none are given.")
    joined: dict[str, torch.Tensor] = {}
    known: dict[str, Any] = {}
    first = read_state_dict(paths[0], "weights")
    for number, path in enumerate(paths):
        weights = read_state_dict(path, "weights")
        difference = _difference(weights, first, "the first has")
        if difference:
            raise InputError(f"{path} differs from {paths[0]}: {difference}. An ensemble is of one recipe's networks.")
        for _, trained, wanted in other_spacings(weights, first):
            raise InputError(f"{path} was trained on voxels of {trained} mm, {paths[0]} on {wanted} mm.")
        said = trained_with(path, weights)
        for name, trained, wanted in other_choices(said, known):
            raise InputError(
                f"{path} was trained with {name} {in_words(trained)}, as {trained_with_file(path)} says, others with "
                f"{in_words(wanted)}."
            )
        known |= said
        corrects, first_corrects = (read_operating_point(member).bias_correction for member in (path, paths[0]))
        if corrects != first_corrects:
            raise InputError(
                f"{path} is used with bias_correction {corrects}, {paths[0]} with {first_corrects}, as is said beside "
                "them. All networks of an ensemble are shown the same."
            )
        joined |= {f"{MEMBERS}{number}.{name}": value for name, value in weights.items()}
    return joined, known


def _write_common_point(members: Sequence[str | PathLike[str]], path: Path, is_new: bool) -> None:
    """Write beside an ensemble the point that its members share; one chosen for these very members stays."""
    point_file, points = operating_point_file(path), [read_operating_point(member) for member in members]
    if is_new:
        point_file.unlink(missing_ok=True)  # of other members
    common = points[0] if len(set(points)) == 1 else OperatingPoint()
    chosen = read_operating_point(path) if point_file.is_file() else common
    point = replace(chosen, bias_correction=points[0].bias_correction)
    if point != read_operating_point(path):
        point.write(point_file)


def _origin_of(path: Path) -> str:
    """Say whether weights are such as were released, and where a training has set such aside."""
    if checksum_of(path).is_file():
        return f", checked against {checksum_of(path).name}"
    aside = sorted(path.parent.glob(f"earlier_*/{checksum_of(path).name}"))
    released = f"; the released ones are {aside[0].with_name(path.name)}" if aside else ""
    return f", of a training of yours: there is no {checksum_of(path).name} beside them{released}"


def _require_members(
    weights: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor], path: str | PathLike[str]
) -> None:
    there, here = _count_members(weights), _count_members(own)
    if there == here:
        return
    advice = f"a recipe that ends with _ensemble and --members {there}" if there else "a recipe without _ensemble"
    raise InputError(f"The weights at {path} are {_say(there)}, the configured network is {_say(here)}. Use {advice}.")


def _count_members(weights: Mapping[str, torch.Tensor]) -> int:
    return len({name.split(".")[1] for name in weights if name.startswith(MEMBERS)})


def _say(members: int) -> str:
    return f"an ensemble of {members}" if members else "one network"


def _difference(weights: Mapping[str, torch.Tensor], needed: Mapping[str, torch.Tensor], who_needs: str) -> str:
    """Say the first entry in which weights differ from what is needed; nothing where they do not."""
    for name, value in needed.items():
        if name not in weights or weights[name].shape != value.shape:
            there = f"has shape {tuple(weights[name].shape)}" if name in weights else "is absent"
            return f"{name!r} {there}, {who_needs} {tuple(value.shape)}"
    further = [name for name in weights if name not in needed]
    return f"{len(further)} entries are too many, the first is {further[0]!r}" if further else ""
