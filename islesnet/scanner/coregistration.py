"""Bring all sequences of a patient to one of them, by their headers alone: voxels are resampled later, once."""

from collections.abc import Mapping
from dataclasses import dataclass

import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.scanner.grids import have_same_grid
from islesnet.scanner.registration import Alignment, align, stays
from islesnet.scanner.rigid import move_header

UNCONFIRMED = "has the reference's grid and was left there, though its content does not confirm that the two match"


@dataclass(frozen=True)
class Coregistered:
    """A patient's sequences where they belong.

    Args:
        images: the reference and every sequence that could be brought to it, each on its own grid, whose header now
            says where it lies to the reference.
        alignments: how each sequence but the reference was brought there; those that are not trusted have no image.
    """

    images: dict[str, sitk.Image]
    alignments: dict[str, Alignment]


def coregister(images: Mapping[str, sitk.Image], reference: str) -> Coregistered:
    """Bring every sequence to the reference; leave out those whose registration failed.

    A sequence on the reference's grid stays where it is if its registration fails. An ADC map on the DWI's grid,
    whatever the order of its axes, comes from the same acquisition and is moved with the DWI.

    Args:
        images: sequence -> 3D image.
        reference: the sequence that stays where it is.

    Raises:
        InputError: the reference is not among the images.
    """
    if reference not in images:
        raise InputError(f"There is no {reference} to register to; there are {', '.join(images) or 'no sequences'}.")
    alignments: dict[str, Alignment] = {}
    for name in sorted(images, key=lambda name: name == "adc"):  # after the DWI
        if name == reference:
            continue
        if name == "adc" and "dwi" in images and _have_same_voxels(images["dwi"], images["adc"]):
            alignments[name] = alignments.get("dwi") or stays("was made of the reference")
        else:
            found = align(images[reference], images[name])
            # Grids that agree to a tenth of a voxel say that somebody registered the two, or that the head lay still.
            keeps = not found.is_trusted and have_same_grid(images[reference], images[name])
            alignments[name] = stays(UNCONFIRMED, found.quality_before) if keeps else found
    kept = {name: image for name, image in images.items() if name == reference or alignments[name].is_trusted}
    moved = {
        name: image if name == reference else move_header(image, alignments[name].transform)
        for name, image in kept.items()
    }
    return Coregistered(moved, {name: alignments[name] for name in images if name != reference})


def _have_same_voxels(first: sitk.Image, second: sitk.Image) -> bool:
    """Tell whether two images have the same grid, in whatever order their axes are stored."""
    return have_same_grid(*(sitk.DICOMOrient(image, "LPS") for image in (first, second)))
