import pytest
import torch

from islesnet.networks import ResNet50Encoder


@pytest.fixture(scope="module", params=[2, 3], ids=["2D", "3D"])
def encoder(request):
    return ResNet50Encoder(spatial_dims=request.param, in_channels=4).eval()


def test_every_level_keeps_its_promise_of_channels_and_strides_on_odd_sizes(encoder):
    size = (37, 50, 21)[: encoder.conv1.weight.ndim - 2]
    with torch.inference_mode():
        pyramid = encoder(torch.zeros(1, 4, *size))
    promised = [
        (1, channels, *(-(-length // stride) for length in size))
        for channels, stride in zip(encoder.channels, encoder.strides, strict=True)
    ]
    assert [tuple(level.shape) for level in pyramid] == promised


def test_levels_are_those_of_resnet50(encoder):
    assert encoder.channels == (4, 64, 256, 512, 1024, 2048)
    assert encoder.strides == (1, 2, 4, 8, 16, 32)
    assert [len(stage) for stage in (encoder.layer1, encoder.layer2, encoder.layer3, encoder.layer4)] == [3, 4, 6, 3]


def test_finest_level_is_the_image_itself(encoder):
    image = torch.rand(1, 4, *[16] * (encoder.conv1.weight.ndim - 2))
    with torch.inference_mode():
        assert encoder(image)[0] is image


def test_there_is_no_classifier(encoder):
    assert not [name for name in encoder.state_dict() if name.startswith("fc")]
