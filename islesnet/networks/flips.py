"""Test-time augmentation by flips: a volume is segmented in every mirror image, and the answers are averaged."""

from collections.abc import Sequence
from itertools import chain, combinations
from threading import local
from typing import Any, Literal

import torch
from monai.inferers import Inferer
from torch import nn

from islesnet.errors import InputError
from islesnet.networks.averaging import to_log_probability, to_logits


class FlipAveragingInferer(Inferer):
    """Run another inferer on every flip of its input; logits come back that are those of the mean probability.

    It takes 2, 4 or 8 times as long with 1, 2 or 3 axes. How far the flips agree is kept of the latest call as
    `agreement`: the mean Dice between each flip's mask and the mean's, 1 where all are empty, None where nothing is
    flipped. Low agreement goes with a bad mask (Roy et al., "Bayesian QuickNAT", NeuroImage 195, 2019, section 2.4.2,
    with dropout in place of flips); a Dice, unlike a variance, does not depend on the size of the field of view.

    Args:
        inferer: what runs the network, e.g. a `monai.inferers.SlidingWindowInferer`.
        axes: spatial axes to flip along, in every combination: 0 is left-right, 1 posterior-anterior, 2
            inferior-superior of a volume in RAS; False for none. Choose those that the training flipped along.
        threshold: probability from which a voxel is lesion, for the agreement.
        temperature: as for `islesnet.transforms.LesionProbabilityd`, for the agreement.
        offset: as for `islesnet.transforms.ShiftProbabilityd`, the same.

    Shapes:
        as the inferer's: ``(B, C, *size)`` -> logits ``(B, K, *size)``; K is 2 (softmax) or 1 (sigmoid).

    Raises:
        InputError: for axes that are neither False nor different ones of 0, 1 and 2.
    """

    def __init__(
        self,
        inferer: Inferer,
        axes: Sequence[int] | Literal[False] = False,
        threshold: float = 0.5,
        temperature: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        super().__init__()
        self.inferer = inferer
        self.axes = _require_axes(axes)
        self.threshold = threshold
        self.temperature = temperature
        self.offset = offset
        self._latest = local()  # a server infers for several patients at once, each in a thread of its own

    @property
    def agreement(self) -> float | None:
        """How far the flips of this thread's latest call agree; None where nothing was flipped."""
        return getattr(self._latest, "agreement", None)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is of one process's threads."""
        return {name: value for name, value in self.__dict__.items() if name != "_latest"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin without a call, as a copy."""
        self.__dict__.update(state, _latest=local())

    def __call__(self, inputs: torch.Tensor, network: nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Infer with the wrapped inferer; arguments as for it."""
        self._latest.agreement = None
        if not self.axes:
            outputs: torch.Tensor = self.inferer(inputs, network, *args, **kwargs)
            return outputs
        logits = self.inferer(inputs, network, *args, **kwargs)
        channels, masks, total = logits.shape[1], [self._mask(logits)], to_log_probability(logits)
        for axes in self._combinations():
            logits = self.inferer(inputs.flip(axes), network, *args, **kwargs).flip(axes)
            masks.append(self._mask(logits))
            total = torch.logaddexp(total, to_log_probability(logits))
        mean = to_logits(total, channels)
        whole = self._mask(mean)
        self._latest.agreement = sum(_dice(mask, whole) for mask in masks) / len(masks)
        return mean

    def _combinations(self) -> list[list[int]]:
        # The first spatial axis of (B, C, X, Y, Z) is 2.
        tensor_axes = [axis + 2 for axis in self.axes]
        chosen = chain.from_iterable(combinations(tensor_axes, count) for count in range(1, len(tensor_axes) + 1))
        return [list(axes) for axes in chosen]

    def _mask(self, logits: torch.Tensor) -> torch.Tensor:
        difference = logits if logits.shape[1] == 1 else logits[:, 1:] - logits[:, :1]
        return torch.sigmoid(difference.float() / self.temperature + self.offset) >= self.threshold


def _require_axes(axes: Sequence[int] | Literal[False]) -> tuple[int, ...]:
    if axes is False:
        return ()
    is_list = isinstance(axes, Sequence) and not isinstance(axes, str) and len(axes) > 0
    if not is_list or not all(type(axis) is int and axis in (0, 1, 2) for axis in axes) or len({*axes}) < len(axes):
        raise InputError(
            f'test_time_flips is {axes!r}; write --test_time_flips "[0]" for left-right, a list of different axes '
            "among 0, 1 and 2, or False for none."
        )
    return tuple(axes)


def _dice(mask: torch.Tensor, other: torch.Tensor) -> float:
    both, all_marked = int((mask & other).sum()), int(mask.sum()) + int(other.sum())
    return 2 * both / all_marked if all_marked else 1.0
