"""The mean of probabilities, taken and given back as logits, so that what is nearly 0 or 1 keeps its digits."""

import torch
from torch.nn.functional import log_softmax


def to_log_probability(logits: torch.Tensor) -> torch.Tensor:
    """Turn logits of either head into log-probabilities; `torch.logaddexp` then adds the probabilities up.

    Shapes:
        ``(B, 2, *size)`` or ``(B, 1, *size)`` -> ``(B, 2, *size)``, background and lesion, float32.
    """
    logits = logits.float()
    if logits.shape[1] == 1:
        # The sigmoid of a logit is the softmax of it and 0.
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return log_softmax(logits, dim=1)


def to_logits(log_probability: torch.Tensor, channels: int) -> torch.Tensor:
    """Turn the logarithm of a sum of probabilities into the logits of their mean.

    No division by the number of summands: a constant added to both channels changes neither the softmax nor their
    difference.

    Args:
        log_probability: of background and lesion.
        channels: of the head: 2 for a softmax, 1 for a sigmoid.

    Shapes:
        ``(B, 2, *size)`` -> ``(B, channels, *size)``.
    """
    return log_probability[:, 1:] - log_probability[:, :1] if channels == 1 else log_probability
