"""The brain of a patient's reference, and what a reader is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.scanner import FOUND_BY, find_brain, image_of, is_extracted
from islesnet.volumes import VolumeError, read_volume

# Not "off", which YAML and a command line take for False.
NONE = "none"
WAYS = (*FOUND_BY, NONE)
MOST_ML = 2000.0

_NO_SKULL, _LEFT_ON, _NOT_FOUND = "the scans have no skull", "not looked for", "not found"
_EXTRACTED = "extracted already"
_NOTES = {
    "given": "The brain mask is the one that was given.",
    "hd-bet": "The brain was found by HD-BET.",
    "template": (
        "The brain was found with the average brain, which can miss its border by some millimetres, at the skull base "
        "by a slice or two: look at its outline."
    ),
    _EXTRACTED: "The brain is what the reference shows, which has no skull any more; other sequences show theirs.",
}


@dataclass(frozen=True)
class Brain:
    """Where the brain is.

    Args:
        mask: uint8 on the grid of the reference; None where the scans show nothing but the brain, it was not found, or
            nobody looked.
        way: how it was found, or why there is none, in a few words.
        notes: sentences for the report.
    """

    mask: sitk.Image | None
    way: str
    notes: tuple[str, ...] = ()


def find_brain_of(
    image: sitk.Image, others: Sequence[sitk.Image], given: Path | None, way: str, device: str = "cpu"
) -> Brain:
    """Find the brain in a reference.

    Args:
        image: the reference.
        others: the other sequences, which may show a skull that was taken away from the reference.
        given: the user's mask, which goes before all else.
        way: as for `islesnet.scanner.find_brain`; or none, which leaves the skull on.
        device: as for `islesnet.scanner.find_brain`.

    Raises:
        InputError: as `islesnet.scanner.find_brain`; the given mask cannot be read.
    """
    if way == NONE and given is None:
        return Brain(None, _LEFT_ON)
    found = find_brain(image, None if given is None else _read(given), "auto" if way == NONE else way, device)
    if found.way == _EXTRACTED and all(map(is_extracted, others)):
        return Brain(None, _NO_SKULL)
    volume_ml = float(sitk.GetArrayViewFromImage(found.mask).sum()) * float(np.prod(image.GetSpacing())) / 1000
    if volume_ml == 0:
        return Brain(None, _NOT_FOUND, ("The brain was not found; everything in the scan was looked at.",))
    doubt = f"The brain mask holds {volume_ml:.0f} ml, more than a brain has: look at its outline."
    said = (_NOTES[found.way], *([doubt] if volume_ml > MOST_ML else []))
    return Brain(found.mask, found.way, said)


def _read(path: Path) -> sitk.Image:
    try:
        volume = read_volume(path)
    except VolumeError as error:
        raise InputError(f"The brain mask {error}") from error
    return image_of((volume.array > 0.5).astype(np.uint8), volume.affine, f"The brain mask {path.name}")
