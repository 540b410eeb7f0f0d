"""One scan: the tissues' signals, what the scanner adds to them, and the stored image."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.appearance import brighten, flowing_fluid, surface_pile_up
from islesnet.phantom.artefacts import PILE_UPS, acquire, add_rician_noise, draw_scan, pile_up, share_in_voxels
from islesnet.phantom.distortion import distort, draw_shift
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.motion import blur_and_ghost, cut_field_of_view, draw_cut, draw_misregistration, move, sharpen
from islesnet.phantom.ranges import Ranges, draw
from islesnet.phantom.settings import PhantomSettings

BoolArray = NDArray[np.bool_]
LANDED = 0.3  # share of a voxel's tissue from which a distorted image has a voxel there


class Subject(NamedTuple):
    """Who is scanned.

    Args:
        anatomy: with the grid.
        shares: of each voxel that is each tissue.
        lesion: share of each voxel that is lesion.

    Shapes:
        shares and lesion ``(N,)`` each.
    """

    anatomy: Anatomy
    shares: Mapping[str, FloatArray]
    lesion: FloatArray


class Scene(NamedTuple):
    """What lies before the scanner, in the box around the brain.

    Args:
        signal: without noise.
        head: what is not air.
        lesion: share of each voxel.

    Shapes:
        ``(X, Y, Z)`` each.
    """

    signal: FloatArray
    head: BoolArray
    lesion: FloatArray


class Scanned(NamedTuple):
    """What a scan gives.

    Args:
        image: as it is stored.
        seen: the lesion's share of each voxel as the scan shows it: thick slices, misregistration and the end of its
            field of view included.

    Shapes:
        both ``(X, Y, Z)``.
    """

    image: FloatArray
    seen: FloatArray


def scan(
    rng: np.random.Generator, subject: Subject, signals: Mapping[str, float], sequence: str, settings: PhantomSettings
) -> Scanned:
    """Scan a patient: the stored image, whole numbers on the whole grid.

    In the brain no voxel is 0 (unless the field of view is cut), so that `image > 0` is the stripped brain, as users
    take it to be.

    Args:
        rng: source of randomness.
        subject: the patient.
        signals: of each tissue on this sequence.
        sequence: dwi, t1, t2 or flair.
        settings: of the cohort.

    Shapes:
        the image, and the lesion as it is seen, ``(X, Y, Z)``.
    """
    anatomy, shares, lesion = subject
    how, ranges, spacing_mm = draw_scan(rng, sequence, settings), settings.ranges, anatomy.grid.spacing_mm
    signal = _ideal_signal(rng, anatomy, shares, signals, sequence, ranges)
    sensitivity: FloatArray = np.exp(np.float32(how.bias) * anatomy.smooth_field(rng, 70.0))
    scene = Scene(anatomy.spread(signal * sensitivity), anatomy.inside, anatomy.spread(lesion))
    displace = _distort if sequence == "dwi" else _misregister
    ideal, head, lesion = displace(rng, anatomy, scene, ranges)
    if ranges.is_disturbed:
        ideal = blur_and_ghost(rng, ideal, spacing_mm, ranges)
    acquired = acquire(rng, ideal, spacing_mm, how)
    if how.sharpening:
        acquired = sharpen(acquired, how.sharpening, spacing_mm)
    scale = np.float32(how.brightness / signal.mean())
    stored = np.clip(np.rint(acquired * scale), 1, np.iinfo(np.int16).max) * head
    whole = np.zeros(anatomy.grid.shape, dtype=np.float32)
    whole[anatomy.box] = stored
    if ranges.is_disturbed and not settings.is_skull_stripped and rng.uniform() < 0.6:
        noise = add_rician_noise(rng, np.zeros_like(whole), how.noise * how.brightness)
        whole = np.where(whole > 0, whole, np.rint(noise))
    seen = np.zeros_like(whole)
    seen[anatomy.box] = share_in_voxels(lesion, spacing_mm, how) * head
    missing_mm = draw_cut(rng, ranges)
    return Scanned(*(cut_field_of_view(each, missing_mm, spacing_mm) for each in (whole, seen)))


def _misregister(rng: np.random.Generator, anatomy: Anatomy, scene: Scene, ranges: Ranges) -> Scene:
    """Move all rigidly, as a patient who moved since the DWI."""
    motion, spacing_mm = draw_misregistration(rng, ranges), anatomy.grid.spacing_mm
    if motion is None:
        return scene
    head = move(scene.head.astype(np.float32), motion, spacing_mm) > 0.5
    return Scene(move(scene.signal, motion, spacing_mm), head, move(scene.lesion, motion, spacing_mm))


def _distort(rng: np.random.Generator, anatomy: Anatomy, scene: Scene, ranges: Ranges) -> Scene:
    """Distort all as echo-planar imaging does."""
    if ranges.shift_mm_per_ppm[1] == 0:
        return scene
    shift_mm, spacing_mm = anatomy.spread(draw_shift(rng, anatomy, ranges)), anatomy.grid.spacing_mm
    signal, landed, lesion = (distort(each.astype(np.float32), shift_mm, spacing_mm) for each in scene)
    head = ndimage.binary_fill_holes(landed > LANDED)  # stretched tissue is dark, and no air
    return Scene(signal, head, lesion / np.maximum(landed, LANDED))


def _ideal_signal(
    rng: np.random.Generator,
    anatomy: Anatomy,
    shares: Mapping[str, FloatArray],
    signals: Mapping[str, float],
    sequence: str,
    ranges: Ranges,
) -> FloatArray:
    """Add up the tissues, and brighten and darken what no tissue map knows, ``(N,)``."""
    amounts = [draw(rng, ranges.pile_up) for _ in PILE_UPS]
    fat = np.zeros_like(shares["csf"])
    if sequence == "dwi" and "fat" in shares:
        fat = _shifted_fat(rng, anatomy, shares["fat"] * np.float32(signals["fat"]), ranges)
    signal = np.zeros_like(shares["csf"])
    for name, share in shares.items():
        if not (sequence == "dwi" and name == "fat"):
            signal += np.float32(signals[name]) * share
    if ranges.is_disturbed:
        signal *= brighten(rng, anatomy, sequence, ranges)
        if sequence == "flair":
            signal += np.float32(signals["grey"]) * shares["csf"] * flowing_fluid(rng, anatomy, ranges)
        if sequence == "dwi":
            signal *= surface_pile_up(rng, anatomy, ranges)
    if sequence == "dwi":
        signal *= pile_up(anatomy.mni_mm, amounts)
    return signal + fat


def _shifted_fat(rng: np.random.Generator, anatomy: Anatomy, fat: FloatArray, ranges: Ranges) -> FloatArray:
    """Leave some of the fat's signal, and shift it along the phase encoding, as echo-planar imaging does, ``(N,)``."""
    left = fat * np.float32(draw(rng, ranges.fat_left))
    shift = round(draw(rng, ranges.fat_shift_mm) / anatomy.grid.spacing_mm)
    if shift == 0:
        return left
    shifted: FloatArray = np.roll(anatomy.spread(left), rng.choice((-1, 1)) * shift, axis=1)[anatomy.inside]
    return shifted
