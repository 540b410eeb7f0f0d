"""From the positions of slices to a grid: missing slices, uneven spacing and tilted gantries are found here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from islesnet.counts import counted
from islesnet.scanner.candidate import Grid, UnusableError
from islesnet.scanner.dicom.frames import Frame
from islesnet.volumes.geometry import SHEAR_DEGREES

FEWEST_SLICES = 5
_SAME_PLACE_MM = 0.05
_NOISE = 0.02  # of the spacing between slices: rounding in the header
_ROUNDING = 0.01  # of directions in the header
_UNEVEN = 0.1  # of the spacing: told, and evened out; more is refused


def is_orientation(directions: Sequence[float]) -> bool:
    """Tell whether Image Orientation (Patient) is two directions of length 1 at right angles."""
    if len(directions) != 6:
        return False
    row, column = np.array(directions[:3]), np.array(directions[3:])
    lengths = np.linalg.norm([row, column], axis=1)
    return bool(np.abs(lengths - 1).max() <= _ROUNDING and abs(row @ column) <= _ROUNDING)


def positions_across(frames: Sequence[Frame]) -> NDArray[np.float64]:
    """Return where slices lie along their common normal, in mm."""
    normal = frames[0].normal
    return np.array([frame.position for frame in frames]) @ normal / np.linalg.norm(normal)


def same_places(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Gather the slices that lie at one place, in the order of the places along the normal."""
    along = positions_across(frames)
    places: list[list[Frame]] = []
    last = -np.inf
    for index in np.argsort(along, kind="stable"):
        if along[index] - last > _SAME_PLACE_MM:
            places.append([])
        last = along[index]
        places[-1].append(frames[index])
    return places


def grid_through(slices: Sequence[Frame]) -> tuple[Grid, list[str]]:
    """Lay a grid through slices that are sorted along their normal.

    Returns:
        The grid, and notes on uneven spacing that was evened out.

    Raises:
        UnusableError: for too few slices, missing ones, uneven spacing, or a sheared grid.
    """
    if len(slices) < FEWEST_SLICES:
        raise UnusableError(f"has {counted(len(slices), 'slice')}; a scan of a head has at least {FEWEST_SLICES}")
    positions = np.array([frame.position for frame in slices])
    steps = np.diff(positions_across(slices))
    note = _check_steps(steps)
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    first = slices[0]
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    axes = np.column_stack([row / np.linalg.norm(row), column / np.linalg.norm(column), step / np.linalg.norm(step)])
    _check_angles(axes, step)
    left, _, right = np.linalg.svd(axes)  # the nearest matrix with exact right angles
    x, y, z = (float(value) for value in positions[0])
    shape = (*first.size, len(slices))
    spacing = (*first.spacing, float(np.linalg.norm(step)))
    return Grid(shape, spacing, (x, y, z), left @ right), note


def _check_steps(steps: NDArray[np.float64]) -> list[str]:
    usual = float(np.median(steps))
    off = np.abs(steps - usual)
    if off.max() <= max(_NOISE * usual, _SAME_PLACE_MM):
        return []
    ratios = steps / usual
    gaps = ratios > 1.5
    if gaps.any() and np.all(np.abs(ratios[gaps] - np.round(ratios[gaps])) <= _UNEVEN):
        missing = int(np.sum(np.round(ratios[gaps]) - 1))
        place = int(np.argmax(gaps)) + 1
        raise UnusableError(
            f"lacks {missing} of {len(steps) + 1 + missing} slices (the first after slice {place}: "
            f"{steps[place - 1]:.2f} mm to the next, elsewhere {usual:.2f}); export the series again, whole"
        )
    if off.max() > _UNEVEN * usual:
        raise UnusableError(
            f"has slices that lie {steps.min():.2f} to {steps.max():.2f} mm apart; even spacing is needed: "
            "resample it first"
        )
    return [f"its slices lie {steps.min():.2f} to {steps.max():.2f} mm apart; they are taken as {steps.mean():.2f} mm"]


def _check_angles(axes: NDArray[np.float64], step: NDArray[np.float64]) -> None:
    normal = np.cross(axes[:, 0], axes[:, 1])
    along = float(step @ normal)
    across = float(np.linalg.norm(step - along * normal))
    angle = float(np.degrees(np.arctan2(across, abs(along))))
    if angle > SHEAR_DEGREES:
        raise UnusableError(
            f"is sheared by {angle:.1f} degrees (gantry tilt?): each slice lies {across:.2f} mm beside the one before; "
            "its axes must stand at right angles: resample it to a straight grid"
        )
