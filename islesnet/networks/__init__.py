"""The ResNet50-UNet, the slab that makes it 2.5D, its public weights, and how it runs fast on a CPU."""

from islesnet.networks.encoder import ResNet50Encoder
from islesnet.networks.precision import (
    CpuAutocastInferer,
    device_of_this_process,
    has_fast_bfloat16,
    keep_freed_memory,
)
from islesnet.networks.pretrained import load_pretrained_encoder, require_weights
from islesnet.networks.resnet50_unet import ResNet50UNet
from islesnet.networks.slab import SlabNetwork

__all__ = [
    "CpuAutocastInferer",
    "ResNet50Encoder",
    "ResNet50UNet",
    "SlabNetwork",
    "device_of_this_process",
    "has_fast_bfloat16",
    "keep_freed_memory",
    "load_pretrained_encoder",
    "require_weights",
]
