"""The reader of volumes for MONAI: every format that islesnet takes, each lying where its file says."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from monai.data.image_reader import ImageReader
from monai.utils.enums import MetaKeys, SpaceKeys
from monai.utils.misc import ImageMetaKey, ensure_tuple
from numpy.typing import NDArray

from islesnet.errors import InputError
from islesnet.volumes.file_names import VOLUME_SUFFIXES
from islesnet.volumes.volume import Volume, read_volume

Names = Sequence[PathLike[str] | str] | PathLike[str] | str


class VolumeReader(ImageReader):
    """Read NIfTI, .mha, .mhd and .nrrd for MONAI's `LoadImaged`, with the metadata that its own readers give.

    A NIfTI lies where its sform says, as in `islesnet.volumes`. MONAI's `NibabelReader` puts the qform in its place,
    even one that is declared void, where the voxel sizes that the header states agree with the qform alone.

    `LoadImaged(keys=..., reader=[VolumeReader()])` tries this one first and falls back to MONAI's for other files.

    Shapes:
        a file -> ``(X, Y, Z)`` with a right-anterior-superior affine in mm; several files -> ``(files, X, Y, Z)``.
    """

    def verify_suffix(self, filename: Names) -> bool:
        """Tell whether every file is of a format that this reader reads."""
        return all(str(name).lower().endswith(VOLUME_SUFFIXES) for name in ensure_tuple(filename))

    def read(self, data: Names, **kwargs: Any) -> list[tuple[str, Volume]]:
        """Read files.

        Raises:
            InputError: for another format (MONAI then goes on to its next reader) or a damaged file.
        """
        if not self.verify_suffix(data):
            raise InputError(f"{data}: this reader reads {', '.join(VOLUME_SUFFIXES)}")
        return [(str(name), read_volume(Path(name))) for name in ensure_tuple(data)]

    def get_data(self, img: list[tuple[str, Volume]]) -> tuple[NDArray[Any], dict[str, Any]]:
        """Return the array and MONAI's metadata of what `read` returned.

        Raises:
            InputError: for several files whose grids differ.
        """
        name, first = img[0]
        for other_name, other in img[1:]:
            if other.array.shape != first.array.shape or not np.allclose(other.affine, first.affine, atol=1e-3):
                raise InputError(f"{other_name} and {name} lie on different grids: they cannot be stacked")
        metadata = _metadata(name, first)
        if len(img) == 1:
            return first.array, metadata
        metadata[MetaKeys.ORIGINAL_CHANNEL_DIM] = 0
        return np.stack([volume.array for _, volume in img]), metadata  # files x (X, Y, Z) -> (files, X, Y, Z)


def _metadata(name: str, volume: Volume) -> dict[str, Any]:
    return {
        MetaKeys.AFFINE: volume.affine.copy(),
        MetaKeys.ORIGINAL_AFFINE: volume.affine.copy(),
        MetaKeys.SPATIAL_SHAPE: np.asarray(volume.header.shape),
        MetaKeys.SPACE: SpaceKeys.RAS,
        MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),  # MONAI's sign for "no channel"
        ImageMetaKey.FILENAME_OR_OBJ: name,
    }
