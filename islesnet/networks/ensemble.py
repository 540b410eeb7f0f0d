"""Several networks that answer as one: with the mean of their probabilities."""

from copy import deepcopy

import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.networks.averaging import to_log_probability, to_logits


class EnsembleNetwork(nn.Module):
    """Average the probabilities of several networks, and give the mean back as logits.

    So whatever takes the logits of one network, with a softmax or a sigmoid head, takes an ensemble's.

    Args:
        network: the members' architecture; each is a copy, until `join_weights` gives each weights of its own.
        members: how many, 1 or more.

    Shapes:
        as a member's: ``(B, C, *size)`` -> logits ``(B, K, *size)``, float32.

    Raises:
        InputError: for fewer than one member.
    """

    def __init__(self, network: nn.Module, members: int) -> None:
        super().__init__()
        if not isinstance(members, int) or members < 1:
            raise InputError(f"members is {members!r}; an ensemble has 1 or more.")
        self.members = nn.ModuleList([deepcopy(network) for _ in range(members)])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Segment with every member, one after the other."""
        total = torch.empty(0)
        channels = 0
        for i, member in enumerate(self.members):
            logits = member(image)
            channels = logits.shape[1]
            log_probability = to_log_probability(logits)
            total = log_probability if i == 0 else torch.logaddexp(total, log_probability)
        return to_logits(total, channels)
