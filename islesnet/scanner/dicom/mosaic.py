"""Siemens' mosaics: the slices of a whole volume tiled into one picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from islesnet.scanner.candidate import UnusableError
from islesnet.scanner.dicom.headers import Header, distrusted, texts

_UNTOLD = (
    "has its slices tiled into one picture (Siemens mosaic) and does not say how (its CSA header is gone); convert the "
    "scanner's own files with dcm2niix"
)


@dataclass(frozen=True)
class Mosaic:
    """How a picture is tiled, by rows from the upper left.

    Args:
        size: columns and rows of a tile.
        positions: of each tile's first voxel's centre in mm, left-posterior-superior.
    """

    size: tuple[int, int]
    positions: tuple[tuple[float, ...], ...]


def is_mosaic(header: Header) -> bool:
    """Tell whether a header says that its picture is a mosaic."""
    return "MOSAIC" in (kind.strip().upper() for kind in texts(header, "ImageType"))


def describe_mosaic(header: Header) -> Mosaic:
    """Read from Siemens' CSA header how many slices there are and where they lie.

    Source: nibabel's `MosaicWrapper`, which mends the position of the first slice: the header has that of a slice as
    large as the whole picture.

    Raises:
        UnusableError: where the header does not say it.
    """
    from nibabel.nicom.dicomwrappers import MosaicWrapper

    try:
        with distrusted():
            tiled = MosaicWrapper(header)
            rows, columns, slices = tiled.image_shape
            first, step = np.asarray(tiled.image_position), tiled.slice_normal * tiled.voxel_sizes[2]
    except UnusableError as error:
        raise UnusableError(_UNTOLD) from error
    fits = header.Rows == rows * tiled.mosaic_size and header.Columns == columns * tiled.mosaic_size
    if not fits or not np.isfinite([first, step]).all():
        raise UnusableError(_UNTOLD)
    positions = first + np.arange(slices)[:, None] * step
    return Mosaic((columns, rows), tuple(tuple(float(part) for part in position) for position in positions))


def cut_tile(picture: NDArray[np.generic], size: tuple[int, int], number: int) -> NDArray[np.generic]:
    """Cut one slice out of a mosaic.

    Args:
        picture: ``(rows, columns)``.
        size: columns and rows of a tile.
        number: of the tile, from 0.
    """
    columns, rows = size
    down, across = divmod(number, picture.shape[1] // columns)
    return picture[down * rows : (down + 1) * rows, across * columns : (across + 1) * columns]
