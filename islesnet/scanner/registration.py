"""Rigid registration of two scans of one head: run in both directions, measured, and flagged where it failed.

Mattes et al., IEEE TMI 22:120, 2003 (mutual information), through SimpleITK. One thread and fixed seeds make the result
reproducible but for the last bit; a registration takes only seconds even so.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from islesnet.interruptions import interruptions_held_back
from islesnet.scanner.grids import have_same_grid
from islesnet.scanner.rigid import halfway, inverse, mean_distance_mm, rotation_degrees, turned
from islesnet.scanner.similarity import Likeness
from islesnet.volumes.levels import bright_part, points_of, robust, shrink, widened

COARSE_MM = 8.0
MARGIN_MM = 6.0
SAMPLES = 400_000
SEED = 1
# A rotation by one radian moves a head's surface by about its radius: what makes mm and radians comparable.
HEAD_RADIUS_MM = 80.0
START_DEGREES = 10.0

# What is asked of a registration before its image is used.
LARGEST_DISAGREEMENT_MM = 1.5
LARGEST_ROTATION_DEGREES = 45.0
LEAST_LIKENESS = 1.02


@dataclass(frozen=True)
class Level:
    """One pass of the optimiser.

    Args:
        spacing_mm: smallest voxel edge of the images.
        first_step_mm: how far the first step goes.
        last_step_mm: the pass ends when its steps become shorter than this.
        bins: how many each image's values are sorted into. Few bins make the search smooth, and many mislead it while
            it is far off. But fat is so bright that hardly any of a few bins are left for the tissues of the brain,
            and the result is off by a millimetre. So the first passes have few, and the last has many and small steps.
    """

    spacing_mm: float
    first_step_mm: float
    last_step_mm: float
    bins: int


COARSE = Level(COARSE_MM, 4.0, 0.2, bins=24)
FINE = (Level(4.0, 2.0, 0.05, bins=32), Level(2.0, 0.5, 0.02, bins=32), Level(2.0, 0.1, 0.01, bins=128))


@dataclass(frozen=True)
class Alignment:
    """How one scan lies to the reference, and whether to believe it.

    Args:
        transform: takes points of the reference to points of the moving scan, in mm, left-posterior-superior.
        moved_mm: how far it moves the head, on average.
        rotation_deg: how far it turns it.
        quality: normalised mutual information around the head, 1 to 2, of the scans as they now lie.
        quality_before: the same before the registration.
        disagreement_mm: mean distance in the head between the registrations in the two directions, one of them
            inverted; 0 where none ran.
        is_trusted: whether the moving scan may be used.
        reason: why not, or what was done.
    """

    transform: sitk.Euler3DTransform
    moved_mm: float
    rotation_deg: float
    quality: float
    quality_before: float
    disagreement_mm: float
    is_trusted: bool
    reason: str


def align(reference: sitk.Image, moving: sitk.Image) -> Alignment:
    """Find how a scan lies to the reference; contrasts, grids, slice thickness and field of view may differ.

    Scans on one grid that match already are left where they are.
    """
    likeness = Likeness(reference, moving)
    stay = sitk.Euler3DTransform()
    before = likeness.under(stay)
    if have_same_grid(reference, moving) and likeness.is_peak_at(stay):
        return stays("lies on the reference already", before)
    head = points_of(bright_part(shrink(robust(reference), COARSE_MM)))
    there, back = _register(reference, moving), _register(moving, reference)
    if there is None or back is None:
        return stays("the two scans share no place that could be compared", before, is_trusted=False)
    disagreement = mean_distance_mm(there, inverse(back), head)
    transform = halfway(there, inverse(back), head.mean(axis=0))
    after, turn = likeness.under(transform), rotation_degrees(transform)
    doubt = _doubt(disagreement, turn, after, before, likeness.is_peak_at(transform))
    moved = mean_distance_mm(transform, sitk.Transform(), head)
    reason = doubt or f"moved by {moved:.1f} mm and {turn:.1f} degrees"
    return Alignment(transform, moved, turn, after, before, disagreement, not doubt, reason)


def match(reference: sitk.Image, moving: sitk.Image) -> bool:
    """Tell whether two scans have the same grid and match: every small shift or turn makes them less alike."""
    return have_same_grid(reference, moving) and Likeness(reference, moving).is_peak_at(sitk.Euler3DTransform())


def stays(reason: str, quality: float = 1.0, is_trusted: bool = True) -> Alignment:
    """Give the alignment of a scan that is not moved."""
    return Alignment(sitk.Euler3DTransform(), 0.0, 0.0, quality, quality, 0.0, is_trusted, reason)


def _doubt(disagreement: float, turn: float, after: float, before: float, is_peak: bool) -> str:
    """Give a reason to distrust a registration; empty where there is none."""
    if disagreement > LARGEST_DISAGREEMENT_MM:
        return f"the registrations there and back disagree by {disagreement:.1f} mm (at most {LARGEST_DISAGREEMENT_MM})"
    if turn > LARGEST_ROTATION_DEGREES:
        return f"a turn by {turn:.0f} degrees was found; no head turns by more than {LARGEST_ROTATION_DEGREES:.0f}"
    if after < LEAST_LIKENESS:
        return f"the scans have hardly anything in common (normalised mutual information {after:.3f})"
    if after < before or not is_peak:
        return "another position makes the scans more alike than the one that was found"
    return ""


def _register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Euler3DTransform | None:
    """Find the best of several starts at 8 mm, then refine it; None where no overlap or no head is found."""
    fixed, moving = robust(fixed), robust(moving)
    coarse = shrink(fixed, COARSE_MM), shrink(moving, COARSE_MM)
    centres = [points_of(bright_part(image)) for image in coarse]
    if not all(len(points) for points in centres):
        return None
    tried = [
        (_optimise(*coarse, start, COARSE), number, start)
        for number, start in enumerate(_starts(centres[0].mean(axis=0), centres[1].mean(axis=0)))
    ]
    value, _, best = min(tried)
    if not np.isfinite(value):
        return None
    for level in FINE:
        value = _optimise(shrink(fixed, level.spacing_mm), shrink(moving, level.spacing_mm), best, level)
        if not np.isfinite(value):
            return None
    return best


def _starts(centre: NDArray[np.float64], moving_centre: NDArray[np.float64]) -> list[sitk.Euler3DTransform]:
    """List where to start from: as the headers say, the heads' centres matched, and these turned about each axis."""
    shift = moving_centre - centre
    turns = [sign * START_DEGREES * axis for axis in np.eye(3) for sign in (-1, 1)]
    return [
        turned(np.zeros(3), centre, np.zeros(3)),
        turned(np.zeros(3), centre, shift),
        *(turned(turn, centre, shift) for turn in turns),
    ]


def _optimise(fixed: sitk.Image, moving: sitk.Image, transform: sitk.Euler3DTransform, level: Level) -> float:
    """Improve a transform in place; give the metric's value, the lower the better, infinity where it failed."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(level.bins)
    # The space around the head is part of what must match, or the head would slip out of view.
    method.SetMetricFixedMask(widened(bright_part(fixed), MARGIN_MM))
    share = SAMPLES / fixed.GetNumberOfPixels()
    if share < 1:
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(share, SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(level.first_step_mm, level.last_step_mm, 60)
    method.SetOptimizerScales([HEAD_RADIUS_MM**2] * 3 + [1.0] * 3)
    method.SetInitialTransform(transform, inPlace=False)
    start = tuple(transform.GetParameters())
    try:
        values, places = _descend(method, fixed, moving)
    except RuntimeError:  # too few points fall into the moving image
        return float("inf")
    if not values:  # the metric is flat here, and no step was taken
        return float(method.GetMetricValue())
    # Gradient descent ends at its last position, not at its best one. A value is that of the position before the step.
    value, place = min(zip(values, [start, *places], strict=False))
    transform.SetParameters(place)
    return value


def _descend(
    method: sitk.ImageRegistrationMethod, fixed: sitk.Image, moving: sitk.Image
) -> tuple[list[float], list[tuple[float, ...]]]:
    """Run an optimiser; give the metric's value before each of its steps, and the parameters after each."""
    values, places = [], []
    # What a command raises, even if it is Ctrl-C, ITK would take for a registration that failed.
    with interruptions_held_back() as interruptions:

        def remember() -> None:
            values.append(float(method.GetMetricValue()))
            places.append(tuple(method.GetOptimizerPosition()))
            if interruptions:
                method.StopRegistration()

        method.AddCommand(sitk.sitkIterationEvent, remember)
        try:
            method.Execute(fixed, moving)
        finally:
            method.RemoveAllCommands()  # the method and the command hold each other, and would never be freed
    return values, places
