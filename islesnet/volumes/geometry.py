"""Checks of grids: one volume's own affine, and how the volumes of a patient lie to each other."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.volumes.finding import Finding, error, warning
from islesnet.volumes.volume import Header, VolumeError

Affine = NDArray[np.float64]

# Axes that miss right angles by more than this are refused; SimpleITK can hold right angles only.
SHEAR_DEGREES = 0.1
_AFFINE_NOISE = 1e-3
_VOXEL_MM = (0.05, 20.0)
_FEWEST_VOXELS = 8
_SMALLEST_EXTENT_MM = 50.0
# Brought to the working grid, a larger field of view fills the memory.
_LARGEST_EXTENT_MM = 1000.0
_SMALLEST_OVERLAP = 0.5
# Of a unit vector: an axis that points this far to one side points there, if not straight; sforms have 0.58 at least.
_SAME_SIDE = 0.25


def check_grid(header: Header) -> list[Finding]:
    """Check one volume's grid: affine, voxel size, extent."""
    affine = header.affine
    if not np.isfinite(affine).all():
        return [error("the affine holds NaN or infinite numbers")]
    if implausible := check_lengths(header.shape, header.spacing):
        return implausible
    angle = shear_degrees(affine)
    if angle > 89.0:
        return [error("the affine is singular: two axes of the volume point the same way")]
    findings = _check_size(header) + _check_stated(header)
    if angle > SHEAR_DEGREES:
        findings.append(
            error(
                f"the grid is sheared by {angle:.2f} degrees (gantry tilt?): its axes must stand at right angles; "
                "resample it to a straight grid"
            )
        )
    return findings


def require_sound_grid(path: Path, header: Header) -> None:
    """Refuse a volume whose grid is unsound.

    Args:
        path: of the volume.
        header: of the volume.

    Raises:
        VolumeError: with the first error that `check_grid` finds.
    """
    errors = [finding.message for finding in check_grid(header) if finding.severity == "error"]
    if errors:
        raise VolumeError(path, errors[0])


def check_lengths(shape: Sequence[int], spacing: Sequence[float]) -> list[Finding]:
    """Check that voxels (mm) and field of view are those of a head scan, not of a wrong header."""
    if min(spacing) < _VOXEL_MM[0] or max(spacing) > _VOXEL_MM[1]:
        return [error(f"voxels of {_lengths(spacing)} mm; a head scan has {_VOXEL_MM[0]:g} to {_VOXEL_MM[1]:g}")]
    extents = [length * size for length, size in zip(shape, spacing, strict=True)]
    if max(extents) > _LARGEST_EXTENT_MM:
        return [error(f"a field of view of {_lengths(extents)} mm; a head scan has at most {_LARGEST_EXTENT_MM:g}")]
    return []


def check_label_grid(label: Header, reference: Header, name: str, mask: str = "label") -> list[Finding]:
    """Check that a label lies on the grid of the reference sequence, which `name` names; `mask` is the label's name."""
    if label.shape != reference.shape:
        return [
            error(
                f"the {mask} has {_shape(label)} voxels, the {name} {_shape(reference)}; "
                f"resample the {mask} to the grid of the {name} (nearest neighbour)"
            )
        ]
    shift = displacement_mm(label, reference)
    if _is_same(label, reference):
        return []
    told = f"the {mask} lies up to {shift:.3g} mm from the grid of the {name}"
    if shift <= _half_voxel(reference):
        return [warning(f"{told}: nearly the same grid; the affine of the {name} is right for both")]
    return [error(f"{told}; resample the {mask} to it (nearest neighbour), or copy the affine of the {name}")]


def check_sequence_grid(other: Header, reference: Header, name: str) -> list[Finding]:
    """Check that a sequence shows the same place as the reference; grids may differ, they are resampled."""
    if other.shape == reference.shape:
        shift = displacement_mm(other, reference)
        if _is_same(other, reference):
            return []
        if shift <= _half_voxel(reference):
            return [warning(f"lies on nearly the same grid as the {name}: same size, up to {shift:.3g} mm apart")]
    covered = covered_fraction(reference, other)
    if covered == 0 and covered_fraction(other, reference) == 0:
        apart = float(np.linalg.norm(_centre(other) - _centre(reference)))
        return [
            error(
                f"shows another place than the {name}: the fields of view do not overlap (centres {apart:.0f} mm "
                "apart); register the sequences first, or correct the affine"
            )
        ]
    if covered < _SMALLEST_OVERLAP:
        return [warning(f"covers only {covered:.0%} of the field of view of the {name}")]
    return []


def lie_on_one_grid(first: Header, second: Header) -> bool:
    """Tell whether two volumes have the same voxels: one shape, and nowhere more than half a voxel apart."""
    return first.shape == second.shape and displacement_mm(first, second) <= _half_voxel(second)


def shear_degrees(affine: Affine) -> float:
    """Return by how many degrees the angle between any two axes of an affine misses 90."""
    columns = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = (columns.T @ columns)[np.triu_indices(3, k=1)]
    return float(np.degrees(np.arcsin(np.clip(np.abs(cosines), 0, 1))).max())


def is_side_doubtful(header: Header) -> bool:
    """Tell whether a header leaves open which side is left: it says nothing of it, or qform and sform disagree."""
    if not header.is_oriented:
        return True
    if header.qform is None or header.sform is None:
        return False
    to_the_right = header.sform[0, :3]
    axis = int(np.argmax(np.abs(to_the_right)))
    told = float(header.qform[0, axis] / np.linalg.norm(header.qform[:3, axis]) * np.sign(to_the_right[axis]))
    return told < _SAME_SIDE


def displacement_mm(first: Header, second: Header) -> float:
    """Return how far apart the corners of two grids of one shape lie, at most, in mm."""
    corners = _corners(first.shape)
    return float(np.linalg.norm((corners @ (first.affine - second.affine).T)[:, :3], axis=1).max())


def covered_fraction(field: Header, cover: Header) -> float:
    """Return which part of a field of view lies within another, probed at 24 x 24 x 24 points."""
    probes = [(np.arange(24) + 0.5) / 24 * length - 0.5 for length in field.shape]
    points = np.stack(np.meshgrid(*probes, [1.0], indexing="ij"), axis=-1).reshape(-1, 4)
    indices = points @ (np.linalg.inv(cover.affine) @ field.affine).T
    inside = (indices[:, :3] >= -0.5) & (indices[:, :3] <= np.array(cover.shape) - 0.5)
    return float(inside.all(axis=1).mean())


def _check_size(header: Header) -> list[Finding]:
    lengths = sorted(header.shape)
    if lengths[1] < _FEWEST_VOXELS:
        return [error(f"{_shape(header)} voxels are no head scan; two axes need at least {_FEWEST_VOXELS}")]
    extents = sorted(length * size for length, size in zip(header.shape, header.spacing, strict=True))
    if extents[1] < _SMALLEST_EXTENT_MM:
        told = _lengths(length * size for length, size in zip(header.shape, header.spacing, strict=True))
        return [warning(f"is only {told} mm large; a head needs more (are the voxel sizes in mm?)")]
    return []


def _check_stated(header: Header) -> list[Finding]:
    """Check what a header does not say, and what a NIfTI says twice: qform and sform, voxel sizes and the affine."""
    findings = []
    if not header.is_oriented:
        findings.append(warning("says nothing about orientation (no qform, sform or space): left may be right"))
    if header.qform is not None and header.sform is not None:
        difference = float(np.abs(header.qform - header.sform).max())
        if not difference <= _AFFINE_NOISE:  # NaN too
            far = displacement_mm(Header(header.shape, header.qform), Header(header.shape, header.sform))
            apart = f"up to {far:.3g} mm apart" + (", also on which side is left" if is_side_doubtful(header) else "")
            findings.append(warning(f"qform and sform disagree by {difference:.3g} ({apart}); the sform is used"))
    stated = header.voxel_size
    if stated is not None and not np.allclose(np.abs(stated), header.spacing, rtol=1e-2, atol=1e-3):
        findings.append(
            warning(
                f"the voxel size is stated as {_lengths(stated)} mm, but the affine says {_lengths(header.spacing)}"
            )
        )
    return findings


def _is_same(first: Header, second: Header) -> bool:
    return float(np.abs(first.affine - second.affine).max()) <= _AFFINE_NOISE


def _half_voxel(header: Header) -> float:
    return min(header.spacing) / 2


def _corners(shape: tuple[int, int, int]) -> NDArray[Any]:
    return np.array([[*corner, 1.0] for corner in itertools.product(*((0, length - 1) for length in shape))])


def _centre(header: Header) -> NDArray[Any]:
    middle = np.array([*((length - 1) / 2 for length in header.shape), 1.0])
    return np.asarray(header.affine[:3] @ middle)


def _shape(header: Header) -> str:
    return " x ".join(str(length) for length in header.shape)


def _lengths(values: Any) -> str:
    return " x ".join(f"{value:.3g}" if math.isfinite(value) else str(value) for value in values)
