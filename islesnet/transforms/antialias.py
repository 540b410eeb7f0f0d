"""Smoothing ahead of a coarser grid."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.utils import affine_to_spacing
from monai.transforms import MapTransform
from scipy import ndimage


class Antialiasd(MapTransform):
    """Smooth images that are about to be sampled more coarsely, so that a sample stands for the voxels around it.

    A Gaussian of (factor - 1) / 2 voxels of the image's own along each axis, the factor being how many of them one
    sample takes the place of: the rule of MONAI's ``Resize``. Where samples are no coarser, nothing changes.

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
        values = np.asarray(image, dtype=np.float32)
        for axis, factor in enumerate(factors, start=1):
            if factor > 1.001:  # headers are rounded
                values = ndimage.gaussian_filter1d(values, (factor - 1) / 2, axis=axis, mode="nearest")
        smooth = image.clone()
        smooth.set_array(torch.as_tensor(values))
        return smooth
