"""How healthy brains differ in brightness beyond their tissue maps, and what echo-planar imaging adds at the skull."""

import numpy as np
from scipy import ndimage

from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.artefacts import nearness
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.ranges import Ranges, draw
from islesnet.phantom.templates import hindbrain

# Fibres that run through the slice look bright on diffusion weighting: places in MNI mm (mirrored), radius in mm.
TRACTS = (
    ((24.0, -14.0, 8.0), 5.0),  # posterior limb of the internal capsule
    ((25.0, -22.0, 26.0), 7.0),  # corona radiata
    ((7.0, -24.0, -30.0), 6.0),  # pons
    ((14.0, -20.0, -10.0), 5.0),  # cerebral peduncle
    ((16.0, -52.0, -34.0), 7.0),  # cerebellar peduncles
    ((10.0, -38.0, 14.0), 8.0),  # splenium
    ((8.0, 26.0, 6.0), 7.0),  # genu
)
# Cortex that is brighter than the rest on diffusion weighting in most brains: the same, on both sides.
LIMBIC = (
    ((38.0, 8.0, 0.0), 12.0),  # insula, in front
    ((38.0, -8.0, 6.0), 11.0),  # and behind
    ((48.0, 16.0, 8.0), 10.0),  # frontal operculum
    ((48.0, -16.0, 8.0), 11.0),  # temporal operculum
    ((5.0, 36.0, 14.0), 13.0),  # cingulate gyrus, in front
    ((5.0, 4.0, 40.0), 14.0),  # in the middle
    ((6.0, -46.0, 28.0), 14.0),  # behind
    ((25.0, -24.0, -16.0), 10.0),  # hippocampus
)
LIMBIC_SD_MM = 4.0  # how far a patient's lie from these places, along each axis
ATRIA = ((23.0, -42.0, 8.0), (-23.0, -42.0, 8.0))  # where the choroid plexus is thickest
# Air in sinuses and temporal bones, by place, radius and likelihood; the last six are rarer, and lie at the back and on
# top, where the bone is near.
AIR = (
    ((0.0, 58.0, -10.0), 24.0, 0.8),
    ((18.0, 62.0, 8.0), 14.0, 0.5),
    ((-18.0, 62.0, 8.0), 14.0, 0.5),
    ((46.0, 4.0, -36.0), 20.0, 0.7),
    ((-46.0, 4.0, -36.0), 20.0, 0.7),
    ((54.0, -22.0, -28.0), 14.0, 0.8),
    ((-54.0, -22.0, -28.0), 14.0, 0.8),
    ((48.0, -52.0, -30.0), 20.0, 0.6),
    ((-48.0, -52.0, -30.0), 20.0, 0.6),
    ((0.0, -96.0, -12.0), 28.0, 0.4),
    ((22.0, -98.0, 8.0), 14.0, 0.4),
    ((-22.0, -98.0, 8.0), 14.0, 0.4),
    ((28.0, -86.0, -34.0), 14.0, 0.4),
    ((-28.0, -86.0, -34.0), 14.0, 0.4),
    ((0.0, 0.0, 74.0), 40.0, 0.2),
)
AIR_SD_MM = 6.0  # how far one patient's air lies from these places: standard deviation along each axis
FURTHER_BANDS = 2  # at most, anywhere at the surface
SURFACE_MM = 3.0
AROUND_BRAIN = ((-75.0, 75.0), (-110.0, 75.0), (-55.0, 85.0))  # a box, in MNI mm


def choroid_plexus(rng: np.random.Generator, anatomy: Anatomy, ranges: Ranges) -> FloatArray:
    """Grow the choroid plexus in the atria of the ventricles: the share of each voxel, ``(N,)``."""
    plexus = np.zeros_like(anatomy.periventricular)
    for place in ATRIA:
        radius_mm = draw(rng, ranges.choroid_plexus_mm)
        centre = np.array(place) + rng.normal(0, 2.0, 3)
        distance = np.sqrt(((anatomy.mni_mm - centre.astype(np.float32)[:, None]) ** 2).sum(axis=0))
        plexus = np.maximum(plexus, np.clip(np.float32(radius_mm) - distance, 0, 1))
    grown: FloatArray = plexus * anatomy.tissues["csf"] * anatomy.brain
    return grown


def brighten(rng: np.random.Generator, anatomy: Anatomy, sequence: str, ranges: Ranges) -> FloatArray:
    """Draw the factor by which healthy tissue is brighter here than there, ``(N,)``.

    Some cortex (of the limbic lobe in most brains, elsewhere in every brain another), single gyri, cerebellum and
    brainstem, and some tracts shine on DWI and, less, on FLAIR.
    """
    factor = np.exp(np.float32(draw(rng, ranges.texture)) * anatomy.smooth_field(rng, 5.0))
    mirrored = np.concatenate([np.abs(anatomy.mni_mm[:1]), anatomy.mni_mm[1:]])
    seen = draw(rng, ranges.flair_brightening) if sequence == "flair" else 1.0
    if sequence in ("dwi", "flair"):
        places = np.clip(0.4 + 0.6 * anatomy.smooth_field(rng, 22.0), 0, 1.6)
        factor += np.float32(seen * draw(rng, ranges.grey_brightening)) * anatomy.tissues["grey"] * places
        gyri = np.clip(anatomy.smooth_field(rng, 11.0) - 1, 0, 1)  # here and there one gyrus
        factor += np.float32(seen * draw(rng, ranges.gyrus_brightening)) * anatomy.tissues["grey"] * gyri
        for (x, *rest), radius_mm in LIMBIC:
            for side in (x, -x):
                excess = np.float32(seen * draw(rng, ranges.limbic_brightening))
                centre = rng.normal((side, *rest), LIMBIC_SD_MM)
                factor += excess * anatomy.tissues["grey"] * nearness(anatomy.mni_mm, centre.tolist(), radius_mm)
        # Uneven, on a large and on a small scale.
        patches = np.clip(1 + 0.5 * anatomy.smooth_field(rng, 20.0) + 0.4 * anatomy.smooth_field(rng, 10.0), 0, 2.2)
        factor += np.float32(seen * draw(rng, ranges.hindbrain_brightening)) * hindbrain(anatomy.mni_mm) * patches
    if sequence != "t1":
        for place, radius_mm in TRACTS:
            excess = seen * draw(rng, ranges.tract_brightening) * rng.choice((0.0, 1.0))
            factor += np.float32(excess) * anatomy.tissues["white"] * nearness(mirrored, place, radius_mm)
    brightened: FloatArray = factor.astype(np.float32)
    return brightened


def flowing_fluid(rng: np.random.Generator, anatomy: Anatomy, ranges: Ranges) -> FloatArray:
    """Draw how bright fluid is on FLAIR, relative to grey matter, where it flows or was not nulled, ``(N,)``."""
    field = np.clip(anatomy.smooth_field(rng, 16.0) + np.float32(rng.uniform(-1.0, 0.5)), 0, 2)
    # Around the brainstem the fluid moves most.
    near_base = np.clip((np.float32(15) - anatomy.mni_mm[2]) / np.float32(30), 0.15, 1)
    flow: FloatArray = np.float32(draw(rng, ranges.fluid_flow)) * field * near_base
    return flow


def surface_pile_up(rng: np.random.Generator, anatomy: Anatomy, ranges: Ranges) -> FloatArray:
    """Draw the factor by which bands at the surface of the brain, near air and bone, brighten on EPI, ``(N,)``.

    Most bands lie near the air of sinuses and temporal bones, some anywhere. Beside a bright band, signal may be lost:
    the factor falls below 1 there.
    """
    depth_mm = _depth_below_surface(anatomy)
    factor = np.ones_like(depth_mm)
    streaks = np.clip(0.6 + 0.6 * anatomy.smooth_field(rng, 14.0), 0, 1.5)
    air = [(rng.normal(place, AIR_SD_MM).tolist(), radius_mm, likelihood) for place, radius_mm, likelihood in AIR]
    air += [(_draw_surface_place(rng, anatomy, depth_mm), rng.uniform(8, 20), 0.5) for _ in range(FURTHER_BANDS)]
    for place, radius_mm, likelihood in air:
        if rng.uniform() > likelihood:
            continue
        thickness_mm = draw(rng, ranges.surface_depth_mm)
        near = nearness(anatomy.mni_mm, place, radius_mm * rng.uniform(0.4, 1.2)) * streaks
        excess = draw(rng, ranges.surface_pile_up) * rng.uniform()
        factor += np.float32(excess) * near * np.exp(-0.5 * (depth_mm / np.float32(thickness_mm)) ** 2)
        if rng.uniform() < 0.4:
            lost = nearness(anatomy.mni_mm, rng.normal(place, 10).tolist(), radius_mm * 0.5)
            factor *= 1 - np.float32(rng.uniform(0, 0.8)) * lost
    return factor


def _draw_surface_place(rng: np.random.Generator, anatomy: Anatomy, depth_mm: FloatArray) -> list[float]:
    """Draw a place at the surface of the brain in mm of the average brain: that nearest to one drawn around it."""
    outermost_mm = max(SURFACE_MM, anatomy.grid.spacing_mm)
    surface = anatomy.mni_mm[:, (depth_mm > 0) & (depth_mm <= outermost_mm)]
    drawn = np.array([rng.uniform(*axis) for axis in AROUND_BRAIN], dtype=np.float32)
    place: list[float] = surface[:, np.square(surface - drawn[:, None]).sum(axis=0).argmin()].tolist()
    return place


def _depth_below_surface(anatomy: Anatomy) -> FloatArray:
    """Measure how deep each voxel lies inside the brain, in mm; 0 outside, ``(N,)``."""
    brain = anatomy.spread(anatomy.brain.astype(np.float32)) > 0
    depth: FloatArray = ndimage.distance_transform_edt(np.pad(brain, 1)).astype(np.float32)
    inner: FloatArray = depth[1:-1, 1:-1, 1:-1][anatomy.inside] * np.float32(anatomy.grid.spacing_mm)
    return inner
