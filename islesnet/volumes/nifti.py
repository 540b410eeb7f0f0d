"""Read NIfTI files without trusting their headers: no more is read or unpacked than a head can hold."""

import gzip
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from islesnet.volumes.unpacking import MOST_SURPLUS, goes_on, read_until, reading_told
from islesnet.volumes.volume import Header, Volume, VolumeError, VolumeStack, spatial_shape

_LONGEST_HEADER = 540  # NIfTI-2; NIfTI-1 has 348
_MOST_EXTENSION_BYTES = 2**24


def read_nifti_header(path: Path, most_volumes: int = 1) -> Header:
    """Read the grid of a NIfTI file; only its first bytes are read.

    Raises:
        VolumeError: for a damaged header or a file that holds more volumes.
    """
    with _opened(path) as stream:
        header = _parse(path, stream.read(_LONGEST_HEADER))
    return _grid(path, header, most_volumes)


def read_nifti_description(path: Path) -> bytes:
    """Read what a NIfTI file's header says of the file in free words.

    Raises:
        VolumeError: for a damaged header.
    """
    with _opened(path) as stream:
        return bytes(_parse(path, stream.read(_LONGEST_HEADER))["descrip"].item())


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file once, to its end (where gzip keeps its checksum).

    Raises:
        VolumeError: for a damaged header or data, or a file that is not one 3D volume.
    """
    return read_nifti_stack(path, most_volumes=1).volume(0)


def read_nifti_stack(path: Path, most_volumes: int) -> VolumeStack:
    """Read a NIfTI file of several volumes once, to its end (where gzip keeps its checksum).

    Raises:
        VolumeError: for a damaged header or data, or a file that holds more volumes.
    """
    with _opened(path) as stream:
        content = bytearray(stream.read(_LONGEST_HEADER))
        header = _parse(path, bytes(content))
        grid = _grid(path, header, most_volumes)
        shape = (*grid.shape, grid.volumes)
        kind = _voxel_kind(path, header)
        begin = _data_offset(path, header)
        end = begin + math.prod(shape) * kind.itemsize
        read_until(stream, content, end)
        # Nothing vouches for what is not packed.
        has_surplus = goes_on(stream, most=MOST_SURPLUS if _is_packed(path) else 1) or len(content) > end
    if len(content) < end:
        told = "unpacks to" if _is_packed(path) else "has"
        raise VolumeError(
            path, f"is cut short: it {told} {len(content):,} bytes where its header announces {end:,}; copy it again"
        )
    stored = np.ndarray(shape, dtype=kind, buffer=content, offset=begin, order="F")
    return VolumeStack(path, stored, grid, _scaling(path, header), has_surplus)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, unpacking it where its name ends in .gz, and say what goes wrong in plain words."""
    with reading_told(path), path.open("rb") as file:
        start = file.read(2)
        if not start:
            raise VolumeError(path, "is empty (0 bytes)")
        is_gzip = start == b"\x1f\x8b"
        file.seek(0)
        if is_gzip != _is_packed(path):
            told = "is packed with gzip" if is_gzip else "is not packed with gzip"
            raise VolumeError(path, f"{told} though its name ends in {''.join(path.suffixes[-1:])}; rename it")
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_gzip else file


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _parse(path: Path, content: bytes) -> Any:
    import nibabel
    from nibabel.spatialimages import HeaderDataError

    if not content:
        raise VolumeError(path, "is empty (0 bytes)")
    sizes = {int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big")}
    kinds: dict[int, Any] = {348: nibabel.Nifti1Header, 540: nibabel.Nifti2Header}
    kind = next((kinds[size] for size in sizes if size in kinds), None)
    if kind is None:
        raise VolumeError(path, "is not a NIfTI file: its header does not begin as one")
    length = kind.sizeof_hdr
    if len(content) < length:
        raise VolumeError(path, f"is cut short: {len(content)} bytes, less than a NIfTI header ({length})")
    try:
        header = kind(content[:length], check=False)
    except (ValueError, TypeError, HeaderDataError) as error:
        raise VolumeError(path, f"has a damaged NIfTI header ({error})") from error
    if header["magic"].item() not in (b"n+1", b"n+2"):
        raise VolumeError(path, "is not a single-file NIfTI (Analyze, or half of a .hdr and .img pair?); convert it")
    # Some programs write negative voxel sizes; nibabel and MONAI take them as positive too.
    header["pixdim"][1:4] = np.abs(header["pixdim"][1:4])
    return header


def _lengths(header: Any) -> tuple[int, ...]:
    return tuple(int(length) for length in header["dim"][1 : int(header["dim"][0]) + 1])


def _grid(path: Path, header: Any, most_volumes: int = 1) -> Header:
    from nibabel.spatialimages import HeaderDataError

    rank = int(header["dim"][0])
    if not 1 <= rank <= 7:
        raise VolumeError(path, f"has a damaged NIfTI header: it announces {rank} dimensions")
    shape = spatial_shape(path, _lengths(header), most_volumes)
    try:
        qform = header.get_qform(coded=True)[0]
    except (ValueError, HeaderDataError) as error:
        # A quaternion that makes no rotation matters only where no sform overrules it.
        if int(header["sform_code"]) == 0:
            raise VolumeError(path, f"has a damaged qform ({error})") from error
        qform = None
    sform = header.get_sform(coded=True)[0]
    affine = next((form for form in (sform, qform) if form is not None), None)
    return Header(
        shape=shape,
        affine=np.asarray(header.get_base_affine() if affine is None else affine, dtype=np.float64),
        qform=qform,
        sform=sform,
        voxel_size=tuple(float(size) for size in header["pixdim"][1:4]),
        is_oriented=affine is not None,
        volumes=math.prod(_lengths(header)[3:]),
    )


def _voxel_kind(path: Path, header: Any) -> np.dtype[Any]:
    try:
        kind: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except KeyError as error:
        raise VolumeError(path, f"has a damaged NIfTI header: there is no data type {error}") from error
    if kind.kind not in "iufb":
        raise VolumeError(path, f"holds colours or complex numbers ({kind}); a volume of plain numbers is expected")
    return kind


def _data_offset(path: Path, header: Any) -> int:
    offset = float(header["vox_offset"])
    shortest = int(header.single_vox_offset)
    if offset == 0:
        return shortest
    if not shortest <= offset <= _MOST_EXTENSION_BYTES:
        raise VolumeError(path, f"has a damaged NIfTI header: the voxels are said to begin at byte {offset:g}")
    return int(offset)


def _scaling(path: Path, header: Any) -> tuple[float, float] | None:
    from nibabel.spatialimages import HeaderDataError

    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise VolumeError(path, f"has a damaged NIfTI header: it scales the values by no number ({error})") from error
    if slope is None or (slope, intercept) == (1.0, 0.0):
        return None
    return float(slope), float(intercept)
