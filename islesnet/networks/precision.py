"""Where and how a network runs: the device of each process, bfloat16 where a processor computes in it, compiled."""

import ctypes
import importlib.util
import os
import shutil
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from islesnet.errors import InputError, require_switch


def has_fast_bfloat16() -> bool:
    """Say whether this processor has bfloat16 instructions (AVX512-BF16 or AMX).

    Without them bfloat16 is emulated and slower than float32 (PyTorch issue 86270).
    """
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def device_of_this_process() -> torch.device:
    """Give the GPU that torchrun means this process to have, made current, or the CPU where there are none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def keep_freed_memory() -> bool:
    """Let this process keep the memory that its tensors free, instead of handing it back to the system each time.

    A training step on a CPU allocates and frees gigabytes; glibc returns large blocks at once, and every step pays
    for fetching each page anew. `python -m workflows.benchmark` measures what it is worth.

    Returns:
        whether the C library took the settings: glibc does, others go on as they were.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return False
    return bool(libc.mallopt(M_MMAP_MAX, 0) and libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1))


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
        """Infer with the wrapped inferer; arguments as for it."""
        enabled = self.bfloat16 and inputs.device.type == "cpu"
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            outputs: torch.Tensor = self.inferer(inputs, network, *args, **kwargs)
        return outputs.float() if enabled else outputs


def can_compile() -> bool:
    """Say whether this machine has what `torch.compile` needs: a C++ compiler for a CPU, Triton for a GPU."""
    if torch.cuda.is_available():
        return importlib.util.find_spec("triton") is not None
    return shutil.which(os.environ.get("CXX", "g++")) is not None


class CompilingInferer(Inferer):
    """Run another inferer with the network compiled by `torch.compile`, which fuses what lies between convolutions.

    Worth a minute or two before the first step of a long training. As with `CpuAutocastInferer` the network itself
    stays as it is, and with it what is saved and what is exported.

    Args:
        inferer: what runs the network.
        compile_network: whether to.

    Raises:
        InputError: where it is asked for and this machine has no compiler.
    """

    def __init__(self, inferer: Inferer, compile_network: bool) -> None:
        super().__init__()
        self.inferer = inferer
        self.compile_network = require_switch(compile_network, "compile_network")
        if self.compile_network and not can_compile():
            raise InputError(
                "compile_network is True, and there is no C++ compiler (g++, or what CXX names; for a GPU Triton); "
                "install one, or leave compile_network at False."
            )
        self._compiled: dict[nn.Module, Any] = {}

    def __call__(self, inputs: torch.Tensor, network: nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Infer with the wrapped inferer; arguments as for it."""
        if self.compile_network and network not in self._compiled:
            self._compiled = {network: torch.compile(network, dynamic=False)}
        outputs: torch.Tensor = self.inferer(inputs, self._compiled.get(network, network), *args, **kwargs)
        return outputs
