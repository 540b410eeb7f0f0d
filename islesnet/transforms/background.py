"""A background of 0, which resampling and masks go by."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from monai.config import KeysCollection
from monai.transforms import MapTransform

from islesnet.volumes.background import background_of


class ZeroBackgroundd(MapTransform):
    """Subtract the value of the space around the head, so that it is 0; a scan whose background is 0 stays as it is.

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
            if background := background_of(np.asarray(shifted[key][0].cpu())):
                shifted[key] = shifted[key] - background
        return shifted
