"""Staged training: the encoder is opened after some epochs."""

from ignite.engine import Engine, Events
from torch import nn

from islesnet.networks import ResNet50UNet, unwrapped


class EncoderOpener:
    """Keep a staged network's encoder frozen for its first epochs, then let it learn.

    Decides anew at every epoch, so a resumed training is where it should be. Networks that are not staged, or hold no
    `ResNet50UNet`, are left alone.

    Args:
        network: whatever is trained.
        frozen_epochs: epochs before the encoder is opened.

    Raises:
        ValueError: for a negative number of epochs.
    """

    def __init__(self, network: nn.Module, frozen_epochs: int) -> None:
        if frozen_epochs < 0:
            raise ValueError(f"frozen_epochs is {frozen_epochs}; it must be 0 or more.")
        unets = (module for module in unwrapped(network).modules() if isinstance(module, ResNet50UNet))
        self.staged = [unet for unet in unets if unet.encoder_training == "staged"]
        self.frozen_epochs = frozen_epochs

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer."""
        if self.staged:
            engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Open or freeze for the epoch that starts."""
        for unet in self.staged:
            unet.open_encoder(engine.state.epoch > self.frozen_epochs)
