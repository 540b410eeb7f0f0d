"""The coils' shading taken out of a sequence: N4, at low resolution and in a fixed number of steps."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from monai.config import KeysCollection
from monai.data.utils import affine_to_spacing
from monai.transforms import MapTransform

from islesnet.volumes.levels import bright_part, shrink

# Shading is smooth: 6 mm show all of it, and differ from 4 mm by half a percent in three times less time.
SPACING_MM = 6.0
# Two levels of splines: a third would follow large infarcts, and take a part of their contrast for shading.
STEPS = (40, 30)
FEWEST_VOXELS = 100  # at that resolution; a field of fewer says nothing
LEAST_CONTRAST = 1e-3  # of the brightest: what is of one value shows no shading, and is refused later


class CorrectBiasd(MapTransform):
    """Divide images by their bias field (N4: Tustison et al., IEEE TMI 29:1310, 2010).

    Args:
        keys: sequences; absent ones are passed over.
        mask_key: mask of the brain, where the field is found; without it, in the bright part of each image.

    Shapes:
        each ``(1, X, Y, Z)``, 0 and more, the mask likewise -> the same, float32.
    """

    def __init__(self, keys: KeysCollection, mask_key: str) -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Correct each sequence on its own."""
        corrected = dict(data)
        mask = corrected.get(self.mask_key)
        for key in self.key_iterator(corrected):
            image = corrected[key]
            spacing = [float(length) for length in affine_to_spacing(np.asarray(image.affine))]
            field = bias_field(_image_of(image, spacing), None if mask is None else _image_of(mask, spacing))
            corrected[key] = image / torch.as_tensor(field, dtype=image.dtype)[None]
        return corrected


def bias_field(image: sitk.Image, mask: sitk.Image | None = None) -> np.ndarray:
    """Find what an image is to be divided by; all 1 where there are too few voxels to tell, or all of one value.

    The same on every machine: one thread adds everything up.

    Args:
        image: float32; what is below 0 counts as 0.
        mask: where the field is found, on the image's grid; the bright part of the image where none is given.

    Shapes:
        ``(X, Y, Z)``.
    """
    coarse = sitk.Maximum(shrink(image, SPACING_MM), 0.0)
    if mask is None:
        where = bright_part(coarse)
    else:
        inside = sitk.Resample(mask, coarse, sitk.Transform(), sitk.sitkNearestNeighbor, 0.0, sitk.sitkFloat32) > 0.5
        where = inside & (coarse > 0.0)
    seen = sitk.GetArrayViewFromImage(coarse)[sitk.GetArrayViewFromImage(where) > 0]
    if min(coarse.GetSize()) < 2 or len(seen) < FEWEST_VOXELS or np.ptp(seen) <= LEAST_CONTRAST * seen.max():
        return np.ones(image.GetSize(), dtype=np.float32)
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(STEPS)
    correction.SetNumberOfThreads(1)
    correction.SetNumberOfWorkUnits(1)
    correction.Execute(coarse, where)
    logarithm = sitk.GetArrayFromImage(correction.GetLogBiasFieldAsImage(image))
    return np.exp(logarithm.T.astype(np.float32))


def _image_of(volume: torch.Tensor, spacing: list[float]) -> sitk.Image:
    """Turn a volume, ``(1, X, Y, Z)``, into an image whose axes are the volume's."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume[0].cpu().numpy().T, dtype=np.float32))
    image.SetSpacing(spacing)
    return image
