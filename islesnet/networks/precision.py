"""bfloat16 where a processor computes in it."""

from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from islesnet.errors import require_switch


def has_fast_bfloat16() -> bool:
    """Say whether this processor has bfloat16 instructions (AVX512-BF16 or AMX).

    Without them bfloat16 is emulated and slower than float32 (PyTorch issue 86270).
    """
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


class CpuAutocastInferer(Inferer):
    """Run another inferer in bfloat16 autocast when its input is on a CPU; logits come back as float32.

    MONAI's ``amp`` speaks to CUDA alone. Sitting in the inferer, the switch serves training, evaluation and every
    client that takes the bundle's inferer, while the network stays pure: what is exported equals what is eager.

    Args:
        inferer: what runs the network, e.g. a `monai.inferers.SlidingWindowInferer`.
        bfloat16: whether to; on a GPU input nothing is changed either way.
    """

    def __init__(self, inferer: Inferer, bfloat16: bool) -> None:
        super().__init__()
        self.inferer = inferer
        self.bfloat16 = require_switch(bfloat16, "cpu_bfloat16")

    def __call__(self, inputs: torch.Tensor, network: nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Infer with the wrapped inferer; positional arguments as for it.

        Named ones go no further: MONAI Deploy hands on each tensor of a patient under its key, and the network takes
        the image alone.
        """
        enabled = self.bfloat16 and inputs.device.type == "cpu"
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            outputs: torch.Tensor = self.inferer(inputs, network, *args)
        return outputs.float() if enabled else outputs
