"""The brain, where it is known, as all there is to see and all there is to mark."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.utils import affine_to_spacing
from monai.transforms import MapTransform
from scipy import ndimage


class WidenMaskd(MapTransform):
    """Make a mask binary and widen it by a margin, so that a border that is a little off cuts nothing away.

    Args:
        keys: masks, 0 to 1; absent ones are passed over.
        margin_mm: how far it grows.

    Shapes:
        each ``(1, X, Y, Z)`` -> the same, of 0 and 1.
    """

    def __init__(self, keys: KeysCollection, margin_mm: float) -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.margin_mm = margin_mm

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Widen each mask."""
        widened = dict(data)
        for key in self.key_iterator(widened):
            mask = widened[key] > 0.5
            spacing = affine_to_spacing(np.asarray(mask.affine))
            distance_mm = ndimage.distance_transform_edt(~mask[0].cpu().numpy(), sampling=spacing)
            mask[0] = torch.as_tensor(distance_mm <= self.margin_mm) if bool(mask.any()) else mask[0]
            widened[key] = mask.to(data[key])
        return widened


class KeepInsided(MapTransform):
    """Put 0 wherever a mask is 0; without the mask nothing changes.

    Args:
        keys: images on the mask's grid; absent ones are passed over.
        mask_key: where the mask is.

    Shapes:
        each ``(C, X, Y, Z)``, mask ``(1, X, Y, Z)`` -> the same.
    """

    def __init__(self, keys: KeysCollection, mask_key: str) -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Keep the inside of each image."""
        kept = dict(data)
        if self.mask_key in kept:
            outside = kept[self.mask_key] <= 0.5
            for key in self.key_iterator(kept):
                kept[key] = kept[key].masked_fill(outside.to(kept[key].device), 0)
        return kept
