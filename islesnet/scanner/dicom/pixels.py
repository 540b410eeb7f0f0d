"""Decode slices to their values: any byte order, compressed or not, rescaled each by its own slope and intercept."""

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.scanner.candidate import UnusableError
from islesnet.scanner.dicom.frames import Frame
from islesnet.scanner.dicom.headers import Header, distrusted, open_header, require_plausible
from islesnet.scanner.dicom.mosaic import cut_tile
from islesnet.scanner.dicom.quiet import quiet_decoder, quiet_pydicom


def read_values(slices: Sequence[Frame]) -> NDArray[np.float32]:
    """Read slices as values, as they are displayed.

    Args:
        slices: of one size, in order.

    Shapes:
        slices of ``(rows, columns)`` -> ``(slices, rows, columns)``.

    Raises:
        UnusableError: for a slice that cannot be decoded.
    """
    try:
        with distrusted():
            return _read(slices)
    finally:
        _opened.cache_clear()
        _decoded.cache_clear()


def _read(slices: Sequence[Frame]) -> NDArray[np.float32]:
    columns, rows = slices[0].size
    values = np.empty((len(slices), rows, columns), dtype=np.float32)
    for index, frame in enumerate(slices):
        stored = _decoded(frame.place.path, frame.place.frame)
        if frame.place.tile is not None:
            stored = cut_tile(stored, frame.size, frame.place.tile)
        if stored.shape != (rows, columns):
            raise UnusableError("is damaged: its slices are not of the size that the header announces")
        values[index] = stored * frame.slope + frame.intercept
    return values


@lru_cache(maxsize=1)
def _opened(path: Path) -> Header:
    # The frames of one file come one after the other.
    header = open_header(path, with_pixels=True)
    require_plausible(header, path)
    return header


@lru_cache(maxsize=1)
def _decoded(path: Path, index: int | None) -> NDArray[Any]:
    # The tiles of one picture come one after the other too.
    from pydicom.pixels.utils import pixel_array

    header = _opened(path)
    try:
        with quiet_pydicom():
            return np.asarray(pixel_array(header, index=index))
    except Exception:  # pydicom and each decoder have their own errors; SimpleITK's may still read it
        return _decoded_by_simpleitk(header, index or 0)


def _decoded_by_simpleitk(header: Header, index: int) -> NDArray[Any]:
    """Decode one compressed frame with GDCM, which knows JPEG Lossless and JPEG-LS.

    Only the voxels go through a temporary file, without slope, geometry or patient.
    """
    import SimpleITK as sitk  # noqa: N813

    syntax = getattr(header.file_meta, "TransferSyntaxUID", None)
    if syntax is None or not syntax.is_transfer_syntax or not syntax.is_compressed:
        raise UnusableError("is damaged or cut short: its voxels cannot be read")
    try:
        with quiet_pydicom(), quiet_decoder(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frame.dcm"
            _write_bare(header, index, path)
            return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))[0]
    except Exception as error:
        raise UnusableError(
            f"is damaged, or compressed in a way that nothing installed here can read ({syntax.name}); decompress it "
            "first, e.g. with gdcmconv --raw"
        ) from error


def _write_bare(header: Header, index: int, path: Path) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.encaps import encapsulate, get_frame
    from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = header.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    bare = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    bare.SOPClassUID, bare.SOPInstanceUID = SecondaryCaptureImageStorage, meta.MediaStorageSOPInstanceUID
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        setattr(bare, keyword, header.get(keyword))
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    frames = int(header.get("NumberOfFrames") or 1)
    bare.PixelData = encapsulate([get_frame(header.PixelData, index, number_of_frames=frames)])
    bare.save_as(path, enforce_file_format=True)
