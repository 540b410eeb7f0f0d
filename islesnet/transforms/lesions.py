"""From logits to a lesion mask: the lesion's probability, its shift, and the removal of specks."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.transforms import MapTransform

from islesnet.components import label_lesions
from islesnet.errors import InputError


class LesionProbabilityd(MapTransform):
    """Turn logits into the probability of lesion: softmax over two channels, sigmoid of one.

    Args:
        keys: logits.
        temperature: what logits are divided by, so that probabilities are right (Guo et al., "On Calibration of Modern
            Neural Networks", ICML 2017, section 4.2). One above 1 draws probabilities towards 0.5 without moving any
            across it. `islesnet.metrics.LogitHistogram` fits it.

    Shapes:
        ``(2, X, Y, Z)`` or ``(1, X, Y, Z)`` -> ``(1, X, Y, Z)`` in 0..1, float32.

    Raises:
        InputError: for a temperature that is not above 0.
        ValueError: for another number of channels.
    """

    def __init__(self, keys: KeysCollection, temperature: float = 1.0) -> None:
        super().__init__(keys)
        if not 0 < temperature < float("inf"):
            raise InputError(
                f"temperature is {temperature}; it must be above 0, and 1 leaves probabilities as they are."
            )
        self.temperature = temperature

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Replace logits by probabilities."""
        probable = dict(data)
        for key in self.key_iterator(probable):
            logits = probable[key].float()
            if logits.shape[0] not in (1, 2):
                raise ValueError(
                    f"{key!r} has {logits.shape[0]} channels; lesion logits have 1 (sigmoid) or 2 (softmax)."
                )
            # The softmax of two channels is the sigmoid of their difference, in one pass.
            difference = logits if logits.shape[0] == 1 else logits[1:] - logits[:1]
            probable[key] = torch.sigmoid(difference / self.temperature)
        return probable


class ShiftProbabilityd(MapTransform):
    """Add an offset to the logits of probabilities: the odds of lesion are multiplied by its exponential.

    It corrects for lesions being more common in training slabs than in a head (Platt scaling; Guo et al., "On
    Calibration of Modern Neural Networks", ICML 2017, section 4.1). On the native grid, after all interpolation, it
    changes no mask whose threshold is shifted too.

    Args:
        keys: probabilities; 0 and 1 stay what they are.
        offset: below 0 for a network that is too sure of lesions. `islesnet.metrics.LogitHistogram` fits it.

    Shapes:
        any -> the same.

    Raises:
        InputError: for an offset that is not finite.
    """

    def __init__(self, keys: KeysCollection, offset: float = 0.0) -> None:
        super().__init__(keys)
        if not abs(offset) < float("inf"):
            raise InputError(f"offset is {offset}; it must be a finite number, and 0 leaves probabilities as they are.")
        self.factor = float(np.exp(offset))

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Shift each probability."""
        shifted = dict(data)
        if self.factor != 1:
            for key in self.key_iterator(shifted):
                lesion = shifted[key] * self.factor
                shifted[key] = lesion / (lesion + 1 - shifted[key])
        return shifted


class RemoveSmallLesionsd(MapTransform):
    """Remove lesions below a volume in millilitres, which means the same on every grid.

    Args:
        keys: masks with an affine in mm.
        minimum_ml: lesions (26-connected) below this volume in ml go; 0 keeps all.

    Shapes:
        ``(1, X, Y, Z)`` -> the same.
    """

    def __init__(self, keys: KeysCollection, minimum_ml: float = 0.0) -> None:
        super().__init__(keys)
        self.minimum_ml = minimum_ml

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Clean each mask."""
        cleaned = dict(data)
        if self.minimum_ml > 0:
            for key in self.key_iterator(cleaned):
                cleaned[key] = self._clean(cleaned[key])
        return cleaned

    def _clean(self, mask: MetaTensor) -> torch.Tensor:
        lesions, _ = label_lesions(mask[0].cpu().numpy() > 0.5)
        volumes_ml = np.bincount(lesions.ravel()) * voxel_volume_ml(np.asarray(mask.affine))
        keep = volumes_ml >= self.minimum_ml
        keep[0] = False  # the background
        return mask * torch.as_tensor(keep[lesions][None]).to(mask)


def voxel_volume_ml(affine: np.ndarray) -> float:
    """Volume of one voxel in ml, from an affine in mm."""
    return float(abs(np.linalg.det(affine[:3, :3]))) / 1000.0
