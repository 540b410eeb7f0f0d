import pytest
import torch
from torch import nn

from islesnet.networks.decoder import FuseUp, UNetDecoder


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [((2, 3), (4, 6)), ((2, 3), (3, 5)), ((1, 1), (1, 1)), ((2, 2, 2), (4, 3, 4)), ((2, 1, 1), (3, 1, 2))],
)
def test_fused_map_has_the_size_of_the_skip(coarse, fine):
    fuse = FuseUp(len(fine), deep_channels=5, skip_channels=3, out_channels=4).eval()
    fused = fuse(torch.rand(2, 5, *coarse), torch.rand(2, 3, *fine))
    assert fused.shape == (2, 4, *fine)


def test_deep_features_are_repeated_to_the_skip_and_come_before_it():
    fuse = FuseUp(2, deep_channels=1, skip_channels=1, out_channels=2)
    fuse.fuse = nn.Identity()
    deep = torch.tensor([[[[1.0, 2.0]]]])
    skip = torch.tensor([[[[10.0, 20.0, 30.0, 40.0]]]])
    assert fuse(deep, skip).tolist() == [[[[1.0, 1.0, 2.0, 2.0]], [[10.0, 20.0, 30.0, 40.0]]]]


def test_fusing_is_twice_convolution_normalisation_relu():
    fuse = FuseUp(3, deep_channels=2, skip_channels=2, out_channels=3)
    kinds = [type(layer) for layer in fuse.modules() if not list(layer.children())]
    assert kinds == [nn.Conv3d, nn.BatchNorm3d, nn.ReLU] * 2
    assert all(layer.kernel_size == (3, 3, 3) for layer in fuse.modules() if isinstance(layer, nn.Conv3d))


def test_decoder_climbs_to_the_finest_level():
    decoder = UNetDecoder(2, encoder_channels=(3, 4, 5), decoder_channels=(6, 7)).eval()
    pyramid = [torch.rand(1, 3, 9, 7), torch.rand(1, 4, 5, 4), torch.rand(1, 5, 3, 2)]
    assert decoder(pyramid).shape == (1, 7, 9, 7)


def test_gradient_reaches_every_level_of_the_decoder():
    torch.manual_seed(0)
    decoder = UNetDecoder(2, encoder_channels=(3, 4, 5), decoder_channels=(6, 7))
    pyramid = [torch.rand(2, 3, 9, 7), torch.rand(2, 4, 5, 4), torch.rand(2, 5, 3, 2)]
    decoder(pyramid).square().mean().backward()
    unreached = [name for name, weight in decoder.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert unreached == []


def test_wrong_number_of_decoder_levels_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match=r"decoder_channels names 3 levels \(8, 4, 2\); a pyramid of 3 needs 2"):
        UNetDecoder(2, encoder_channels=(3, 4, 5), decoder_channels=(8, 4, 2))
