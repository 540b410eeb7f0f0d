"""The learning rate to TensorBoard."""

from ignite.engine import Engine, Events
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter


class LearningRate:
    """Write the rate each epoch began with, beside the loss and the metrics.

    Args:
        summary_writer: of TensorBoard.
        optimizer: whose first parameter group is shown.
        tag: TensorBoard's name for it.
    """

    def __init__(self, summary_writer: SummaryWriter, optimizer: Optimizer, tag: str = "learning_rate") -> None:
        self.summary_writer = summary_writer
        self.optimizer = optimizer
        self.tag = tag

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Write."""
        self.summary_writer.add_scalar(self.tag, self.optimizer.param_groups[0]["lr"], engine.state.epoch)
