"""In-brain normalisation."""

from collections.abc import Hashable, Mapping

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from islesnet.errors import InputError
from islesnet.transforms.head import foreground

# The interquartile range of a normal distribution is this many standard deviations.
QUARTILES_APART = 1.349


class NormalizeInBraind(MapTransform):
    """Bring every sequence to median 0 and robust deviation 1 over the brain, whatever the scanner's scale.

    Median and interquartile range, over the foreground alone, so that neither a bright lesion nor the size of the
    field of view moves them. Values are clipped, and the space around the head, whatever its value was, is put on
    the lower bound.

    Args:
        keys: sequences; absent ones are passed over where ``allow_missing_keys``.
        bounds: what the result is clipped to, in robust deviations from the brain's median.
        allow_missing_keys: whether a sequence may be absent.

    Shapes:
        each ``(1, X, Y, Z)`` -> the same, float32.

    Raises:
        InputError: for an image without contrast, by its name.
    """

    def __init__(
        self, keys: KeysCollection, bounds: tuple[float, float] = (-5.0, 10.0), allow_missing_keys: bool = False
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.bounds = bounds

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Normalise each sequence on its own."""
        normalized = dict(data)
        for key in self.key_iterator(normalized):
            normalized[key] = self._normalize(normalized[key], str(key))
        return normalized

    def _normalize(self, image: torch.Tensor, name: str) -> torch.Tensor:
        image = image.float()
        inside = foreground(image)
        values = image[inside]
        values = values[:: max(1, values.numel() // 500_000)]
        if values.numel() == 0:
            raise InputError(f"{name!r} has no contrast: every voxel is {float(image.flatten()[0]):g}.")
        # torch.quantile sorts everything; numpy partitions.
        low, median, high = np.percentile(np.asarray(values), [25, 50, 75])
        deviation = max(float(high - low) / QUARTILES_APART, 1e-3 * float(values.std()))
        if not deviation > 0.0:
            raise InputError(f"{name!r} has no contrast: its foreground is {median:g} throughout.")
        return ((image - float(median)) / deviation).clamp(*self.bounds).masked_fill(~inside, self.bounds[0])
