import copy

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import CompilingInferer, can_compile


@pytest.mark.skipif(not can_compile(), reason="no compiler for torch.compile")
def test_compiled_network_computes_and_learns_what_the_network_itself_does():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1))
    image = torch.randn(2, 2, 8, 8)
    plain = SimpleInferer()(image, copy.deepcopy(network))
    inferer = CompilingInferer(SimpleInferer(), compile_network=True)

    outputs = inferer(image, network)
    outputs.mean().backward()

    torch.testing.assert_close(outputs, plain)
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert next(iter(network.state_dict())) == "0.weight"  # nothing of it is renamed


def test_machine_without_a_compiler_is_told_so(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")

    assert CompilingInferer(SimpleInferer(), compile_network=False) is not None
    with pytest.raises(InputError, match=r"no C\+\+ compiler"):
        CompilingInferer(SimpleInferer(), compile_network=True)
