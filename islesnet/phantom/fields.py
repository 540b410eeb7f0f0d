"""Smooth random fields and resampling along axes, without a linear-algebra library so that every bit repeats."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# float32 where it is as large as an image, float64 where it is a few coordinates.
FloatArray = NDArray[np.floating[Any]]


def draw_control_grid(rng: np.random.Generator, extent_mm: Sequence[float], control_mm: float) -> FloatArray:
    """Draw the control values of a smooth random field over a field of view.

    Drawn over the whole field of view and in mm, so that the same seed gives the same field at every spacing.

    Args:
        rng: source of randomness.
        extent_mm: size of the field of view along x, y, z.
        control_mm: distance between control points; details are about as large as this.

    Returns:
        Standard normal values, three points wider than the field of view on each axis (the reach of the spline).
    """
    shape = [int(np.ceil(extent / control_mm)) + 4 for extent in extent_mm]
    return rng.standard_normal(shape, dtype=np.float32)


def evaluate_spline(control: FloatArray, positions_mm: Sequence[FloatArray], control_mm: float) -> FloatArray:
    """Evaluate a uniform cubic B-spline on a rectangular grid of points.

    Source: the free-form deformation of Rueckert et al., IEEE TMI 18:712, 1999, equation 2.

    Args:
        control: control values as `draw_control_grid` makes them.
        positions_mm: the grid's coordinates along x, y, z, from the edge of the field of view (0 and up).
        control_mm: distance between control points.

    Shapes:
        control ``(A, B, C)``, positions ``(X,), (Y,), (Z,)`` -> ``(X, Y, Z)``.
    """
    field = control
    for axis, positions in enumerate(positions_mm):
        cell = np.floor(positions / control_mm)
        weights = _cubic_weights((positions / control_mm - cell).astype(np.float32))
        first = cell.astype(np.intp)
        shape = [1, 1, 1]
        shape[axis] = len(positions)
        # One axis at a time: the largest intermediate is the result itself.
        coarse = field
        field = np.take(coarse, first, axis=axis) * weights[0].reshape(shape)  # that axis: control points -> positions
        for tap in (1, 2, 3):
            field += np.take(coarse, first + tap, axis=axis) * weights[tap].reshape(shape)
    return field


def evaluate_unit_field(control: FloatArray, positions_mm: Sequence[FloatArray], control_mm: float) -> FloatArray:
    """Evaluate a random spline field, scaled to a standard deviation of about 1 over space and seeds.

    Args and shapes as for `evaluate_spline`.
    """
    # A cubic B-spline of white noise has, per axis, the variance sum of the squared weights, on average 0.479.
    return evaluate_spline(control, positions_mm, control_mm) * np.float32(0.479**-1.5)


def resample_axis(volume: FloatArray, positions: FloatArray, axis: int) -> FloatArray:
    """Interpolate linearly along one axis; beyond the ends the last value holds.

    Args:
        volume: any 3D array.
        positions: where to sample, in voxels of `axis`.
        axis: 0, 1 or 2.

    Shapes:
        ``(X, Y, Z)`` -> the same with ``len(positions)`` along `axis`.
    """
    last = volume.shape[axis] - 1
    clipped = np.clip(positions, 0, last)
    lower = np.minimum(np.floor(clipped).astype(np.intp), max(last - 1, 0))
    shape = [1, 1, 1]
    shape[axis] = len(positions)
    weight = (clipped - lower).astype(np.float32).reshape(shape)
    upper = np.minimum(lower + 1, last)
    below: FloatArray = np.take(volume, lower, axis=axis) * (1 - weight)
    above: FloatArray = np.take(volume, upper, axis=axis) * weight
    return below + above


def _cubic_weights(t: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
