"""The ResNet50-UNet, the slab that makes it 2.5D, ensembles and flips, heads and losses, weights, how they run fast."""

from islesnet.networks.compiling import CompilingInferer, can_compile
from islesnet.networks.encoder import ResNet50Encoder
from islesnet.networks.ensemble import EnsembleNetwork
from islesnet.networks.flips import FlipAveragingInferer
from islesnet.networks.head import expect_few_lesions, head_channels, lesion_loss
from islesnet.networks.mean_weights import running_mean
from islesnet.networks.operating_point import OperatingPoint, operating_point_file, read_operating_point
from islesnet.networks.optimizer import make_sgd
from islesnet.networks.parallel import unwrapped
from islesnet.networks.precision import CpuAutocastInferer, has_fast_bfloat16
from islesnet.networks.pretrained import load_pretrained_encoder
from islesnet.networks.process import device_of_this_process, keep_freed_memory, require_device
from islesnet.networks.resnet50_unet import ResNet50UNet
from islesnet.networks.slab import SlabNetwork
from islesnet.networks.trained_with import trained_spacing, trained_with_file, write_trained_with
from islesnet.networks.weights import join_weights, require_weights, start_from, write_ensemble

__all__ = [
    "CompilingInferer",
    "CpuAutocastInferer",
    "EnsembleNetwork",
    "FlipAveragingInferer",
    "OperatingPoint",
    "ResNet50Encoder",
    "ResNet50UNet",
    "SlabNetwork",
    "can_compile",
    "device_of_this_process",
    "expect_few_lesions",
    "has_fast_bfloat16",
    "head_channels",
    "join_weights",
    "keep_freed_memory",
    "lesion_loss",
    "load_pretrained_encoder",
    "make_sgd",
    "operating_point_file",
    "read_operating_point",
    "require_device",
    "require_weights",
    "running_mean",
    "start_from",
    "trained_spacing",
    "trained_with_file",
    "unwrapped",
    "write_ensemble",
    "write_trained_with",
]
