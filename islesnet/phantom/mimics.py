"""What looks like a stroke and is none: white-matter hyperintensities and old infarcts, neither in the label."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.lesions import draw_spread, take_deepest


def grow_hyperintensities(
    rng: np.random.Generator, anatomy: Anatomy, volume_ml: float, forbidden: NDArray[np.bool_]
) -> FloatArray:
    """Grow white-matter hyperintensities: caps and bands along the ventricles, spots further out.

    Args:
        rng: source of randomness.
        anatomy: the brain.
        volume_ml: their volume.
        forbidden: voxels to spare, ``(N,)``.

    Returns:
        Share of each voxel that is hyperintensity, ``(N,)``.
    """
    spotted = np.float32(0.35) * anatomy.smooth_field(rng, 6.0) + np.float32(0.25) * anatomy.smooth_field(rng, 20.0)
    depth = np.float32(1.6) * anatomy.periventricular + spotted
    # Leukoaraiosis is of the cerebral white matter: brainstem and cerebellum are mostly spared.
    eligible = (anatomy.tissues["white"] > 0.6) & (anatomy.mni_mm[2] > -10) & ~forbidden
    return take_deepest(depth, eligible, volume_ml / anatomy.grid.voxel_ml, edge=0.5)


def grow_old_infarct(
    rng: np.random.Generator, anatomy: Anatomy, volume_ml: float, forbidden: NDArray[np.bool_], cavity_share: float
) -> tuple[FloatArray, FloatArray]:
    """Grow an infarct of months ago: a cavity of fluid in a rim of gliosis.

    Args and shapes as for `grow_hyperintensities`; and

        cavity_share: share of it that is fluid.

    Returns:
        Shares of each voxel that are cavity and gliosis, each ``(N,)``.
    """
    spread = draw_spread(rng, anatomy, volume_ml, foci=1, forbidden=forbidden)
    whole = spread.fill(anatomy, volume_ml)
    # The softening of the deepest part leaves the cavity; its border keeps the scar.
    cavity = np.minimum(spread.fill(anatomy, cavity_share * volume_ml), whole)
    return cavity, whole - cavity


def hollow_out(
    rng: np.random.Generator, anatomy: Anatomy, infarct: FloatArray, cavity_share: float
) -> tuple[FloatArray, FloatArray]:
    """Turn a given infarct into one of months ago: its inner part a cavity, the rest gliosis.

    Args:
        rng: source of randomness.
        anatomy: the brain.
        infarct: share of each voxel that died, ``(N,)``.
        cavity_share: share of it that is fluid.

    Returns:
        Shares of each voxel that are cavity and gliosis, each ``(N,)``.
    """
    died = infarct > 0.5
    depth: FloatArray = ndimage.distance_transform_edt(anatomy.spread(died.astype(np.float32)) > 0.5)[anatomy.inside]
    ragged = depth + np.float32(1.5) * anatomy.smooth_field(rng, 8.0)
    cavity = np.minimum(take_deepest(ragged.astype(np.float32), died, cavity_share * died.sum(), edge=1.0), infarct)
    return cavity, infarct - cavity
