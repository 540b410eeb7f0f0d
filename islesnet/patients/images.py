"""Volumes of SimpleITK from files and into NIfTI."""

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.files import whole_file
from islesnet.scanner import affine_of, image_of
from islesnet.stamps import describe
from islesnet.volumes import read_volume


def read_image(path: Path) -> sitk.Image:
    """Read a volume as float32, 0 where it has no number.

    Raises:
        VolumeError: where it cannot be read.
    """
    volume = read_volume(path)
    array = np.nan_to_num(np.asarray(volume.array, np.float32), posinf=0.0, neginf=0.0)
    return image_of(array, volume.affine, path.name)


def write_image(path: Path, image: sitk.Image, stamps: Sequence[str] = ()) -> None:
    """Write an image, uint8 as it is, everything else as float32; its description holds the stamps.

    Raises:
        OSError: where it cannot be written.
    """
    array = sitk.GetArrayFromImage(image).T  # (Z, Y, X) -> (X, Y, Z)
    volume = nibabel.Nifti1Image(array if array.dtype == np.uint8 else array.astype(np.float32), affine_of(image))
    volume.set_qform(volume.affine, code=1)
    volume.set_sform(volume.affine, code=1)
    volume.header["descrip"] = describe(stamps)
    with whole_file(path) as part:
        volume.to_filename(part)
