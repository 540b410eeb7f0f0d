"""Lesions taken from a folder of masks in MNI space, carried onto a patient's brain."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.errors import InputError
from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.lesions import Infarct

ATTEMPTS = 500
FAR = 3.0  # a mask that is so many times too large or too small will not fit on any brain
MASK_PARTS = ("all", "training", "validation", "test")
HELD_OUT_EVERY = 8  # of the masks in the order of their names; of these, in turn, one to validate and one to test
SMOOTHING_MM = 0.8  # softens the voxel steps of a binary mask


class NoMaskFitsError(InputError):
    """A folder has masks, but none of a lesion of the size asked for."""


def take_infarct_from_masks(
    rng: np.random.Generator, anatomy: Anatomy, folder: Path, volume_ml: tuple[float, float], part: str = "all"
) -> Infarct:
    """Lay a mask drawn from a folder, perhaps mirrored, onto the patient's brain.

    Files that are no mask (atlases) and masks whose volume on the patient lies outside the range are passed over.

    Args:
        rng: source of randomness.
        anatomy: the brain that it lands in.
        folder: NIfTI masks, aligned with MNI space by their affines.
        volume_ml: smallest and largest volume on the patient.
        part: of the folder's masks, as in `list_masks`.

    Raises:
        NoMaskFitsError: none of the masks drawn fits.
        InputError: the folder holds no mask, or a file cannot be read.
    """
    files = list_masks(folder, part)
    masks = 0
    for index in rng.permutation(len(files))[:ATTEMPTS]:
        is_mirrored = rng.uniform() < 0.5
        image, values = _read(files[index])
        if not _is_mask(values):
            continue
        masks += 1
        share = _lay_on(anatomy, image, values, is_mirrored, volume_ml)
        if share is None:
            continue
        volume = np.count_nonzero(share > 0.5) * anatomy.grid.voxel_ml
        if max(volume_ml[0], anatomy.grid.voxel_ml / 2) <= volume <= volume_ml[1]:
            return Infarct(share, artery=files[index].name)
    error = NoMaskFitsError if masks else InputError
    raise error(
        f"{folder}: none of {min(len(files), ATTEMPTS)} files drawn from it is a lesion mask in MNI space of "
        f"{volume_ml[0]:g} to {volume_ml[1]:g} ml inside the brain"
    )


def list_masks(folder: Path, part: str = "all") -> tuple[Path, ...]:
    """List the NIfTI files of a folder by name.

    Args:
        folder: of masks.
        part: "all" of them; or of three parts that share none, "validation" and "test", each every sixteenth, or
            "training", the others.

    Raises:
        InputError: it is not a folder, or holds none for this part.
    """
    if not folder.is_dir():
        raise InputError(f"lesion_masks: there is no folder {folder}")
    files = tuple(sorted(path for path in folder.iterdir() if path.name.endswith((".nii", ".nii.gz"))))
    if not files:
        raise InputError(f"lesion_masks: {folder} holds no .nii or .nii.gz file")
    if part == "all":
        return files
    chosen = tuple(file for place, file in enumerate(files) if _part_of(place) == part)
    if not chosen:
        raise InputError(
            f"lesion_masks: {folder} holds {len(files)}, so there is none for the part {part!r}; to train, validate "
            f"and test on different ones takes {HELD_OUT_EVERY + 1}"
        )
    return chosen


def _part_of(place: int) -> str:
    """Name the part of the mask at a place in the order of names."""
    held_out, is_for_training = divmod(place, HELD_OUT_EVERY)
    if is_for_training:
        return "training"
    return "test" if held_out % 2 else "validation"


def _lay_on(
    anatomy: Anatomy, image: Any, values: NDArray[Any], is_mirrored: bool, volume_ml: tuple[float, float]
) -> FloatArray | None:
    """Sample a mask at the places of the patient's voxels; None where it is far from the volume."""
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    given_ml = np.count_nonzero(values > 0.5) * float(np.prod(spacing)) / 1000
    if not volume_ml[0] / FAR <= given_ml <= volume_ml[1] * FAR:
        return None
    # On a coarse grid the label is what fills half of a voxel, so the mask is averaged over one.
    sigma_mm = max(SMOOTHING_MM, 0.35 * anatomy.grid.spacing_mm)
    soft = ndimage.gaussian_filter((values > 0.5).astype(np.float32), sigma_mm / spacing)
    places = anatomy.mni_mm * np.array([[-1.0 if is_mirrored else 1.0], [1.0], [1.0]], dtype=np.float32)
    to_voxels = np.linalg.inv(image.affine)
    voxels = [sum(to_voxels[row, k] * places[k] for k in range(3)) + to_voxels[row, 3] for row in range(3)]
    share = ndimage.map_coordinates(soft, voxels, output=np.float32, order=1)
    # An expert outlines tissue: where this patient has fluid, the mask ends.
    in_tissue: FloatArray = share * np.clip(2 * anatomy.parenchyma, 0, 1)
    return in_tissue


def _read(file: Path) -> tuple[Any, NDArray[Any]]:
    try:
        image: Any = nib.load(file)
        return image, np.asarray(image.dataobj)
    except (nib.filebasedimages.ImageFileError, OSError, EOFError, ValueError) as error:
        raise InputError(f"lesion_masks: {file} cannot be read as NIfTI ({error})") from error


def _is_mask(values: NDArray[Any]) -> bool:
    """Tell a mask (shares up to 1, or one value beside 0) from an atlas or an image."""
    if values.ndim != 3 or values.min() < 0 or values.max() <= 0.5:
        return False
    return bool(values.max() <= 1) or len(np.unique(values)) == 2
