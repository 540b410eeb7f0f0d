"""Any subset of the sequences: which one gives the grid, what stands for an absent one; in training, dropping some."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from islesnet.errors import InputError


class ChooseReferenced(MapTransform):
    """Copy the first present sequence under a name of its own: the grid that the others are brought to.

    A reference that is there already, because a client asks for the mask of one certain image, is left.

    The copy carries the trace of the spatial transforms that follow, so that `monai.transforms.Invertd` finds the
    way back to the native grid under one key, whichever sequence it was.

    Args:
        keys: sequences, the preferred reference first.
        reference_key: where the copy goes.

    Shapes:
        any -> the same, of the sequence that is copied.

    Raises:
        InputError: where none is present.
    """

    def __init__(self, keys: KeysCollection, reference_key: str = "reference") -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.reference_key = reference_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the reference."""
        chosen = dict(data)
        if self.reference_key in chosen:
            return chosen
        present = [key for key in self.keys if key in chosen]
        if not present:
            raise InputError(
                f"patient {chosen.get('patient', '?')!r} has none of the sequences {', '.join(self.keys)}."
            )
        chosen[self.reference_key] = chosen[present[0]].clone()
        return chosen


class FillAbsentd(MapTransform):
    """Put zeros, which is the in-brain median after normalisation, where a sequence is absent.

    Args:
        keys: all sequences the network knows.
        reference_key: gives grid and metadata; it is there, and the sequences that are lie on its grid.

    Shapes:
        reference ``(1, X, Y, Z)`` -> the same for each absent sequence.
    """

    def __init__(self, keys: KeysCollection, reference_key: str = "reference") -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.reference_key = reference_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the absent sequences."""
        filled = dict(data)
        for key in self.keys:
            if key not in filled:
                filled[key] = torch.zeros_like(filled[self.reference_key])
        return filled


class MarkHeadd(MapTransform):
    """Mark the head: where any sequence that is there is above the air. An absent one's zeros say nothing of it.

    Args:
        keys: the image, whose channels are sequences; a channel of zeros is an absent one.
        threshold: above it a voxel is head; a little more than the air's value after normalisation.
        mask_key: where the mask goes.

    Shapes:
        ``(C, X, Y, Z)`` -> mask ``(1, X, Y, Z)``, bool.
    """

    def __init__(self, keys: KeysCollection, threshold: float, mask_key: str) -> None:
        super().__init__(keys)
        self.threshold = threshold
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the mask."""
        marked = dict(data)
        for key in self.key_iterator(marked):
            image = marked[key]
            present = (image != 0).flatten(1).any(dim=1)
            marked[self.mask_key] = (image[present] > self.threshold).any(dim=0, keepdim=True)
        return marked


class RandDropSequencesd(RandomizableTransform, MapTransform):
    """Take sequences away at random in training, so that the network learns to do without any of them.

    Args:
        keys: images whose channels are sequences; a channel of zeros is an absent one.
        prob: probability with which each present sequence is dropped, or one for each channel. One always stays.

    Shapes:
        ``(C, X, Y, Z)`` -> the same.
    """

    def __init__(self, keys: KeysCollection, prob: float | Sequence[float] = 0.2) -> None:
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.drop_prob = torch.as_tensor(prob, dtype=torch.float64)

    def randomize(self, present: torch.Tensor) -> torch.Tensor:
        """Draw which channels to drop among the present ones.

        Shapes:
            ``(C,)`` bool -> ``(C,)`` bool.
        """
        chances = torch.as_tensor(self.R.random_sample(len(present)))
        dropped = present & (chances < self.drop_prob)
        if bool((dropped == present).all()) and bool(present.any()):
            # All were drawn: the one with the luckiest number stays.
            dropped[int(torch.where(present, chances, -1.0).argmax())] = False
        return dropped

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Drop channels of each image."""
        kept = dict(data)
        for key in self.key_iterator(kept):
            image = kept[key]
            present = (image != 0).flatten(1).any(dim=1).cpu()
            keep = (~self.randomize(present)).to(image)
            kept[key] = image * keep.view(-1, *[1] * (image.ndim - 1))
        return kept
