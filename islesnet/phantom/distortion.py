"""Echo-planar distortion: air in sinuses and ears bends the field, and signal lands off its place and piles up."""

import numpy as np

from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.build import MOST_SHIFT_MM
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.ranges import Ranges, draw

# Cavities at the skull base, in MNI mm, with the smallest and largest radius in mm; paired ones on either side.
CAVITIES = (
    ((10.0, 80.0, -2.0), (3.0, 8.0)),  # frontal sinus
    ((-10.0, 80.0, -2.0), (3.0, 8.0)),
    ((0.0, 46.0, -34.0), (4.0, 8.0)),  # ethmoid cells
    ((0.0, 14.0, -37.0), (4.0, 8.0)),  # sphenoid sinus
    ((50.0, -32.0, -40.0), (4.0, 9.0)),  # middle ear and mastoid cells
    ((-50.0, -32.0, -40.0), (4.0, 9.0)),
    ((60.0, -18.0, -40.0), (3.0, 7.0)),  # ear canal
    ((-60.0, -18.0, -40.0), (3.0, 7.0)),
    ((25.0, -22.0, -40.0), (2.0, 5.0)),  # petrous apex
    ((-25.0, -22.0, -40.0), (2.0, 5.0)),
)
CAVITY_SD_MM = 3.0
SUSCEPTIBILITY_PPM = 9.4  # of air over tissue: Schenck, Med Phys 23:815, 1996
FINER = 3  # samples of a voxel on the way, so that stretched tissue shows no gaps


def draw_shift(rng: np.random.Generator, anatomy: Anatomy, ranges: Ranges) -> FloatArray:
    """Draw how far an echo-planar scan displaces each voxel along the phase encoding (front-back), in mm, ``(N,)``.

    The field outside a sphere of air is (X / 3) (a / r)^3 (3 cos^2 - 1), of susceptibility X and radius a, the angle
    taken from the main field (Haacke et al., Magnetic Resonance Imaging, 1999, chapter 25); what a scanner's shims take
    away, its mean and its linear part over the brain, is taken away. Displacement goes with the field: Jezzard and
    Balaban, MRM 34:65, 1995.
    """
    ppm = np.zeros(anatomy.mni_mm.shape[1], dtype=np.float32)
    for place, radii_mm in CAVITIES:
        radius_mm = np.float32(rng.uniform(*radii_mm))
        offset = anatomy.mni_mm - rng.normal(place, CAVITY_SD_MM).astype(np.float32)[:, None]
        squared = np.maximum((offset**2).sum(axis=0), radius_mm**2)
        ppm += (radius_mm**2 / squared) ** 1.5 * (3 * offset[2] ** 2 / squared - 1)
    ppm *= np.float32(SUSCEPTIBILITY_PPM / 3)
    terms = np.vstack([np.ones_like(ppm), anatomy.mni_mm])
    some = np.flatnonzero(anatomy.brain)[::50]
    shims = np.linalg.lstsq(terms[:, some].T, ppm[some], rcond=None)[0].astype(np.float32)
    direction = rng.choice((-1.0, 1.0))
    mm = (ppm - shims @ terms) * np.float32(direction * draw(rng, ranges.shift_mm_per_ppm))
    shift: FloatArray = np.float32(MOST_SHIFT_MM) * np.tanh(mm / np.float32(MOST_SHIFT_MM))
    return shift


def distort(image: FloatArray, shift_mm: FloatArray, spacing_mm: float) -> FloatArray:
    """Move the signal of every voxel along the second axis: where much lands, it piles up; beyond the image it is lost.

    Args:
        image: what is moved.
        shift_mm: how far.
        spacing_mm: edge of the voxels.

    Shapes:
        ``(X, Y, Z)`` both -> the same.
    """
    width, height, depth = image.shape
    moved = np.zeros(image.size)
    here = np.flatnonzero(image)
    x, y, z = np.unravel_index(here, image.shape)
    slope = np.zeros_like(shift_mm)
    within = (image[:, :-2] != 0) & (image[:, 2:] != 0)  # at the head's border the shift ends, and has no slope
    slope[:, 1:-1] = (shift_mm[:, 2:] - shift_mm[:, :-2]) / 2 * within
    shift, slope, values = shift_mm.ravel()[here], slope.ravel()[here], image.ravel()[here]
    for part in range(FINER):
        offset = (part + 0.5) / FINER - 0.5
        landed = y + offset + (shift + offset * slope) / spacing_mm
        below = np.floor(landed).astype(np.int64)
        for line, share in ((below, below + 1 - landed), (below + 1, landed - below)):
            is_seen = (line >= 0) & (line < height)
            target = ((x * height + line) * depth + z)[is_seen]
            moved += np.bincount(target, weights=(values * share)[is_seen] / FINER, minlength=image.size)
    distorted: FloatArray = moved.reshape(width, height, depth).astype(np.float32)
    return distorted
