"""ResNet50UNet: encoder + decoder + head."""

from collections.abc import Sequence
from os import PathLike

import torch
from monai.networks.layers.factories import Conv
from torch import nn

from islesnet.errors import InputError
from islesnet.networks.decoder import UNetDecoder, convolve
from islesnet.networks.encoder import ResNet50Encoder
from islesnet.networks.head import expect_few_lesions
from islesnet.networks.pretrained import load_pretrained_encoder

ENCODER_TRAINING = ("frozen", "finetune", "staged")


class ResNet50UNet(nn.Module):
    """Segment an image with a U-Net whose encoder is a ResNet50.

    After Aboudi, Drissi and Kraiem, "A Hybrid ResNet50-UNet Model for Ischemic Stroke Brain Segmentation from MRI
    Images", IJCSNS 22(11), 2022. A ResNet50's first features lie at half the resolution; two convolutions of the
    image itself give the decoder features at the full one, so that borders and small lesions are drawn with the
    voxels in view.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.
        out_channels: 2 for a softmax over background and lesion, 1 for a sigmoid.
        decoder_channels: channels of the decoder's five levels, deepest first.
        detail_channels: features at full resolution; 0 gives the decoder the image as it is.
        pretrained: where the encoder's weights come from: None or False (random), "imagenet" (2D; downloaded once
            through torch.hub, hash checked) or a file in torchvision's (2D) or MedicalNet's (3D) ResNet50 format.
        encoder_training: "finetune" trains everything; "frozen" keeps the encoder's weights and its BatchNorm
            statistics; "staged" leaves the moment to `islesnet.handlers.EncoderOpener`,
            which keeps the encoder frozen at first and opens it by ``open_encoder``.

    Shapes:
        ``(B, in_channels, *size)`` -> logits ``(B, out_channels, *size)``; odd sizes are legal.

    Raises:
        InputError: for an unknown ``encoder_training``, or pretrained weights that do not fit.
    """

    def __init__(
        self,
        spatial_dims: int = 2,
        in_channels: int = 3,
        out_channels: int = 2,
        decoder_channels: Sequence[int] = (128, 128, 64, 32, 32),
        detail_channels: int = 32,
        pretrained: str | PathLike[str] | bool | None = None,
        encoder_training: str = "finetune",
    ) -> None:
        super().__init__()
        if encoder_training not in ENCODER_TRAINING:
            raise InputError(f"encoder_training is {encoder_training!r}; it can be {', '.join(ENCODER_TRAINING)}.")
        self.encoder = ResNet50Encoder(spatial_dims, in_channels)
        self.detail: nn.Module = nn.Identity()
        if detail_channels > 0:
            self.detail = nn.Sequential(
                convolve(spatial_dims, in_channels, detail_channels),
                convolve(spatial_dims, detail_channels, detail_channels),
            )
        skips = (detail_channels or in_channels, *self.encoder.channels[1:])
        self.decoder = UNetDecoder(spatial_dims, skips, decoder_channels)
        self.head = Conv[Conv.CONV, spatial_dims](decoder_channels[-1], out_channels, kernel_size=1)
        expect_few_lesions(self.head)
        self.strides: tuple[int, ...] = self.encoder.strides
        self.channels: tuple[int, ...] = self.encoder.channels
        self.encoder_training = encoder_training
        self.encoder_is_frozen = encoder_training != "finetune"
        # False is how a command line says it: MONAI's cannot hand on None.
        if pretrained is not None and pretrained is not False:
            load_pretrained_encoder(self.encoder, pretrained)
        # A staged encoder's gradients are stopped later, by open_encoder: DistributedDataParallel synchronises only the
        # parameters that required a gradient when it wrapped the network.
        if encoder_training == "frozen":
            self.encoder.requires_grad_(False)
        self.train()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Segment; returns logits at the image's resolution."""
        pyramid = self.encoder(image)
        pyramid[0] = self.detail(image)
        logits: torch.Tensor = self.head(self.decoder(pyramid))
        return logits

    def open_encoder(self, is_open: bool) -> None:
        """Let the encoder learn from now on, or keep it (weights and BatchNorm statistics) as it is.

        Gradients stop by ``requires_grad``, so an optimiser that holds the parameters leaves them alone.
        """
        self.encoder_is_frozen = not is_open
        self.encoder.requires_grad_(is_open)
        self.train(self.training)

    def train(self, mode: bool = True) -> "ResNet50UNet":
        """Switch to training mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self.encoder_is_frozen:
            self.encoder.eval()
        return self
