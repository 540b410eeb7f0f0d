"""Volumes of SimpleITK from files and into NIfTI."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
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


def require_different(images: Mapping[str, sitk.Image]) -> None:
    """Refuse one scan that is given as two sequences: the network would see twice what there is once.

    Args:
        images: by sequence.

    Raises:
        InputError: where two have the same voxels.
    """
    for (first, image), (second, other) in itertools.combinations(images.items(), 2):
        voxels, others = sitk.GetArrayViewFromImage(image), sitk.GetArrayViewFromImage(other)
        if np.array_equal(voxels, others):
            raise InputError(
                f"{first.upper()} and {second.upper()} have the same voxels: one scan is given as both. Take away the "
                "one that is not what it is called"
            )


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
