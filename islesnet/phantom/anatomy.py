"""A patient's brain: the average brain's tissues, scaled, turned, bent and aged onto the patient's grid."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.phantom.fields import FloatArray, draw_control_grid, evaluate_spline, evaluate_unit_field
from islesnet.phantom.folding import draw_folds, fold
from islesnet.phantom.head import HEAD_END, face_share, load_head, share_out_head
from islesnet.phantom.ranges import SISS_LIKE, Ranges, draw
from islesnet.phantom.templates import Templates, load_templates

FIELD_OF_VIEW_MM = (230.0, 230.0, 154.0)  # of ISLES 2015 SISS
CENTRE_MM = (0.0, -17.0, 5.0)  # of the average brain, and of every field of view

# The MNI brain is larger than people's: 1883 ml inside the hull against 1521 ml on average in SISS.
MEAN_SCALE = 0.93
CONTROL_MM = 32.0
# Below 0.4 of the control distance a cubic B-spline deformation cannot fold (Choi and Lee, 2000).
MAX_BEND_MM = 9.0
SULCUS_MM = 7.0  # distance between control points of what differs from sulcus to sulcus
SHELL_MM = 40.0  # likewise for the thickness of skull and scalp


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
class Anatomy:
    """Where a patient's brain is and what it consists of; ``N`` is the number of voxels in the image.

    These are the brain's, and those of skull and scalp where they are not stripped.

    Args:
        grid: the patient's grid.
        box: the part of the grid that holds the N voxels.
        inside: which voxels of the box they are.
        brain: which of the N voxels are brain.
        mni_mm: where each of the N voxels lies in the average brain.
        tissues: share of ``white``, ``grey``, ``pallidum`` and ``csf`` (and, around the brain, ``bone`` and
            ``fat``) in each of the N voxels; they add up to 1.
        periventricular: nearness to the lateral ventricles, 0 to 1.
    """

    grid: Grid
    box: tuple[slice, slice, slice]
    inside: NDArray[np.bool_]
    brain: NDArray[np.bool_]
    mni_mm: FloatArray
    tissues: dict[str, FloatArray]
    periventricular: FloatArray

    @property
    def parenchyma(self) -> FloatArray:
        """Share of brain tissue in each voxel, ``(N,)``."""
        return self.tissues["white"] + self.tissues["grey"] + self.tissues["pallidum"]

    def spread(self, values: FloatArray) -> FloatArray:
        """Put values of the brain's voxels back into the box, ``(N,)`` -> ``(X, Y, Z)`` of the box."""
        volume = np.zeros(self.inside.shape, dtype=np.float32)
        volume[self.inside] = values
        return volume

    def smooth_field(self, rng: np.random.Generator, control_mm: float) -> FloatArray:
        """Draw a smooth field of zero mean and unit variance over the brain, ``(N,)``."""
        control = draw_control_grid(rng, FIELD_OF_VIEW_MM, control_mm)
        field: FloatArray = evaluate_unit_field(control, _depths(self.grid, self.box), control_mm)[self.inside]
        return field


@dataclass(frozen=True)
class Build:
    """How a patient's brain differs from the average one.

    Args:
        inverse: the patient's mm (from the centre) to MNI mm (from the centre), ``(3, 3)``.
        bend: control values of the displacement along x, y, z, each ``(A, B, C)``, in mm.
        ventricles: how much the lateral ventricles are widened, 0 to 0.35.
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


def make_anatomy(
    rng: np.random.Generator, spacing_mm: float, is_skull_stripped: bool = True, ranges: Ranges = SISS_LIKE
) -> Anatomy:
    """Make the anatomy of one patient.

    Args:
        rng: source of randomness; the same state gives the same patient at every spacing, stripped or not.
        spacing_mm: edge of the cubic voxels.
        is_skull_stripped: leave skull and scalp away.
        ranges: what the build is drawn from.
    """
    build = draw_build(rng, ranges)
    hull_level = draw(rng, ranges.hull_level)  # brain extraction leaves more or less of the fluid around the brain
    grid, templates = Grid(spacing_mm), load_templates(spacing_mm)
    # Beyond the shell lies the face, as far as the field of view goes.
    reach_mm = 0.0 if is_skull_stripped else 1.2 * HEAD_END * ranges.shell[1] * (1 + ranges.face[1])
    box = _find_box(grid, build, templates, margin_mm=6.0 + reach_mm)
    mni = _to_mni(grid, box, build)
    brain = templates.sample("hull", mni) > hull_level
    inside, outside_mm = brain, np.zeros_like(mni[0])
    if not is_skull_stripped:
        outside_mm = load_head().sample("outside", mni, beyond=99.0) / _draw_shell(rng, grid, box, mni, ranges)
        inside = brain | (outside_mm < HEAD_END)
    mni, brain, outside_mm = mni[:, inside], brain[inside], outside_mm[inside]  # (..., X, Y, Z) -> (..., N)
    shares = {name: templates.sample(name, mni) for name in ("white", "grey", "csf")}
    odds: FloatArray | np.float32 = np.float32(build.atrophy)
    if build.sulci is not None:
        odds = odds * np.exp(evaluate_unit_field(build.sulci, _depths(grid, box), SULCUS_MM)[inside])
    aged = _age(shares, odds)
    folds = draw_folds(rng, ranges)
    if folds is not None:
        aged = fold(aged, folds, templates, mni, spacing_mm)
    tissues = _with_pallidum(aged, mni)
    return Anatomy(
        grid=grid,
        box=box,
        inside=inside,
        brain=brain,
        mni_mm=mni,
        tissues=tissues if is_skull_stripped else _with_head(tissues, outside_mm, brain),
        periventricular=templates.sample("periventricular", mni),
    )


def _find_box(grid: Grid, build: Build, templates: Templates, margin_mm: float) -> tuple[slice, slice, slice]:
    """Find the brain at 6 mm, and the box around it on the grid with a margin (at least a coarse voxel)."""
    coarse = replace(grid, spacing_mm=6.0)
    everything = (slice(None), slice(None), slice(None))
    hull = templates.sample("hull", _to_mni(coarse, everything, build)) > 0.1
    box = []
    for axis, part in enumerate(ndimage.find_objects(hull.astype(np.uint8))[0]):
        ends = coarse.coordinates(axis)[[part.start, part.stop - 1]]
        first, last = (
            np.searchsorted(grid.coordinates(axis), end) for end in (ends[0] - margin_mm, ends[1] + margin_mm)
        )
        box.append(slice(int(first), int(last)))
    return box[0], box[1], box[2]


def _depths(grid: Grid, box: tuple[slice, slice, slice]) -> list[FloatArray]:
    return [grid.depths(axis)[part] for axis, part in enumerate(box)]


def _to_mni(grid: Grid, box: tuple[slice, slice, slice], build: Build) -> FloatArray:
    """Send every voxel of the box to the average brain, ``(3, X, Y, Z)`` in mm."""
    depths = _depths(grid, box)
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


def _age(shares: dict[str, FloatArray], odds: FloatArray | np.float32) -> dict[str, FloatArray]:
    """Shift the balance between fluid and tissue, where a voxel holds both, by the odds."""
    fluid = shares["csf"] * odds
    total = np.maximum(fluid + shares["white"] + shares["grey"], np.float32(1e-6))
    aged = {name: shares[name] / total for name in ("white", "grey")}
    return {**aged, "csf": np.float32(1) - aged["white"] - aged["grey"]}


def _with_pallidum(shares: dict[str, FloatArray], mni_mm: FloatArray) -> dict[str, FloatArray]:
    """Set the iron-rich pallidum, which the maps count as white matter, apart as its own tissue."""
    x, y, z = mni_mm
    # About 8 x 20 x 10 mm, its back end turned outwards by some 25 degrees.
    outward, forward = np.abs(x) - np.float32(19), y + np.float32(4)
    across, along = 0.9 * outward + 0.4 * forward, 0.9 * forward - 0.4 * outward
    distance = (across / 4) ** 2 + (along / 10) ** 2 + (z / 5) ** 2
    pallidum = (shares["white"] + shares["grey"]) / (1 + np.exp(np.minimum(6 * (distance - 1), 50)))
    rest = np.float32(1) - pallidum / np.maximum(shares["white"] + shares["grey"], np.float32(1e-6))
    return {
        "white": (shares["white"] * rest).astype(np.float32),
        "grey": (shares["grey"] * rest).astype(np.float32),
        "pallidum": pallidum.astype(np.float32),
        "csf": shares["csf"],
    }


def _draw_shell(
    rng: np.random.Generator, grid: Grid, box: tuple[slice, slice, slice], mni_mm: FloatArray, ranges: Ranges
) -> FloatArray:
    """Draw how thick skull, scalp and face are around each voxel, relative to the typical shell, ``(X, Y, Z)``."""
    if ranges.shell[0] == ranges.shell[1]:
        return np.full(mni_mm.shape[1:], ranges.shell[0], dtype=np.float32)
    control = draw_control_grid(rng, FIELD_OF_VIEW_MM, SHELL_MM)
    field = evaluate_unit_field(control, _depths(grid, box), SHELL_MM)
    thickness = np.clip(draw(rng, ranges.shell) * (1 + 0.15 * field), *ranges.shell)
    shell: FloatArray = thickness * (1 + np.float32(draw(rng, ranges.face)) * face_share(mni_mm))
    return shell


def _with_head(
    tissues: dict[str, FloatArray], outside_mm: FloatArray, brain: NDArray[np.bool_]
) -> dict[str, FloatArray]:
    """Add what lies around the brain, and keep the brain's tissues to the brain."""
    is_brain = brain.astype(np.float32)
    head = share_out_head(outside_mm, is_brain)
    inner = {name: share * is_brain for name, share in tissues.items()}
    return {**inner, **head, "csf": inner["csf"] + head["csf"]}


def _rotation(angles: FloatArray) -> FloatArray:
    """Rotate about x, then y, then z, in radians."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: FloatArray = about_z @ about_y @ about_x
    return rotation
