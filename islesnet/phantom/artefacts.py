"""What the scanner adds to an image: coil bias, susceptibility, thick slices, noise, an arbitrary scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from islesnet.phantom.fields import FloatArray, resample_axis
from islesnet.phantom.ranges import draw, draw_log
from islesnet.phantom.settings import PhantomSettings

# Air in the sinuses and the petrous bone piles up signal of echo-planar images: places in MNI mm, radius in mm.
PILE_UPS = (((0.0, 62.0, -12.0), 16.0), ((42.0, 8.0, -38.0), 14.0), ((-42.0, 8.0, -38.0), 14.0))


@dataclass(frozen=True)
class Scan:
    """How one image was acquired.

    Args:
        voxel_mm: acquired voxel along x, y, z; never finer than the grid that the image is kept on.
        noise: standard deviation of the noise in each channel, as a share of the mean signal in the brain.
        bias: standard deviation of the logarithm of the coil's sensitivity.
        brightness: stored value of the mean signal in the brain.
        sharpening: amount of unsharp masking.
        slice_gain: how much brighter odd slices are than even ones, as a share.
    """

    voxel_mm: tuple[float, float, float]
    noise: float
    bias: float
    brightness: float
    sharpening: float = 0.0
    slice_gain: float = 0.0


def draw_scan(rng: np.random.Generator, sequence: str, settings: PhantomSettings) -> Scan:
    """Draw how an image of `sequence` is acquired."""
    in_plane = draw(rng, getattr(settings.ranges, f"{sequence}_voxel_mm"))
    is_thick = rng.uniform() < settings.thick_slices_probability
    thickness = draw(rng, settings.ranges.slice_mm)
    voxel = (in_plane, in_plane, thickness if is_thick else in_plane)
    return Scan(
        voxel_mm=(voxel[0], voxel[1], voxel[2]),
        # Diffusion weighting costs signal, so its images are the noisiest.
        noise=rng.uniform(*settings.noise) * (1.3 if sequence == "dwi" else 1.0),
        bias=rng.uniform(*settings.bias),
        brightness=draw_log(rng, settings.ranges.brightness),
        sharpening=draw(rng, settings.ranges.sharpening),
        slice_gain=draw(rng, settings.ranges.slice_gain),
    )


def acquire(rng: np.random.Generator, image: FloatArray, spacing_mm: float, scan: Scan) -> FloatArray:
    """Acquire an ideal image: average over the acquired voxels, add noise there, and interpolate back.

    Args:
        rng: source of randomness.
        image: ideal image, zero outside the brain.
        spacing_mm: edge of its voxels.
        scan: how it is acquired.

    Shapes:
        ``(X, Y, Z)`` -> the same.
    """
    sigma = scan.noise * float(image[image > 0].mean())
    acquired = _average(image, spacing_mm, scan)
    gains = 1 + np.float32(scan.slice_gain) * (np.arange(acquired.shape[2]) % 2)
    noisy = add_rician_noise(rng, acquired * gains.astype(np.float32) if scan.slice_gain else acquired, sigma)
    return _interpolate_back(noisy, image.shape, spacing_mm, scan)


def share_in_voxels(share: FloatArray, spacing_mm: float, scan: Scan) -> FloatArray:
    """Tell how much of each acquired voxel is something, interpolated as the image is: what can be seen of it at most.

    Shapes:
        ``(X, Y, Z)``, 0 to 1 -> the same.
    """
    return _interpolate_back(_average(share, spacing_mm, scan), share.shape, spacing_mm, scan)


def add_rician_noise(rng: np.random.Generator, image: FloatArray, sigma: float) -> FloatArray:
    """Take the magnitude after adding normal noise to the real and the imaginary channel.

    Source: Gudbjartsson and Patz, MRM 34:910, 1995.
    """
    real = image + np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    magnitude: FloatArray = np.sqrt(real**2 + imaginary**2)
    return magnitude


def pile_up(mni_mm: FloatArray, amounts: Sequence[float]) -> FloatArray:
    """Compute the factor by which susceptibility brightens an echo-planar image.

    Args:
        mni_mm: places in the average brain.
        amounts: excess signal at each of the `PILE_UPS`.

    Shapes:
        ``(3, N)`` -> ``(N,)``.
    """
    factor = np.ones(mni_mm.shape[1], dtype=np.float32)
    for (place, radius_mm), amount in zip(PILE_UPS, amounts, strict=True):
        factor += np.float32(amount) * nearness(mni_mm, place, radius_mm)
    return factor


def nearness(mni_mm: FloatArray, place: Sequence[float], radius_mm: float) -> FloatArray:
    """Tell how near a place is: 1 there, falling off as a Gaussian whose standard deviation is the radius.

    Shapes:
        ``(3, N)`` -> ``(N,)``.
    """
    squared = sum((mni_mm[axis] - np.float32(place[axis])) ** 2 for axis in range(3))
    near: FloatArray = np.exp(-0.5 * squared / np.float32(radius_mm**2))
    return near


def _steps(spacing_mm: float, scan: Scan) -> list[float]:
    return [max(voxel / spacing_mm, 1.0) for voxel in scan.voxel_mm]


def _average(image: FloatArray, spacing_mm: float, scan: Scan) -> FloatArray:
    acquired = image
    for axis, step in enumerate(_steps(spacing_mm, scan)):
        acquired = _average_along(acquired, step, axis)  # that axis: X -> about X / step
    return acquired


def _interpolate_back(acquired: FloatArray, shape: Sequence[int], spacing_mm: float, scan: Scan) -> FloatArray:
    image = acquired
    for axis, step in enumerate(_steps(spacing_mm, scan)):
        centres = (np.arange(shape[axis]) - (step - 1) / 2) / step
        image = resample_axis(image, centres, axis)  # back to X
    return image


def _average_along(image: FloatArray, step: float, axis: int) -> FloatArray:
    """Average over windows of `step` voxels along an axis, one beside the other."""
    if step == 1:
        return image
    count = int(np.ceil(image.shape[axis] / step))
    whole = max(round(step), 1)
    smooth: FloatArray = ndimage.uniform_filter1d(image, whole, axis=axis, mode="nearest")
    # A window of an even number of voxels is centred half a voxel before the voxel it is stored at.
    offset = 0.5 if whole % 2 == 0 else 0.0
    return resample_axis(smooth, np.arange(count) * step + (step - 1) / 2 + offset, axis)
