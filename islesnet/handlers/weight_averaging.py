"""The mean of the weights, kept up to date in training."""

from ignite.engine import Engine, Events
from torch import nn
from torch.optim.swa_utils import AveragedModel

from islesnet.networks import unwrapped


class WeightAveraging:
    """Tell the running mean of a network's weights of every step.

    Args:
        network: what is trained.
        averaged: its mean, as `islesnet.networks.running_mean` makes it.
    """

    def __init__(self, network: nn.Module, averaged: AveragedModel) -> None:
        self.network = unwrapped(network)
        self.averaged = averaged

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self) -> None:
        """Take the latest weights into the mean."""
        self.averaged.update_parameters(self.network)
