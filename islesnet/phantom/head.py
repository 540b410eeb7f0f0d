"""What surrounds the brain when it is not extracted: fluid, skull with its marrow, scalp."""

from functools import lru_cache

import numpy as np
from scipy import ndimage

from islesnet.phantom.fields import FloatArray
from islesnet.phantom.templates import Templates, load_templates

# Typical thickness in mm: skull 6, Lillie et al., J Bone Miner Res 31:299, 2016; scalp 5.5, Hori et al., J Invest
# Dermatol 58:396, 1972. Outer table, marrow and inner table share the skull about equally.
FLUID_END, SKULL_END, HEAD_END = 1.5, 7.5, 13.0
MARROW_MM = (3.5, 5.5)
STRIDE = 2  # the head is smooth: its distances are kept at 2 mm
PADDING_MM = 60


@lru_cache(maxsize=1)
def load_head() -> Templates:
    """Load the map ``outside``: how many mm each place lies outside the smooth cover of the average brain."""
    templates = load_templates(1.0)
    hull = np.pad(templates.maps["hull"][::STRIDE, ::STRIDE, ::STRIDE] > 0.5, PADDING_MM // STRIDE)
    # The skull does not follow the gap between the lobes: closing by 16 mm bridges it.
    widened = STRIDE * ndimage.distance_transform_edt(~hull) <= 16
    cover = STRIDE * ndimage.distance_transform_edt(widened) > 16
    outside = ndimage.distance_transform_edt(~cover) - ndimage.distance_transform_edt(cover)
    x, y, z = (first - PADDING_MM for first in templates.origin_mm)
    smooth = ndimage.gaussian_filter((STRIDE * outside).astype(np.float32), 1.5)
    return Templates({"outside": smooth}, (x, y, z), float(STRIDE))


def face_share(mni_mm: FloatArray) -> FloatArray:
    """Tell the places in front of and below the brain, where face and neck are, 0 to 1.

    Shapes:
        ``(3, ...)`` -> ``(...)``.
    """
    # Below a line from the brow to the foramen magnum.
    below = np.float32(-12) + np.float32(0.35) * mni_mm[1] - mni_mm[2]
    share: FloatArray = np.clip(below / np.float32(25), 0, 1)
    return share


def share_out_head(outside_mm: FloatArray, is_brain: FloatArray) -> dict[str, FloatArray]:
    """Share the voxels around the brain out among fluid, bone and fat.

    Args:
        outside_mm: how far outside the brain's cover each voxel lies.
        is_brain: 1 in the brain, 0 around it.

    Returns:
        Shares of ``csf``, ``bone`` and ``fat``; with `is_brain` they add up to 1.

    Shapes:
        ``(N,)`` each.
    """
    around = np.float32(1) - is_brain
    fluid = _before(outside_mm, FLUID_END)
    scalp = np.float32(1) - _before(outside_mm, SKULL_END)
    marrow = _before(outside_mm, MARROW_MM[1]) - _before(outside_mm, MARROW_MM[0])
    # Marrow is about a third fat to the eye of MR; the scalp is mostly fat.
    fat = np.float32(0.35) * marrow + np.float32(0.75) * scalp
    return {"csf": around * fluid, "fat": around * fat, "bone": around * (1 - fluid - fat)}


def _before(outside_mm: FloatArray, end_mm: float) -> FloatArray:
    share: FloatArray = np.clip(np.float32(end_mm + 0.5) - outside_mm, 0, 1)
    return share
