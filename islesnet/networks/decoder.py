"""The U-Net decoder: from the deepest level of a pyramid back to the input's resolution."""

from collections.abc import Sequence

import torch
from monai.networks.blocks import Convolution
from torch import nn
from torch.nn.functional import interpolate


class FuseUp(nn.Module):
    """Resize a deep feature map to its skip connection and fuse the two.

    Two 3x3 convolutions, each with batch normalisation and ReLU.

    Args:
        spatial_dims: 2 for slabs of slices, 3 for volumes.
        deep_channels: channels arriving from the level below.
        skip_channels: channels arriving from the encoder at this level.
        out_channels: channels handed to the level above.

    Shapes:
        deep ``(B, deep, *coarse)``, skip ``(B, skip, *fine)`` -> ``(B, out, *fine)``.
    """

    def __init__(self, spatial_dims: int, deep_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.fuse = nn.Sequential(
            convolve(spatial_dims, deep_channels + skip_channels, out_channels),
            convolve(spatial_dims, out_channels, out_channels),
        )

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Fuse; the result has the skip's size."""
        # Resizing to the skip, not by a factor of two, keeps odd-sized volumes legal.
        deep = interpolate(deep, size=skip.shape[2:], mode="nearest")
        fused: torch.Tensor = self.fuse(torch.cat([deep, skip], dim=1))
        return fused


class UNetDecoder(nn.Module):
    """Climb an encoder's pyramid from its deepest level to its first.

    Args:
        spatial_dims: 2 or 3.
        encoder_channels: channels of the pyramid, finest level first.
        decoder_channels: channels of the decoder's levels, deepest first: one fewer than the pyramid has levels.

    Shapes:
        the pyramid's tensors, finest first -> ``(B, decoder_channels[-1], *finest)``.

    Raises:
        ValueError: when the numbers of levels do not fit.
    """

    def __init__(self, spatial_dims: int, encoder_channels: Sequence[int], decoder_channels: Sequence[int]) -> None:
        super().__init__()
        if len(decoder_channels) != len(encoder_channels) - 1:
            raise ValueError(
                f"decoder_channels names {len(decoder_channels)} levels {tuple(decoder_channels)}; "
                f"a pyramid of {len(encoder_channels)} needs {len(encoder_channels) - 1}."
            )
        *skips, deepest = encoder_channels
        arriving = [deepest, *decoder_channels[:-1]]
        self.levels = nn.ModuleList(
            FuseUp(spatial_dims, deep, skip, out)
            for deep, skip, out in zip(arriving, reversed(skips), decoder_channels, strict=True)
        )

    def forward(self, pyramid: list[torch.Tensor]) -> torch.Tensor:
        """Decode a pyramid to its finest level."""
        features = pyramid[-1]
        for i, level in enumerate(self.levels):
            features = level(features, pyramid[len(pyramid) - 2 - i])
        return features


def convolve(spatial_dims: int, in_channels: int, out_channels: int) -> nn.Module:
    """Make a 3x3 convolution with batch normalisation and ReLU, which keeps the size."""
    # Normalisation follows, so a bias would be cancelled.
    return Convolution(spatial_dims, in_channels, out_channels, adn_ordering="NA", norm="batch", act="relu", bias=False)
