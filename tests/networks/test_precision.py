import pytest
import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from islesnet.networks import CpuAutocastInferer, SlabNetwork, has_fast_bfloat16


@pytest.fixture
def network():
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 3, padding=1))
    return SlabNetwork(inner, context=1, stride=4).eval()


@pytest.fixture(params=["simple", "sliding window"])
def inferer(request):
    if request.param == "simple":
        return SimpleInferer()
    return SlidingWindowInferer(roi_size=(8, 8, -1), overlap=0.25, mode="gaussian")


def test_bfloat16_comes_back_as_float32_and_agrees_with_it(network, inferer):
    image = torch.rand(1, 1, 13, 17, 5)
    with torch.inference_mode():
        exact = inferer(image, network)
        fast = CpuAutocastInferer(inferer, bfloat16=True)(image, network)
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast, exact, atol=0.02, rtol=0.02)


def test_network_does_run_in_bfloat16(network):
    seen = []
    network.network[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    CpuAutocastInferer(SimpleInferer(), bfloat16=True)(torch.rand(1, 1, 8, 8, 2), network)
    assert seen == [torch.bfloat16]


def test_switched_off_it_is_the_wrapped_inferer_to_the_last_bit(network, inferer):
    image = torch.rand(1, 1, 13, 17, 5)
    with torch.inference_mode():
        assert torch.equal(CpuAutocastInferer(inferer, bfloat16=False)(image, network), inferer(image, network))


def test_what_a_client_has_beside_the_image_is_kept_from_the_network(network, inferer):
    image = torch.rand(1, 1, 13, 17, 5)
    with torch.inference_mode():
        beside = CpuAutocastInferer(inferer, bfloat16=False)(image, network=network, reference=image, brain=image)
        assert torch.equal(beside, inferer(image, network))


def test_weights_and_their_gradients_stay_float32(network):
    CpuAutocastInferer(SimpleInferer(), bfloat16=True)(torch.rand(1, 1, 8, 8, 2), network).sum().backward()
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert {weight.grad.dtype for weight in network.parameters()} == {torch.float32}
    assert all(weight.grad.any() for weight in network.parameters())


@pytest.mark.parametrize(("avx512_bf16", "amx", "fast"), [(0, 0, False), (1, 0, True), (0, 1, True)])
def test_bfloat16_is_fast_where_the_processor_has_instructions_for_it(monkeypatch, avx512_bf16, amx, fast):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bool(avx512_bf16))
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: bool(amx))
    assert has_fast_bfloat16() is fast
