"""Noise on the sequences that are there, and on no other."""

from collections.abc import Hashable, Mapping
from typing import Any

from monai.transforms import RandGaussianNoised
from monai.utils import convert_to_tensor


class RandNoisePresentd(RandGaussianNoised):
    """Add Gaussian noise as MONAI does, but leave an absent sequence, a channel of zeros, as it is.

    Noise would make an absent sequence look like a present one, which at inference it never does.

    Arguments as for `monai.transforms.RandGaussianNoised`; the images' channels are sequences.

    Shapes:
        ``(C, X, Y, Z)`` -> the same.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add noise to the present channels of each image."""
        noisy: dict[Hashable, Any] = super().__call__(data)
        for key in self.key_iterator(noisy):
            image = convert_to_tensor(data[key])
            present = (image != 0).flatten(1).any(dim=1)
            noisy[key] = noisy[key] * present.view(-1, *[1] * (image.ndim - 1))
        return noisy
