"""Find the brain in a head of any contrast: fit the average brain to it, then move its border to the image's.

The average brain is MNI ICBM 2009 (Fonov et al., NeuroImage 54:313, 2011), which nilearn brings along.
"""

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.components import fill_slices
from islesnet.scanner.rigid import turned
from islesnet.volumes.levels import bright_part, points_of, robust, shrink

Mask = NDArray[np.bool_]

FIT_MM = 4.0
WORK_MM = 2.0
TEMPLATE_CENTRE_MM = np.array([0.0, 17.0, 5.0])  # left-posterior-superior
# The MNI brain is larger than people's: 1883 ml inside the hull against about 1500.
MEAN_SCALE = 0.93
BRAIN_HEIGHT_MM = 140.0
START_PITCHES = (-15.0, 0.0, 15.0)
START_HEIGHTS_MM = (-12.0, 12.0)

# What is put around the average brain, as distances from it: bone, then scalp, then air. Thickness: Lillie et al.,
# J Bone Miner Res 31:299, 2016; Hori et al., J Invest Dermatol 58:396, 1972. Below the vault heads differ too much.
SKULL_END_MM, SCALP_END_MM, AROUND_MM = 8.0, 14.0, 24.0
SCALP_OF_BRAIN = 1.3
VAULT_FROM_MM = -20.0
PADDING = 15

# How far the image may move the border of the fitted average brain.
OUTWARD_MM, INWARD_MM = 4.0, 10.0
DARKEST_OF_BRAIN = 0.5
BRIDGE_MM = 4.0
SULCUS_MM = 8.0


@dataclass(frozen=True)
class Search:
    """How the optimiser looks for a transform.

    Args:
        scales: for each parameter, the square of how many mm one unit of it moves the head.
        first_step_mm: how far the first step goes.
        steps: how many there are at most.
    """

    scales: tuple[float, ...]
    first_step_mm: float
    steps: int


# The scale is held fixed at first; otherwise the average brain would be fitted to the outline of the head.
RIGID = Search((*[80.0**2] * 3, *[1.0] * 3, 1.0e9), 4.0, 40)
SCALED = Search((*[80.0**2] * 3, *[1.0] * 3, 3 * 80.0**2), 1.0, 30)
SCALES = (0.85, 1.02)


def find_brain_by_template(image: sitk.Image) -> sitk.Image:
    """Find the brain of a head; a mask on the image's grid, 1 in the brain and in the fluid of its sulci.

    Args:
        image: DWI, b0, T1, T2 or FLAIR, with skull.
    """
    work = shrink(robust(image), WORK_MM)
    _, _, hull = _load_template()
    fitted = sitk.GetArrayFromImage(sitk.Resample(hull, work, _fit(image).GetInverse(), sitk.sitkLinear, 0.0)) > 0.5
    spacing = tuple(reversed(work.GetSpacing()))
    box = _box_around(fitted, spacing)
    soft = np.zeros(fitted.shape, np.float32)
    soft[box] = _move_border(sitk.GetArrayFromImage(work)[box], fitted[box], spacing)
    found = sitk.GetImageFromArray(ndimage.gaussian_filter(soft, [1.0 / edge for edge in spacing]))
    found.CopyInformation(work)
    return sitk.Resample(found, image, sitk.Transform(), sitk.sitkLinear, 0.0) > 0.5


def _fit(image: sitk.Image) -> sitk.Similarity3DTransform:
    """Lay the average brain onto the head; the transform takes its points to the image's."""
    template, around, _ = _load_template()
    head = shrink(robust(image), FIT_MM)
    centre = _brain_centre(head)
    tried = []
    for number, (pitch, height) in enumerate(itertools.product(START_PITCHES, START_HEIGHTS_MM)):
        turn = turned(
            np.array([pitch, 0, 0]), TEMPLATE_CENTRE_MM, centre + np.array([0, 0, height]) - TEMPLATE_CENTRE_MM
        )
        start = sitk.Similarity3DTransform(MEAN_SCALE, (0, 0, 0, 1), turn.GetTranslation(), turn.GetCenter())
        start.SetRotation((1, 0, 0), float(np.deg2rad(pitch)))
        tried.append((_optimise(template, around, head, start, RIGID), number, start))
    best = min(tried)[2]
    scaled = sitk.Similarity3DTransform(best)
    _optimise(template, around, head, scaled, SCALED)
    return scaled if SCALES[0] <= scaled.GetScale() <= SCALES[1] else best


def _optimise(
    template: sitk.Image, around: sitk.Image, head: sitk.Image, transform: sitk.Transform, search: Search
) -> float:
    """Improve a transform in place; give the metric's value, the lower the better, infinity where it failed."""
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(24)
    method.SetMetricFixedMask(around)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(search.first_step_mm, 0.05, search.steps)
    method.SetOptimizerScales(search.scales)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(template, head)
    except RuntimeError:  # too few points fall into the image
        return float("inf")
    return float(method.GetMetricValue())


def _brain_centre(head: sitk.Image) -> NDArray[np.float64]:
    """Guess the brain's centre: that of the head's uppermost part, which leaves out face and neck."""
    points = points_of(bright_part(head))
    top = np.percentile(points[:, 2], 99.5)
    upper: NDArray[np.float64] = points[points[:, 2] > top - BRAIN_HEIGHT_MM].mean(axis=0)
    return upper


def _box_around(mask: Mask, spacing: tuple[float, ...]) -> tuple[slice, ...]:
    """Give the box of a mask with the border's reach around it; everything where the mask is empty."""
    if not mask.any():
        return (slice(None),) * 3
    margins = [int((OUTWARD_MM + SULCUS_MM) / edge) + 1 for edge in spacing]
    found = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(
        slice(max(part.start - margin, 0), part.stop + margin) for part, margin in zip(found, margins, strict=True)
    )


def _move_border(values: NDArray[np.float32], hull: Mask, spacing: tuple[float, ...]) -> Mask:
    """Move the border of the fitted brain to where the image says, within reach.

    Shapes:
        ``(Z, Y, X)`` each.
    """
    core = _depth(hull, spacing) > INWARD_MM
    reach = _depth(~hull, spacing) <= OUTWARD_MM
    typical = float(np.median(values[core])) if core.any() else 0.0
    tissue = (values > DARKEST_OF_BRAIN * typical) & reach
    # Dura and vessels that tie the brain to what surrounds it are thin.
    opened = _widen(_depth(tissue, spacing) > BRIDGE_MM, BRIDGE_MM, spacing) & tissue
    parts, _ = ndimage.label(opened | core)
    brain = np.isin(parts, np.setdiff1d(np.unique(parts[core]), 0))
    closed = _depth(_widen(brain, SULCUS_MM, spacing), spacing) > SULCUS_MM
    return fill_slices((closed | brain) & reach)


def _depth(mask: Mask, spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Give how far inside a mask each voxel lies, in mm; what is cut by the field of view goes on beyond it."""
    if mask.all():
        return np.full(mask.shape, np.inf)
    depth: NDArray[np.float64] = ndimage.distance_transform_edt(mask, sampling=spacing)
    return depth


def _widen(mask: Mask, margin_mm: float, spacing: tuple[float, ...]) -> Mask:
    return _depth(~mask, spacing) <= margin_mm


@lru_cache(maxsize=1)
def _load_template() -> tuple[sitk.Image, sitk.Image, sitk.Image]:
    """Load a head around the average brain, T1, where to compare it, and the brain's hull, at 4 mm."""
    # nilearn takes a second to import: only who needs the template pays for it.
    from nilearn import datasets

    # Only at 1 mm is what lies outside the brain exactly 0; at others nilearn interpolates.
    template = datasets.load_mni152_template(resolution=1)
    values = np.pad(np.asarray(template.dataobj, dtype=np.float32), 2 * PADDING)[::2, ::2, ::2].T.copy()
    origin = (template.affine[:3, 3] - 2.0 * PADDING) * [-1, -1, 1]
    hull = ndimage.binary_closing(values > 0, iterations=4)
    outside = ndimage.distance_transform_edt(~hull, sampling=2.0)
    # Without skull and scalp the average brain would be blown up to fill the head.
    values[(outside > SKULL_END_MM) & (outside <= SCALP_END_MM)] = SCALP_OF_BRAIN * np.percentile(values[hull], 95)
    height = origin[2] + 2.0 * np.arange(len(values))
    is_vault = np.broadcast_to((height > VAULT_FROM_MM)[:, None, None], hull.shape)
    around = hull | ((outside <= AROUND_MM) & is_vault)
    return (
        _at_fit(values, origin),
        _at_fit(around.astype(np.float32), origin) > 0.5,
        _at_fit(ndimage.gaussian_filter(hull.astype(np.float32), 0.5), origin),
    )


def _at_fit(array: NDArray[np.float32], origin: NDArray[np.float64]) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing([2.0, 2.0, 2.0])
    image.SetDirection([-1, 0, 0, 0, -1, 0, 0, 0, 1])
    image.SetOrigin(origin.tolist())
    return shrink(image, FIT_MM)
