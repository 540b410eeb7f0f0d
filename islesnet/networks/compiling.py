"""The network compiled, where a machine can."""

import importlib.util
import os
import shutil
from typing import Any

import torch
from monai.inferers import Inferer
from torch import nn

from islesnet.errors import InputError, require_switch


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
