"""The paper's optimiser, without the paper's misprint."""

from collections.abc import Iterable

from torch import nn
from torch.optim import SGD

from islesnet.errors import InputError


def make_sgd(params: Iterable[nn.Parameter], lr: float, momentum: float = 0.9) -> SGD:
    """Make stochastic gradient descent with a momentum that converges.

    Args:
        params: what learns; parameters without a gradient stay as they are.
        lr: learning rate.
        momentum: share of the last step that goes on, at least 0 and below 1.

    Raises:
        InputError: for another momentum; from 1 on, steps grow without end.
    """
    if not isinstance(momentum, int | float) or not 0 <= momentum < 1:
        raise InputError(
            f"momentum is {momentum!r}; it must be at least 0 and below 1, or every step is larger than the last and "
            'the training diverges. The paper\'s "momentum = 9" is read as 0.9.'
        )
    return SGD(params, lr=lr, momentum=momentum)
