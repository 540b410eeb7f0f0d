"""A background of 0, which resampling and masks go by."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_dst_type

from islesnet.volumes.background import on_zero


class ZeroBackgroundd(MapTransform):
    """Make the space around the head 0, as `islesnet.volumes.background.on_zero`; a scan where it is 0 stays as it is.

    Args:
        keys: images; absent ones are passed over.

    Shapes:
        each ``(1, X, Y, Z)`` -> the same.
    """

    def __init__(self, keys: KeysCollection) -> None:
        super().__init__(keys, allow_missing_keys=True)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Shift each image on its own."""
        shifted = dict(data)
        for key in self.key_iterator(shifted):
            values = np.asarray(shifted[key][0].cpu())
            zeroed = on_zero(values)
            if zeroed is not values:
                shifted[key], *_ = convert_to_dst_type(zeroed[None], shifted[key])
        return shifted
