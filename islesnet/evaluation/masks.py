"""A patient's mask, truth and images on one grid, whatever the orientation and type they are stored in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.data import Header, MaskPair, Volume, VolumeError, read_volume
from islesnet.volumes.geometry import check_label_grid, lie_on_one_grid, require_sound_grid

_NOISE = 1e-3


@dataclass(frozen=True)
class Masks:
    """A mask and the truth.

    Args:
        prediction: True where the mask marks a lesion; everywhere False where the patient has none.
        truth: likewise of the truth.
        grid: of both, axes nearest to right, anterior, superior.
        remarks: what a person should know of the files.
    """

    prediction: NDArray[np.bool_]
    truth: NDArray[np.bool_]
    grid: Header
    remarks: tuple[str, ...]


def read_masks(pair: MaskPair) -> Masks:
    """Read a pair of masks, lesion where > 0.5, onto the grid of the truth.

    Raises:
        VolumeError: for a file that is damaged or lies on an unsound grid, or two grids more than half a voxel apart.
    """
    truth, remarks = _read_mask(pair.truth)
    if pair.prediction is None:
        return Masks(np.zeros_like(truth.array), truth.array, truth.header, (*remarks, "no mask; scored as empty"))
    prediction, others = _read_mask(pair.prediction, truth.header)
    remarks += others
    for finding in check_label_grid(prediction.header, truth.header, "truth", mask="mask"):
        if finding.severity == "error":
            raise VolumeError(pair.prediction, f"{finding.message} (truth: {pair.truth})")
        remarks += (f"{pair.prediction}: {finding.message}",)
    return Masks(prediction.array, truth.array, truth.header, remarks)


def read_on_grid(path: Path, grid: Header, unknown: float = 0.0) -> NDArray[np.float32]:
    """Read an image onto a grid: as it is where it lies there, else interpolated linearly.

    Args:
        path: of the image.
        grid: that it is read onto.
        unknown: value given to voxels that are not finite numbers; 0 means that nothing was seen there.

    Raises:
        VolumeError: for a file that is damaged or lies on an unsound grid.
    """
    volume = read_volume(path)
    require_sound_grid(path, volume.header)
    volume = volume.along(grid)
    values = volume.array.astype(np.float32, copy=False)
    values = np.nan_to_num(values, nan=unknown, posinf=unknown, neginf=unknown)
    if lie_on_one_grid(volume.header, grid):
        return values
    voxel_to_voxel = np.linalg.inv(volume.affine) @ grid.affine
    return np.asarray(ndimage.affine_transform(values, voxel_to_voxel, output_shape=grid.shape, order=1))


def _read_mask(path: Path, grid: Header | None = None) -> tuple[Volume, tuple[str, ...]]:
    """Read a mask with its axes nearest to those of a grid, or else to right, anterior, superior."""
    volume = read_volume(path)
    require_sound_grid(path, volume.header)
    is_lesion = volume.array > 0.5
    remarks = tuple(f"{path}: {remark}" for remark in _remark(volume.array, is_lesion))
    mask = Volume(is_lesion, volume.header)
    return mask.canonical() if grid is None else mask.along(grid), remarks


def _remark(array: NDArray[np.generic], is_lesion: NDArray[np.bool_]) -> list[str]:
    """Say what makes one doubt that the values are a mask's: numbers that are none, or more than two values."""
    values = array.astype(np.float32) if array.dtype.kind == "b" else array
    unknown = np.isnan(values) if values.dtype.kind == "f" else np.zeros(0, dtype=bool)
    count = int(np.count_nonzero(unknown))
    remarks = [f"{count:,} voxels are NaN; they are taken as background"] if count else []
    lesion, others = values[is_lesion], values[~is_lesion & ~unknown] if count else values[~is_lesion]
    if (lesion.size and lesion.max() - lesion.min() > _NOISE) or (others.size and np.abs(others).max() > _NOISE):
        low, high = (float(end) for end in (np.nanmin(values), np.nanmax(values)))
        remarks.append(f"values from {low:g} to {high:g}, not 0 and one other; all above 0.5 is taken as lesion")
    return remarks
