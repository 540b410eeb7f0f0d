"""Smoothing ahead of a coarser grid."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.utils import affine_to_spacing
from monai.transforms import MapTransform
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.transforms.head import stripped_brain

FloatArray = NDArray[np.float32]
NEGLIGIBLE = 0.1  # voxels: a Gaussian that hardly reaches the next one


class Antialiasd(MapTransform):
    """Smooth images that are about to be sampled more coarsely, so that a sample stands for the voxels around it.

    A Gaussian of (factor - 1) / 2 voxels of the image's own along each axis, the factor being how many of them one
    sample takes the place of: the rule of MONAI's ``Resize``. Where samples are no coarser, nothing changes. Of a
    skull-stripped image only the brain takes part, so that no halo grows around it.

    Args:
        keys: images; absent ones are passed over.
        spacing: of the samples along the image's axes, in mm.

    Shapes:
        each ``(C, X, Y, Z)``, with its affine -> the same.
    """

    def __init__(self, keys: KeysCollection, spacing: Sequence[float]) -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.spacing = tuple(spacing)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Smooth each image along the axes that are finer."""
        smoothed = dict(data)
        for key in self.key_iterator(smoothed):
            smoothed[key] = self._smooth(smoothed[key])
        return smoothed

    def _smooth(self, image: Any) -> Any:
        factors = np.divide(self.spacing, affine_to_spacing(np.asarray(image.affine)))
        deviations = [max((factor - 1) / 2, 0.0) for factor in factors]
        if max(deviations) < NEGLIGIBLE:
            return image
        values, brain = np.asarray(image, dtype=np.float32), stripped_brain(image)
        if brain is None:
            blurred = _blur(values, deviations)
        else:
            inside = brain.numpy().astype(np.float32)
            weight = np.maximum(_blur(inside, deviations), 1e-6)
            blurred = np.where(inside > 0, _blur(values * inside, deviations) / weight, values)
        smooth = image.clone()
        smooth.set_array(torch.as_tensor(blurred))
        return smooth


def _blur(values: FloatArray, deviations: Sequence[float]) -> FloatArray:
    blurred: FloatArray = ndimage.gaussian_filter(values, (0.0, *deviations), mode="nearest")
    return blurred
