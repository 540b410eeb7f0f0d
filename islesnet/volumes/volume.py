"""Read a volume and its geometry from any format we take, with every defect of the file said in plain words."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.errors import InputError
from islesnet.files import NO_TARGET
from islesnet.volumes.file_names import VOLUME_SUFFIXES

# A whole head at 0.5 mm has 1.1e8 voxels; a header that announces more than this is damaged, or not a head.
MAXIMUM_VOXELS = 2**28
# Diffusion with more directions than this is research that nobody segments strokes on.
MOST_VOLUMES = 1024


class VolumeError(InputError):
    """A file that cannot be used as a volume.

    Args:
        path: the file.
        reason: what is wrong with it, without the file's name.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type["VolumeError"], tuple[Path, str]]:
        """Let the error cross from a worker process, which rebuilds it from its arguments."""
        return VolumeError, (self.path, self.reason)


@dataclass(frozen=True)
class Header:
    """Where a volume lies.

    Args:
        shape: voxels along the three axes.
        affine: voxel index to mm, right-anterior-superior, whatever the file's own convention.
        qform: the affine of a NIfTI's quaternion; None where its code is 0 or the format has none.
        sform: likewise the explicit affine.
        voxel_size: mm as the header states it beside the affine; None where the format does not.
        is_oriented: False for a NIfTI that has neither qform nor sform, and a NRRD that names no space, so that left
            and right are not known.
        volumes: how many volumes the file holds on this grid.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    qform: NDArray[np.float64] | None = None
    sform: NDArray[np.float64] | None = None
    voxel_size: tuple[float, ...] | None = None
    is_oriented: bool = True
    volumes: int = 1

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along the three axes, from the affine."""
        x, y, z = (float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))
        return x, y, z

    def canonical(self) -> "Header":
        """Reorder and flip the axes so that they run nearest to right, anterior, superior."""
        from nibabel.orientations import inv_ornt_aff, io_orientation

        turn = io_orientation(self.affine)
        x, y, z = (self.shape[axis] for axis in np.argsort(turn[:, 0]))
        return Header((x, y, z), self.affine @ inv_ornt_aff(turn, self.shape))

    def along(self, grid: "Header") -> "Header":
        """Reorder and flip the axes so that they run nearest to those of a grid.

        An axis turned by 45 degrees is as near to right as to anterior: if each of two files of one grid went by its
        own affine, rounding could turn them differently.
        """
        seen = self._seen_from(grid).canonical()
        return Header(seen.shape, grid.affine @ seen.affine)

    def _seen_from(self, grid: "Header") -> "Header":
        return Header(self.shape, np.linalg.inv(grid.affine) @ self.affine)


@dataclass(frozen=True)
class Volume:
    """A volume in memory.

    Args:
        array: values ``(X, Y, Z)``; stored values where the file scales nothing, else scaled to float64.
        header: where it lies.
        has_surplus: whether the file goes on after the last voxel.
    """

    array: NDArray[Any]
    header: Header
    has_surplus: bool = False

    def canonical(self) -> "Volume":
        """Reorder and flip the axes so that they run nearest to right, anterior, superior; the last is axial."""
        from nibabel.orientations import apply_orientation, io_orientation

        array = np.ascontiguousarray(apply_orientation(self.array, io_orientation(self.affine)))
        return Volume(array, self.header.canonical(), self.has_surplus)

    def along(self, grid: Header) -> "Volume":
        """Reorder and flip the axes so that they run nearest to those of a grid, as `Header.along`."""
        seen = Volume(self.array, self.header._seen_from(grid)).canonical()
        return Volume(seen.array, self.header.along(grid), self.has_surplus)

    @property
    def affine(self) -> NDArray[np.float64]:
        """Voxel index to mm, right-anterior-superior."""
        return self.header.affine

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along the three axes."""
        return self.header.spacing


@dataclass(frozen=True)
class VolumeStack:
    """Several volumes on one grid, from one file, as stored.

    Args:
        path: the file.
        stored: values before scaling ``(X, Y, Z, N)``.
        header: where all of them lie.
        scaling: slope and intercept; None where the stored values are the values.
        has_surplus: whether the file goes on after the last voxel.
    """

    path: Path
    stored: NDArray[Any]
    header: Header
    scaling: tuple[float, float] | None = None
    has_surplus: bool = False

    def __len__(self) -> int:
        return int(self.stored.shape[3])

    def volume(self, index: int) -> Volume:
        """Give one of the volumes, scaled."""
        array = self.stored[..., index]
        if self.scaling is not None:
            array = array * np.float64(self.scaling[0]) + np.float64(self.scaling[1])
        return Volume(array, self.header, self.has_surplus)


def read_header(path: Path, most_volumes: int = 1) -> Header:
    """Read a volume's grid without its values.

    Raises:
        VolumeError: for a file that is missing, damaged, of an unknown format, or holds more 3D volumes.
    """
    if _is_nifti(path):
        from islesnet.volumes.nifti import read_nifti_header

        return read_nifti_header(path, most_volumes)
    from islesnet.volumes.metaimage import read_metaimage_header

    return read_metaimage_header(path, most_volumes)


def read_volume(path: Path) -> Volume:
    """Read a volume, its file once; trailing axes of length one are dropped.

    Raises:
        VolumeError: for a file that is missing, damaged, of an unknown format, or not one 3D volume.
    """
    if _is_nifti(path):
        from islesnet.volumes.nifti import read_nifti

        return read_nifti(path)
    from islesnet.volumes.metaimage import read_metaimage

    return read_metaimage(path)


def read_volume_stack(path: Path) -> VolumeStack:
    """Read a file of one or more volumes, its file once.

    Raises:
        VolumeError: for a file that is missing, damaged, of an unknown format, or neither 3D nor 4D.
    """
    if _is_nifti(path):
        from islesnet.volumes.nifti import read_nifti_stack

        return read_nifti_stack(path, MOST_VOLUMES)
    from islesnet.volumes.metaimage import read_metaimage_stack

    return read_metaimage_stack(path, MOST_VOLUMES)


def spatial_shape(path: Path, shape: tuple[int, ...], most_volumes: int = 1) -> tuple[int, int, int]:
    """Return the three lengths of a volume, or of so many volumes in one file.

    Raises:
        VolumeError: for other dimensions, an axis without voxels, or more voxels than a head can have.
    """
    said = " x ".join(str(length) for length in shape)
    if any(length < 1 for length in shape):
        raise VolumeError(path, f"its header announces {said} voxels; every length must be at least 1")
    voxels = math.prod(shape)
    if voxels > MAXIMUM_VOXELS:
        raise VolumeError(
            path, f"its header announces {said} voxels ({voxels:.3g}); no head scan has more than {MAXIMUM_VOXELS:.2g}"
        )
    if len(shape) < 3:
        raise VolumeError(path, f"holds a {len(shape)}D image ({said}); a 3D volume is expected")
    if len(shape) > 4:
        raise VolumeError(path, f"is {len(shape)}D ({said}); save it as a 3D volume")
    if math.prod(shape[3:]) > most_volumes:
        raise VolumeError(
            path,
            f"is {len(shape)}D and holds {math.prod(shape[3:])} volumes ({said}) where one 3D volume is expected; "
            "save the one that is meant (of a DWI: the trace, b = 1000) as its own file",
        )
    return shape[0], shape[1], shape[2]


def _is_nifti(path: Path) -> bool:
    name = path.name.lower()
    if not name.endswith(VOLUME_SUFFIXES):
        raise VolumeError(path, f"is not a format we read; right are {', '.join(VOLUME_SUFFIXES)}")
    if path.is_dir():
        raise VolumeError(path, "is a folder, not a file")
    if not path.exists():
        is_dangling = path.is_symlink()
        raise VolumeError(path, f"is {NO_TARGET}" if is_dangling else "does not exist")
    if not path.is_file():  # reading from a pipe would block
        raise VolumeError(path, "is a device or a pipe, not a file")
    return name.endswith((".nii", ".nii.gz"))
