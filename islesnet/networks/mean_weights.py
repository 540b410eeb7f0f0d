"""The running mean of a network's weights over a training."""

import torch
from torch import nn
from torch.optim.swa_utils import PARAM_LIST, AveragedModel, get_ema_multi_avg_fn

from islesnet.errors import InputError, require_numbers
from islesnet.networks.parallel import unwrapped


def running_mean(network: nn.Module, share: float) -> AveragedModel:
    """Make the mean of a network's weights, and of its statistics of batch normalisation, over the latest steps.

    The plain mean of all steps (Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization",
    UAI 2018) until these are 1 / share, from then on the exponential one, which forgets the earliest. The weights
    that a training begins with have no part in it. Like `torch.optim.swa_utils.AveragedModel`, it is told of a step by
    ``update_parameters`` and holds the mean as ``module``, in evaluation mode.

    Args:
        network: what is trained.
        share: of the latest step in the mean, above 0 and at most 1.

    Raises:
        InputError: for another share.
    """
    require_numbers({"averaging": share}, minimum=0.0, maximum=1.0)
    if share == 0:
        raise InputError(f"averaging is {share}; it must be above 0 and at most 1.")

    def add(means: PARAM_LIST, latest: PARAM_LIST, steps: torch.Tensor | int) -> None:
        # All tensors at once: one by one, a GPU would have to wait for the count of steps at each of them.
        get_ema_multi_avg_fn(1 - max(share, 1 / (int(steps) + 1)))(means, latest, steps)

    averaged = AveragedModel(unwrapped(network), multi_avg_fn=add, use_buffers=True)
    averaged.requires_grad_(False)
    return averaged.eval()
