"""Find the brain: in the user's mask, in an image that shows nothing else, with HD-BET, or with the average brain."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.components import fill_slices
from islesnet.errors import InputError
from islesnet.scanner.hd_bet import find_brain_with_hd_bet, is_hd_bet_ready
from islesnet.scanner.resampling import mask_on
from islesnet.scanner.template_brain import find_brain_by_template
from islesnet.volumes.levels import shrink

FOUND_BY = ("auto", "hd-bet", "template")

# An image is taken for an extracted brain if much of it has exactly one value, as the noise around a head has not, and
# the rest is no larger than a brain.
LEAST_BACKGROUND = 0.25
LARGEST_BRAIN_ML = 2000.0
# A thin slab of a head may be no larger than a brain, so its largest axial section is measured, too. Three real brains
# have 160 to 189 cm2, the average brain 206, eight synthetic heads with skull 222 to 245.
SLAB_MM = 110.0
LARGEST_SECTION_CM2 = 216.0
LOOK_MM = 3.0
GAP_MM = 6.0


@dataclass(frozen=True)
class BrainMask:
    """The brain of an image.

    Args:
        mask: uint8, 1 in the brain, on the image's grid.
        way: given, extracted already, hd-bet or template.
    """

    mask: sitk.Image
    way: str


def find_brain(image: sitk.Image, given: sitk.Image | None = None, way: str = "auto", device: str = "cpu") -> BrainMask:
    """Find the brain in a scan.

    Args:
        image: DWI, b0, T1, T2 or FLAIR, skull on or off.
        given: the user's mask, on any grid; it is taken as it is.
        way: auto takes HD-BET where it is installed with its weights, otherwise the average brain.
        device: that HD-BET computes on, in PyTorch's words.

    Raises:
        InputError: the given mask is empty here, the way is unknown, or HD-BET fails.
    """
    if way not in FOUND_BY:
        raise InputError(f"The brain cannot be found by {way!r}; there are {', '.join(FOUND_BY)}.")
    if given is not None:
        mask = mask_on(image, sitk.Cast(given > 0, sitk.sitkFloat32))
        shown = sitk.GetArrayViewFromImage(image)[sitk.GetArrayViewFromImage(mask) > 0]
        if shown.size == 0 or shown.min() == shown.max():
            raise InputError(
                "The brain mask that was given is empty where the scan lies, or the scan where the mask lies; is it of "
                "another scan?"
            )
        return BrainMask(mask, "given")
    content = _content_of_extracted(image)
    if content is not None:
        return BrainMask(_on_grid_of(image, fill_slices(content)), "extracted already")
    if way == "hd-bet" or (way == "auto" and is_hd_bet_ready()):
        return BrainMask(sitk.Cast(find_brain_with_hd_bet(image, device), sitk.sitkUInt8), "hd-bet")
    return BrainMask(sitk.Cast(find_brain_by_template(image), sitk.sitkUInt8), "template")


def is_extracted(image: sitk.Image) -> bool:
    """Tell whether skull and scalp have been taken away already."""
    return _content_of_extracted(image) is not None


def _content_of_extracted(image: sitk.Image) -> NDArray[np.bool_] | None:
    """Mark what is not background, ``(Z, Y, X)``, in an image that holds a brain and nothing else; None in others."""
    array = sitk.GetArrayFromImage(sitk.Cast(image, sitk.sitkFloat32))
    background = float(np.median([array[corner] for corner in product((0, -1), repeat=3)]))
    bright = float(np.percentile(array, 99.5)) - background
    is_empty = np.abs(array - background) <= 1e-6 * max(bright, 1.0)
    if is_empty.mean() < LEAST_BACKGROUND:
        return None
    look = shrink(_on_grid_of(image, ~is_empty), LOOK_MM)
    hull = _closed(sitk.GetArrayFromImage(look) > 0.5, tuple(reversed(look.GetSpacing())))
    if hull.sum() * np.prod(look.GetSpacing()) / 1000 > LARGEST_BRAIN_ML:
        return None
    height_mm, section_cm2 = _height_and_largest_section(hull, look)
    if height_mm < SLAB_MM and section_cm2 > LARGEST_SECTION_CM2:
        return None
    return ~is_empty


def _height_and_largest_section(mask: NDArray[np.bool_], image: sitk.Image) -> tuple[float, float]:
    """Measure a mask ``(Z, Y, X)`` along the axis of its image that is nearest to feet-head, mm, and across it, cm2."""
    direction, spacing = np.array(image.GetDirection()).reshape(3, 3), image.GetSpacing()
    upright = int(np.abs(direction[2]).argmax())
    across = [axis for axis in range(3) if axis != upright]
    voxels = mask.sum(axis=tuple(2 - axis for axis in across))
    pixel_mm2 = float(np.prod([spacing[axis] for axis in across]))
    return float((voxels > 0).sum()) * spacing[upright], float(voxels.max()) * pixel_mm2 / 100


def _on_grid_of(image: sitk.Image, mask: NDArray[np.bool_]) -> sitk.Image:
    """Place a mask ``(Z, Y, X)`` on an image's grid, as uint8."""
    placed = sitk.GetImageFromArray(mask.astype(np.uint8))
    placed.CopyInformation(image)
    return placed


def _closed(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.bool_]:
    """Close gaps, so that a head's dark skull counts as part of it, and fill every slice."""
    margin = [max(1, round(GAP_MM / edge)) for edge in spacing]
    ball = np.ones([2 * width + 1 for width in margin], bool)
    padded = np.pad(mask, [(width, width) for width in margin])
    closed = ndimage.binary_closing(padded, ball)[tuple(slice(width, -width) for width in margin)]
    return fill_slices(closed)
