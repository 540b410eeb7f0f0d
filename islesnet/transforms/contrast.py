"""Contrast as other scanners have it: each sequence's dark and bright side stretched by a power, at random."""

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from islesnet.errors import InputError

REACH = 5.0  # robust deviations from the median that stay as they are: the lower bound of `NormalizeInBraind`


class RandContrastd(RandomizableTransform, MapTransform):
    """Bend each channel's contrast on either side of its median, as protocols differ.

    A value v becomes sign(v) REACH (abs(v) / REACH)^g, with g drawn for the dark and for the bright side. The median
    (0, and so an absent sequence) and the space around the head (-REACH) stay, and the order of values is kept.

    Args:
        keys: normalised images.
        gamma: how far g lies from 1 at most, as a factor: it is drawn log-uniformly from 1/gamma to gamma.
        prob: of bending an image.

    Shapes:
        ``(C, X, Y, Z)`` -> the same.

    Raises:
        InputError: for a gamma below 1.
    """

    def __init__(self, keys: KeysCollection, gamma: float = 1.4, prob: float = 0.5) -> None:
        if not gamma >= 1:
            raise InputError(f"contrast_augmentation is {gamma!r}; it is 1 or more.")
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob)
        self.gamma = gamma

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Bend each image's channels, each in its own way."""
        bent = dict(data)
        for key in self.key_iterator(bent):
            self.randomize(None)
            if self._do_transform and self.gamma > 1:
                image = bent[key]
                powers = self.gamma ** self.R.uniform(-1, 1, (2, len(image), *[1] * (image.ndim - 1)))
                dark, bright = torch.as_tensor(powers, dtype=image.dtype, device=image.device)
                far = image.abs() / REACH
                bent[key] = image.sign() * REACH * torch.where(image < 0, far**dark, far**bright)
        return bent
