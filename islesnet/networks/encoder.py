"""ResNet50 as a feature pyramid, in 2D and 3D."""

import torch
from monai.networks.nets.resnet import ResNet, ResNetBottleneck


class ResNet50Encoder(ResNet):
    """Turn an image into ResNet50's six levels, the image itself first.

    MONAI's ResNet with the stem of the paper (7x7 stride 2, max-pool 3x3 stride 2) and bottleneck stages 3-4-6-3
    (He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1). Parameters are named as in
    torchvision's ``resnet50`` and MedicalNet's ``resnet_50``, so that public weights load unchanged.

    Promise to a decoder: level ``i`` has ``channels[i]`` channels and is ``strides[i]`` times coarser than the
    image, rounded up.

    Args:
        spatial_dims: 2 or 3.
        in_channels: channels of the image.

    Shapes:
        ``(B, in_channels, *size)`` -> six tensors ``(B, channels[i], *ceil(size / strides[i]))``.
    """

    def __init__(self, spatial_dims: int = 2, in_channels: int = 3) -> None:
        super().__init__(
            block=ResNetBottleneck,
            layers=[3, 4, 6, 3],
            block_inplanes=[64, 128, 256, 512],
            spatial_dims=spatial_dims,
            n_input_channels=in_channels,
            conv1_t_size=7,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        self.strides: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
        self.channels: tuple[int, ...] = (in_channels, 64, 256, 512, 1024, 2048)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Compute the pyramid, finest level first."""
        stem = self.act(self.bn1(self.conv1(image)))  # 1/2
        quarter = self.layer1(self.maxpool(stem))  # 1/4
        eighth = self.layer2(quarter)
        sixteenth = self.layer3(eighth)
        return [image, stem, quarter, eighth, sixteenth, self.layer4(sixteenth)]
