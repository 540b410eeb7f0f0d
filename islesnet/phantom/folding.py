"""Folds of the cortex, every patient's own: averaging 152 brains leaves few, and a real brain is full of them."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from islesnet.phantom.fields import FloatArray
from islesnet.phantom.ranges import Ranges, draw
from islesnet.phantom.templates import Templates

# The average brain in MNI mm, with room to spare: where the fields that folds follow are drawn.
FIRST_MM, LAST_MM, STEP_MM = (-90.0, -128.0, -90.0), (90.0, 96.0, 100.0), 2.0
REACH_MM = 23.0  # as deep below the hull the cortex is folded anew; deeper, the average brain is a good one
WALL_MM = 5.0  # over which the one goes over into the other


@dataclass(frozen=True)
class Folds:
    """How one patient's cortex is folded.

    Args:
        share: how far the folds replace the average brain's, 0 to 1.
        sulcus: distance to the nearest sulcus along the surface, in mm, its sign changing from side to side.
        depth: standard normal, what the depth of sulci varies by.
        depth_mm: of a sulcus, mean.
        gap_mm: half the width of a sulcus at the surface.
        rim_mm: of fluid over the gyri.
        cortex_mm: thickness of the cortex.
    """

    share: float
    sulcus: FloatArray
    depth: FloatArray
    depth_mm: float
    gap_mm: float
    rim_mm: float
    cortex_mm: float


def draw_folds(rng: np.random.Generator, ranges: Ranges) -> Folds | None:
    """Draw a patient's folds; None where the ranges leave the average brain's."""
    if not ranges.folding[1]:
        return None
    share = draw(rng, ranges.folding)
    # A smooth field crosses zero every pi * sqrt(2) times its kernel's deviation (Rice, Bell Syst Tech J 24:46, 1945).
    deviation_mm = draw(rng, ranges.gyrus_mm) / (np.pi * np.sqrt(2))
    field = _smooth_noise(rng, deviation_mm)
    slope = np.sqrt(sum(np.gradient(field, STEP_MM, axis=axis) ** 2 for axis in range(3)))
    return Folds(
        share=share,
        sulcus=(field / np.maximum(slope, 0.5 / deviation_mm)).astype(np.float32),
        depth=_smooth_noise(rng, 8.0),
        depth_mm=draw(rng, ranges.sulcus_depth_mm),
        gap_mm=draw(rng, ranges.sulcus_gap_mm),
        rim_mm=draw(rng, ranges.fluid_rim_mm),
        cortex_mm=draw(rng, ranges.cortex_mm),
    )


def fold(
    shares: dict[str, FloatArray], folds: Folds, templates: Templates, mni_mm: FloatArray, spacing_mm: float
) -> dict[str, FloatArray]:
    """Fold the cortex: sulci go straight in from the brain's hull, the cortex lines them, white matter fills the gyri.

    Args:
        shares: ``white``, ``grey`` and ``csf`` of each voxel, which add up to 1.
        folds: the patient's.
        templates: the average brain.
        mni_mm: where each voxel lies in it, ``(3, N)``.
        spacing_mm: edge of a voxel, which edges are as soft as.

    Returns:
        The same three, ``(N,)`` each.
    """
    below_mm = templates.sample("depth", mni_mm)
    surface_mm = np.stack([templates.sample(f"surface_{axis}", mni_mm) for axis in "xyz"])
    sulcus_mm = np.abs(_sample(folds.sulcus, surface_mm))
    floor_mm = np.clip(folds.depth_mm * (1 + 0.35 * _sample(folds.depth, surface_mm)), 3, REACH_MM)
    # A sulcus narrows towards its floor, and the cortex goes round below it.
    gap_mm = folds.gap_mm * np.sqrt(np.clip(1 - below_mm / floor_mm, 0.04, 1))
    to_sulcus_mm = np.hypot(sulcus_mm, np.maximum(below_mm - floor_mm, 0)) - gap_mm
    pial_mm = np.minimum(below_mm - folds.rim_mm, to_sulcus_mm)
    softness = np.float32(0.3 * spacing_mm)
    csf = _step(-pial_mm / softness)
    grey = (1 - csf) * _step((folds.cortex_mm - pial_mm) / softness)
    # What is fluid in everybody, the great fissures, stays.
    csf = np.maximum(csf, np.clip(2 * shares["csf"] - 1, 0, 1))
    grey = np.minimum(grey, 1 - csf)
    folded = {"white": 1 - csf - grey, "grey": grey, "csf": csf}
    weight = folds.share * _step((REACH_MM - below_mm) / (WALL_MM / 4)) * templates.sample("cerebrum", mni_mm)
    return {name: (shares[name] + weight * (folded[name] - shares[name])).astype(np.float32) for name in folded}


def _smooth_noise(rng: np.random.Generator, deviation_mm: float) -> FloatArray:
    shape = [round((last - first) / STEP_MM) + 1 for first, last in zip(FIRST_MM, LAST_MM, strict=True)]
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), deviation_mm / STEP_MM)
    smooth: FloatArray = noise / noise.std()
    return smooth


def _sample(field: FloatArray, mni_mm: FloatArray) -> FloatArray:
    voxels = [(place - first) / STEP_MM for place, first in zip(mni_mm, FIRST_MM, strict=True)]
    sampled: FloatArray = ndimage.map_coordinates(field, voxels, output=np.float32, order=1, mode="nearest")
    return sampled


def _step(distance: FloatArray) -> FloatArray:
    risen: FloatArray = 1 / (1 + np.exp(-np.clip(2 * distance, -30, 30)))
    return risen
