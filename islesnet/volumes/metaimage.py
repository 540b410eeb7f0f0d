"""Read .mha, .mhd and .nrrd: headers and plain voxels with SimpleITK, whose axes are turned; packed voxels without."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.quiet import itk_warnings_left_out
from islesnet.volumes.axes import RAS_TO_LPS
from islesnet.volumes.packed_voxels import find_packed_voxels, unpack_voxels
from islesnet.volumes.volume import Header, Volume, VolumeError, VolumeStack, spatial_shape


def read_metaimage_header(path: Path, most_volumes: int = 1) -> Header:
    """Read the grid of a .mha, .mhd or .nrrd file without its values.

    Raises:
        VolumeError: for a damaged header or a file that is not one 3D volume of plain numbers.
    """
    return _opened(path, most_volumes)[1]


def read_metaimage(path: Path) -> Volume:
    """Read a .mha, .mhd or .nrrd file.

    Raises:
        VolumeError: for damaged data or a file that is not one 3D volume of plain numbers.
    """
    return read_metaimage_stack(path, most_volumes=1).volume(0)


def read_metaimage_stack(path: Path, most_volumes: int) -> VolumeStack:
    """Read a .mha, .mhd or .nrrd file of several volumes.

    Raises:
        VolumeError: for damaged data or a file that holds more volumes, or none of plain numbers.
    """
    reader, header = _opened(path, most_volumes)
    kind = _voxel_kind(reader)
    if kind.kind not in "iufb":
        raise VolumeError(path, f"holds {kind} values; a volume of plain numbers is expected")
    packed = find_packed_voxels(path)
    if packed is None:
        return VolumeStack(path, _read_plain(path, reader).reshape((*header.shape, -1), order="F"), header)
    shape = (*header.shape, header.volumes)
    content, has_surplus = unpack_voxels(path, packed, math.prod(shape) * kind.itemsize)
    ordered = kind.newbyteorder(">" if packed.is_big_endian else "<")
    stored = np.ndarray(shape, dtype=ordered, buffer=content, order="F").astype(kind, copy=False)
    return VolumeStack(path, stored, header, has_surplus=has_surplus)


def _read_plain(path: Path, reader: Any) -> NDArray[Any]:
    import SimpleITK as sitk  # noqa: N813

    try:
        with itk_warnings_left_out():
            image = reader.Execute()
    except RuntimeError as error:
        raise VolumeError(path, f"is damaged or cut short ({_told(error, path)}); copy it again") from error
    return sitk.GetArrayFromImage(image).T  # (Z, Y, X) -> (X, Y, Z)


def _voxel_kind(reader: Any) -> np.dtype[Any]:
    import SimpleITK as sitk  # noqa: N813

    return np.dtype(sitk.GetArrayViewFromImage(sitk.Image([1, 1, 1], reader.GetPixelID())).dtype)


def _opened(path: Path, most_volumes: int = 1) -> tuple[Any, Header]:
    import SimpleITK as sitk  # noqa: N813

    kind: Any = sitk.ImageFileReader
    reader = kind()
    reader.SetFileName(str(path))
    try:
        with itk_warnings_left_out():
            reader.ReadImageInformation()
    except RuntimeError as error:
        raise VolumeError(path, f"cannot be read ({_told(error, path)})") from error
    shape = spatial_shape(path, tuple(int(length) for length in reader.GetSize()), most_volumes)
    if reader.GetNumberOfComponents() != 1:
        raise VolumeError(path, f"holds {reader.GetNumberOfComponents()} numbers a voxel; one is expected")
    # Without a space NRRD's axes are anybody's, where MetaImage has a default.
    is_oriented = path.suffix.lower() not in (".nrrd", ".nhdr") or "NRRD_space" in reader.GetMetaDataKeys()
    volumes = math.prod(reader.GetSize()[3:])
    return reader, Header(shape=shape, affine=_affine(reader), is_oriented=is_oriented, volumes=volumes)


def _affine(reader: Any) -> NDArray[np.float64]:
    rank = reader.GetDimension()
    direction = np.array(reader.GetDirection(), dtype=np.float64).reshape(rank, rank)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(reader.GetSpacing(), dtype=np.float64)[:3]
    affine[:3, 3] = reader.GetOrigin()[:3]
    return RAS_TO_LPS @ affine


def _told(error: RuntimeError, path: Path) -> str:
    # ITK says where in its sources first, then what went wrong, then the system's last error, which may be another's.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines[1:] if not line.startswith("Reason:")] or lines
    return re.sub(r"^\S* ?ERROR: (\w+\(0x\w+\): )?", "", telling[-1]).replace(str(path), path.name)
