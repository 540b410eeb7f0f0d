"""A patient's build: size, posture, shape and age, and by them where each voxel lies in the average brain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from islesnet.phantom.fields import FloatArray, draw_control_grid, evaluate_spline
from islesnet.phantom.ranges import SISS_LIKE, Ranges, draw
from islesnet.phantom.templates import Templates

FIELD_OF_VIEW_MM = (230.0, 230.0, 154.0)  # of ISLES 2015 SISS
CENTRE_MM = (0.0, -17.0, 5.0)  # of the average brain, and of every field of view

# The MNI brain is larger than people's: 1883 ml inside the hull against 1521 ml on average in SISS.
MEAN_SCALE = 0.93
CONTROL_MM = 32.0
# Below 0.4 of the control distance a cubic B-spline deformation cannot fold (Choi and Lee, 2000).
MAX_BEND_MM = 9.0
MOST_SHIFT_MM = 15.0  # that an echo-planar image displaces
SULCUS_MM = 7.0  # distance between control points of what differs from sulcus to sulcus


@dataclass(frozen=True)
class Grid:
    """Cubic voxels over the field of view, axes right, anterior, superior (RAS+).

    Args:
        spacing_mm: edge of a voxel.
    """

    spacing_mm: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along x, y, z."""
        x, y, z = (int(np.ceil(extent / self.spacing_mm - 1e-6)) for extent in FIELD_OF_VIEW_MM)
        return x, y, z

    @property
    def affine(self) -> FloatArray:
        """Voxel indices to mm."""
        affine = np.diag([self.spacing_mm] * 3 + [1.0])
        affine[:3, 3] = [self.coordinates(axis)[0] for axis in range(3)]
        return affine

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return self.spacing_mm**3 / 1000

    def coordinates(self, axis: int) -> FloatArray:
        """Give the voxel centres along an axis in mm."""
        count = self.shape[axis]
        return (np.arange(count) - (count - 1) / 2) * self.spacing_mm + CENTRE_MM[axis]

    def depths(self, axis: int) -> FloatArray:
        """Give the voxel centres along an axis in mm from the edge of the field of view."""
        return self.coordinates(axis) - CENTRE_MM[axis] + FIELD_OF_VIEW_MM[axis] / 2


@dataclass(frozen=True)
class Build:
    """How a patient's brain differs from the average one.

    Args:
        inverse: the patient's mm (from the centre) to MNI mm (from the centre), ``(3, 3)``.
        bend: control values of the displacement along x, y, z, each ``(A, B, C)``, in mm.
        ventricles: how much the lateral ventricles are widened, from 0 (not at all).
        atrophy: odds of fluid against tissue, relative to the average brain.
        sulci: control values of what these odds vary by from place to place, as a logarithm; None where they do not.
    """

    inverse: FloatArray
    bend: tuple[FloatArray, FloatArray, FloatArray]
    ventricles: float
    atrophy: float
    sulci: FloatArray | None = None


def draw_build(rng: np.random.Generator, ranges: Ranges = SISS_LIKE) -> Build:
    """Draw a patient's build: size, posture, shape and age."""
    smallest, largest = ranges.head_scale
    half = (largest - smallest) / 2
    size = rng.normal(0, 0.25 * half) + rng.normal(0, half / 3, 3)
    scale = np.clip(MEAN_SCALE + size, smallest, largest)
    turn = ranges.rotation_deg[1]
    angles = np.deg2rad(np.clip(rng.normal(0, (turn / 2, turn * 0.3125, turn * 0.4375)), -turn, turn))
    bend_mm = draw(rng, ranges.bend_sd_mm)
    bend = [
        np.clip(draw_control_grid(rng, FIELD_OF_VIEW_MM, CONTROL_MM) * bend_mm, -MAX_BEND_MM, MAX_BEND_MM)
        for _ in range(3)
    ]
    age = rng.uniform()
    least, most = ranges.atrophy
    ventricles = float(ranges.ventricle_widening[1] * age * rng.uniform(0.5, 1))
    atrophy = float(least * (most / least) ** (age * rng.uniform(0.5, 1)))
    variation = draw(rng, ranges.sulcal_variation)
    return Build(
        inverse=_rotation(angles) / scale[:, None],
        bend=(bend[0].astype(np.float32), bend[1].astype(np.float32), bend[2].astype(np.float32)),
        ventricles=ventricles,
        atrophy=atrophy,
        sulci=draw_control_grid(rng, FIELD_OF_VIEW_MM, SULCUS_MM) * np.float32(variation) if variation else None,
    )


def find_box(grid: Grid, build: Build, templates: Templates, margins_mm: Sequence[float]) -> tuple[slice, slice, slice]:
    """Find the brain at 6 mm, and the box around it on the grid, with margins (at least a coarse voxel)."""
    coarse = replace(grid, spacing_mm=6.0)
    everything = (slice(None), slice(None), slice(None))
    hull = templates.sample("hull", to_mni(coarse, everything, build)) > 0.1
    box = []
    for axis, part in enumerate(ndimage.find_objects(hull.astype(np.uint8))[0]):
        ends = coarse.coordinates(axis)[[part.start, part.stop - 1]]
        first, last = (
            np.searchsorted(grid.coordinates(axis), end)
            for end in (ends[0] - margins_mm[axis], ends[1] + margins_mm[axis])
        )
        box.append(slice(int(first), int(last)))
    return box[0], box[1], box[2]


def depths_in(grid: Grid, box: tuple[slice, slice, slice]) -> list[FloatArray]:
    """Give the voxel centres of a box along each axis, in mm from the edge of the field of view."""
    return [grid.depths(axis)[part] for axis, part in enumerate(box)]


def to_mni(grid: Grid, box: tuple[slice, slice, slice], build: Build) -> FloatArray:
    """Send every voxel of the box to the average brain, ``(3, X, Y, Z)`` in mm."""
    depths = depths_in(grid, box)
    offsets = [
        (grid.coordinates(axis)[part] - CENTRE_MM[axis]).astype(np.float32).reshape(np.roll((-1, 1, 1), axis))
        for axis, part in enumerate(box)
    ]
    inverse = build.inverse.astype(np.float32)
    mni = []
    for axis in range(3):
        moved = evaluate_spline(build.bend[axis], depths, CONTROL_MM)
        for source in range(3):
            moved += inverse[axis, source] * offsets[source]
        mni.append(moved + np.float32(CENTRE_MM[axis]))
    return _widen_ventricles(np.stack(mni), build.ventricles)


def _widen_ventricles(mni_mm: FloatArray, amount: float) -> FloatArray:
    """Draw the sampling points around each lateral ventricle towards it, which makes it larger on the patient."""
    pull = np.zeros_like(mni_mm)
    for centre in ((13.0, -10.0, 18.0), (-13.0, -10.0, 18.0)):
        offset = [coordinate - np.float32(middle) for coordinate, middle in zip(mni_mm, centre, strict=True)]
        distance = sum((o / np.float32(width)) ** 2 for o, width in zip(offset, (12, 40, 14), strict=True))
        nearness = np.exp(-0.5 * distance)
        for axis in (0, 2):
            pull[axis] += nearness * offset[axis]
    return mni_mm - np.float32(amount) * pull


def _rotation(angles: FloatArray) -> FloatArray:
    """Rotate about x, then y, then z, in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: FloatArray = about_z @ about_y @ about_x
    return rotation
