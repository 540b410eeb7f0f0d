"""What moves between and during scans: sequences apart by a little, blur, ghosts, a field of view cut short."""

import numpy as np
from scipy import ndimage

from islesnet.phantom.fields import FloatArray
from islesnet.phantom.ranges import Ranges, draw

CUT_PROBABILITY = 0.2  # of a field of view that misses part of the head


def draw_misregistration(rng: np.random.Generator, ranges: Ranges) -> FloatArray | None:
    """Draw the rigid motion between a sequence and the reference, in mm about the middle of the image, ``(3, 4)``.

    None where the ranges know no motion.
    """
    if not any(ranges.shift_mm + ranges.turn_deg):
        return None
    direction = rng.normal(size=3)
    shift = direction / np.linalg.norm(direction) * draw(rng, ranges.shift_mm)
    x, y, z = np.deg2rad(draw(rng, ranges.turn_deg)) * rng.uniform(-1, 1, 3)
    # Small angles: the rotation is the identity and the cross product.
    turn = np.array([[1, -z, y], [z, 1, -x], [-y, x, 1]])
    return np.column_stack([turn, shift])


def move(image: FloatArray, motion: FloatArray, spacing_mm: float) -> FloatArray:
    """Move an image of cubic voxels rigidly, linearly interpolated; 0 comes in from outside.

    Shapes:
        ``(X, Y, Z)``, motion ``(3, 4)`` -> ``(X, Y, Z)``.
    """
    turn, shift = motion[:, :3], motion[:, 3] / spacing_mm
    middle = (np.array(image.shape) - 1) / 2
    moved: FloatArray = ndimage.affine_transform(image, turn, middle - turn @ middle + shift, order=1)
    return moved


def blur_and_ghost(rng: np.random.Generator, image: FloatArray, spacing_mm: float, ranges: Ranges) -> FloatArray:
    """Blur along one axis in plane as motion does, and add a faint copy half a field of view away.

    Shapes:
        ``(X, Y, Z)`` -> the same.
    """
    axis = int(rng.integers(2))
    blur_mm = draw(rng, ranges.blur_mm) * rng.choice((0.0, 1.0))
    blurred: FloatArray = image
    if blur_mm > 0.2 * spacing_mm:
        blurred = ndimage.gaussian_filter1d(image, blur_mm / spacing_mm, axis=axis)
    share = draw(rng, ranges.ghost) * rng.choice((0.0, 1.0))
    if share > 0:
        blurred = blurred + np.float32(share) * np.roll(blurred, blurred.shape[axis] // 2, axis=axis)
    return blurred


def sharpen(image: FloatArray, amount: float, spacing_mm: float) -> FloatArray:
    """Sharpen as the scanner's filters do: unsharp masking over 1.5 mm, never below 0."""
    smooth: FloatArray = ndimage.gaussian_filter(image, 1.5 / spacing_mm)
    sharp: FloatArray = np.maximum(image + np.float32(amount) * (image - smooth), 0)
    return sharp


def cut_field_of_view(image: FloatArray, missing_mm: tuple[float, float], spacing_mm: float) -> FloatArray:
    """Blank the slices within so many mm of the bottom and of the top of the image.

    Shapes:
        ``(X, Y, Z)`` -> the same.
    """
    bottom, top = (round(missing / spacing_mm) for missing in missing_mm)
    image[:, :, :bottom] = 0
    image[:, :, image.shape[2] - top :] = 0
    return image


def draw_cut(rng: np.random.Generator, ranges: Ranges) -> tuple[float, float]:
    """Draw how many mm are missing at the bottom and at the top."""
    if not any(ranges.cut_mm) or rng.uniform() > CUT_PROBABILITY:
        return 0.0, 0.0
    missing = draw(rng, ranges.cut_mm)
    return (missing, 0.0) if rng.uniform() < 0.5 else (0.0, missing)
