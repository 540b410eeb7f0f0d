"""A patient's brain: the average brain's tissues, scaled, turned, bent and aged onto the patient's grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from islesnet.phantom.build import (
    FIELD_OF_VIEW_MM,
    MOST_SHIFT_MM,
    SULCUS_MM,
    Grid,
    depths_in,
    draw_build,
    find_box,
    to_mni,
)
from islesnet.phantom.fields import FloatArray, draw_control_grid, evaluate_unit_field
from islesnet.phantom.folding import draw_folds, fold
from islesnet.phantom.head import HEAD_END, face_share, load_head, share_out_head
from islesnet.phantom.ranges import SISS_LIKE, Ranges, draw
from islesnet.phantom.templates import load_templates

SHELL_MM = 40.0  # distance between control points of the thickness of skull and scalp


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
        field: FloatArray = evaluate_unit_field(control, depths_in(self.grid, self.box), control_mm)[self.inside]
        return field


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
    # In an echo-planar image signal lands beyond the brain, in front and behind.
    beyond_mm = max(reach_mm, MOST_SHIFT_MM if ranges.shift_mm_per_ppm[1] else 0.0)
    box = find_box(grid, build, templates, margins_mm=(6 + reach_mm, 6 + beyond_mm, 6 + reach_mm))
    mni = to_mni(grid, box, build)
    brain = templates.sample("hull", mni) > hull_level
    inside, outside_mm = brain, np.zeros_like(mni[0])
    if not is_skull_stripped:
        outside_mm = load_head().sample("outside", mni, beyond=99.0) / _draw_shell(rng, grid, box, mni, ranges)
        inside = brain | (outside_mm < HEAD_END)
    mni, brain, outside_mm = mni[:, inside], brain[inside], outside_mm[inside]  # (..., X, Y, Z) -> (..., N)
    shares = {name: templates.sample(name, mni) for name in ("white", "grey", "csf")}
    odds: FloatArray | np.float32 = np.float32(build.atrophy)
    if build.sulci is not None:
        odds = odds * np.exp(evaluate_unit_field(build.sulci, depths_in(grid, box), SULCUS_MM)[inside])
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
    field = evaluate_unit_field(control, depths_in(grid, box), SHELL_MM)
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
