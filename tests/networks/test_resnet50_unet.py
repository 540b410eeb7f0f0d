import pytest
import torch

from islesnet.networks import ResNet50UNet

NARROW = (16, 16, 8, 8, 4)  # a thin decoder where the encoder is what is tested


@pytest.fixture(scope="module")
def plane_network():
    torch.manual_seed(0)
    return ResNet50UNet(spatial_dims=2, in_channels=12)


@pytest.fixture(scope="module")
def volume_network():
    torch.manual_seed(0)
    return ResNet50UNet(spatial_dims=3, in_channels=4, out_channels=1, decoder_channels=NARROW)


def parameters_without_gradient(network):
    return [
        name
        for name, weight in network.named_parameters()
        if weight.requires_grad and (weight.grad is None or not weight.grad.any())
    ]


def train_once(network, image):
    """Take one step with weight decay, which would move even a weight whose gradient is zero."""
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    network(image).square().mean().backward()
    optimizer.step()


def snapshot(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def changed(module, before):
    return [name for name, value in module.state_dict().items() if not torch.equal(value, before[name])]


@pytest.mark.parametrize("size", [(33, 47), (1, 5)])
def test_plane_gives_two_logits_a_pixel_at_any_size(plane_network, size):
    plane_network.eval()
    with torch.inference_mode():
        assert plane_network(torch.rand(1, 12, *size)).shape == (1, 2, *size)


@pytest.mark.parametrize("size", [(32, 16, 8), (33, 19, 5)])
def test_volume_gives_one_logit_a_voxel_at_any_size(volume_network, size):
    volume_network.eval()
    with torch.inference_mode():
        assert volume_network(torch.rand(1, 4, *size)).shape == (1, 1, *size)


def test_without_detail_the_decoder_sees_the_image_itself():
    network = ResNet50UNet(in_channels=3, decoder_channels=NARROW, detail_channels=0).eval()

    assert not any("detail" in name for name in network.state_dict())
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 33, 47)).shape == (1, 2, 33, 47)


def test_channels_and_strides_of_the_levels_are_published(plane_network, volume_network):
    assert plane_network.channels == (12, 64, 256, 512, 1024, 2048)
    assert volume_network.channels == (4, 64, 256, 512, 1024, 2048)
    assert plane_network.strides == volume_network.strides == (1, 2, 4, 8, 16, 32)


def test_gradient_reaches_every_parameter_of_the_plane_network(plane_network):
    plane_network.train()
    plane_network(torch.rand(2, 12, 49, 33)).square().mean().backward()
    assert all(weight.requires_grad for weight in plane_network.parameters())
    assert parameters_without_gradient(plane_network) == []


def test_gradient_reaches_every_parameter_of_the_volume_network(volume_network):
    volume_network.train()
    volume_network(torch.rand(1, 4, 33, 34, 9)).square().mean().backward()
    assert all(weight.requires_grad for weight in volume_network.parameters())
    assert parameters_without_gradient(volume_network) == []


def test_head_gives_logits_not_probabilities(plane_network):
    plane_network.eval()
    with torch.inference_mode():
        before = plane_network(torch.ones(1, 12, 32, 32))
        plane_network.head.bias += 100.0
        after = plane_network(torch.ones(1, 12, 32, 32))
        plane_network.head.bias -= 100.0
    torch.testing.assert_close(after, before + 100.0, atol=1e-3, rtol=0)


def test_frozen_encoder_keeps_weights_and_statistics_while_the_rest_learns():
    torch.manual_seed(0)
    network = ResNet50UNet(in_channels=3, decoder_channels=NARROW, encoder_training="frozen")
    encoder, rest = snapshot(network.encoder), snapshot(network.decoder)
    train_once(network, torch.rand(2, 3, 48, 40))
    assert changed(network.encoder, encoder) == []
    assert len(changed(network.decoder, rest)) == len(rest)
    assert parameters_without_gradient(network) == []


def test_frozen_encoder_keeps_its_statistics_even_before_train_is_called():
    network = ResNet50UNet(in_channels=3, decoder_channels=NARROW, encoder_training="frozen")
    encoder = snapshot(network.encoder)
    with torch.no_grad():
        network(torch.rand(2, 3, 48, 40))
    assert changed(network.encoder, encoder) == []


def test_staged_encoder_is_kept_until_it_is_opened_and_can_be_closed_again():
    torch.manual_seed(0)
    network = ResNet50UNet(in_channels=3, decoder_channels=NARROW, encoder_training="staged").train()
    image = torch.rand(2, 3, 48, 40)

    network.open_encoder(False)
    encoder = snapshot(network.encoder)
    train_once(network, image)
    assert changed(network.encoder, encoder) == []

    network.open_encoder(True)
    train_once(network, image)
    assert len(changed(network.encoder, encoder)) == len(encoder)

    network.open_encoder(False)
    encoder = snapshot(network.encoder)
    network.zero_grad()
    train_once(network, image)
    assert changed(network.encoder, encoder) == []


def test_opening_the_encoder_leaves_an_evaluated_network_in_evaluation_mode(plane_network):
    plane_network.eval()
    plane_network.open_encoder(True)
    assert not plane_network.training
    assert not plane_network.encoder.training


def test_finetuned_encoder_follows_the_network_into_training_mode(plane_network):
    assert plane_network.train().encoder.training
    assert not plane_network.eval().encoder.training


def test_unknown_way_of_training_the_encoder_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="encoder_training is 'thawed'; it can be frozen, finetune, staged"):
        ResNet50UNet(encoder_training="thawed")
