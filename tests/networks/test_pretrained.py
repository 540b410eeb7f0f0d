import hashlib
from urllib.error import URLError

import pytest
import torch
from monai.networks.nets import resnet50
from torch.nn.functional import batch_norm, conv2d, max_pool2d, relu

from islesnet.errors import InputError
from islesnet.networks import ResNet50Encoder, ResNet50UNet, load_pretrained_encoder
from islesnet.networks.pretrained import IMAGENET_URL, inflate_stem

BLOCKS = (3, 4, 6, 3)


def public_weights(spatial_dims=2, channels=3, blocks=BLOCKS):
    """Random weights under the names and in the shapes of torchvision's resnet50, written out by hand."""
    random = torch.Generator().manual_seed(0)
    weights = {}

    def convolution(name, out_channels, in_channels, size):
        shape = (out_channels, in_channels, *[size] * spatial_dims)
        spread = (2.0 / (in_channels * size**spatial_dims)) ** 0.5
        weights[f"{name}.weight"] = torch.randn(shape, generator=random) * spread

    def normalisation(name, features):
        weights[f"{name}.weight"] = 0.5 + 0.5 * torch.rand(features, generator=random)
        weights[f"{name}.bias"] = 0.1 * torch.randn(features, generator=random)
        weights[f"{name}.running_mean"] = 0.1 * torch.randn(features, generator=random)
        weights[f"{name}.running_var"] = 0.5 + torch.rand(features, generator=random)
        weights[f"{name}.num_batches_tracked"] = torch.tensor(1234)

    convolution("conv1", 64, channels, 7)
    normalisation("bn1", 64)
    arriving = 64
    for stage, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=1):
        for block in range(count):
            at = f"layer{stage}.{block}"
            convolution(f"{at}.conv1", width, arriving, 1)
            convolution(f"{at}.conv2", width, width, 3)
            convolution(f"{at}.conv3", 4 * width, width, 1)
            for number, features in enumerate((width, width, 4 * width), start=1):
                normalisation(f"{at}.bn{number}", features)
            if block == 0:
                convolution(f"{at}.downsample.0", 4 * width, arriving, 1)
                normalisation(f"{at}.downsample.1", 4 * width)
            arriving = 4 * width
    weights["fc.weight"] = torch.randn(1000, 2048, generator=random)
    weights["fc.bias"] = torch.randn(1000, generator=random)
    return weights


def torchvision_features(weights, image):
    """Compute the stem and the four stages as torchvision's resnet50 does: the stride is in the 3x3 convolution."""

    def normalised(name, x):
        mean, variance = weights[f"{name}.running_mean"], weights[f"{name}.running_var"]
        return batch_norm(x, mean, variance, weights[f"{name}.weight"], weights[f"{name}.bias"])

    x = relu(normalised("bn1", conv2d(image, weights["conv1.weight"], stride=2, padding=3)))
    features = [x]
    x = max_pool2d(x, 3, stride=2, padding=1)
    for stage, count in enumerate(BLOCKS, start=1):
        for block in range(count):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            inner = relu(normalised(f"{at}.bn1", conv2d(x, weights[f"{at}.conv1.weight"])))
            inner = conv2d(inner, weights[f"{at}.conv2.weight"], stride=stride, padding=1)
            inner = relu(normalised(f"{at}.bn2", inner))
            inner = normalised(f"{at}.bn3", conv2d(inner, weights[f"{at}.conv3.weight"]))
            if block == 0:
                x = normalised(f"{at}.downsample.1", conv2d(x, weights[f"{at}.downsample.0.weight"], stride=stride))
            x = relu(inner + x)
        features.append(x)
    return features


@pytest.fixture(scope="module")
def weights():
    return public_weights()


@pytest.fixture(scope="module")
def torchvision_file(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet50.pth"
    torch.save(weights, path)
    return path


@pytest.fixture(scope="module")
def encoder(torchvision_file):
    encoder = ResNet50Encoder(spatial_dims=2, in_channels=3)
    load_pretrained_encoder(encoder, torchvision_file)
    return encoder.eval()


@pytest.fixture(scope="module")
def untouched():
    """An encoder that no test succeeds in loading into."""
    return ResNet50Encoder(spatial_dims=2, in_channels=3)


def test_loaded_features_are_those_of_monai_s_resnet50_with_the_same_weights(encoder, weights):
    reference = resnet50(
        spatial_dims=2, n_input_channels=3, num_classes=1000, conv1_t_stride=2, bias_downsample=False, shortcut_type="B"
    ).eval()
    reference.load_state_dict(weights)  # strict: the hand-written names are complete
    image = torch.rand(2, 3, 65, 47)
    with torch.inference_mode():
        stem = reference.act(reference.bn1(reference.conv1(image)))
        expected = [image, stem, reference.layer1(reference.maxpool(stem))]
        for stage in (reference.layer2, reference.layer3, reference.layer4):
            expected.append(stage(expected[-1]))
        for own, other in zip(encoder(image), expected, strict=True):
            assert torch.equal(own, other)


def test_loaded_features_are_those_of_torchvision_s_definition(encoder, weights):
    image = torch.rand(1, 3, 65, 47)
    with torch.inference_mode():
        for own, expected in zip(encoder(image)[1:], torchvision_features(weights, image), strict=True):
            torch.testing.assert_close(own, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_every_entry_of_the_file_but_the_classifier_is_in_the_encoder(encoder, weights):
    own = encoder.state_dict()
    assert {name for name in weights if not name.startswith("fc.")} == set(own)
    assert all(torch.equal(value, weights[name]) for name, value in own.items())


def test_network_takes_its_encoder_from_the_file_and_inflates_the_stem(torchvision_file, weights):
    network = ResNet50UNet(in_channels=12, decoder_channels=(8, 8, 8, 8, 8), pretrained=torchvision_file)
    assert network.encoder.conv1.weight.shape == (64, 12, 7, 7)
    torch.testing.assert_close(network.encoder.conv1.weight[:, 4], weights["conv1.weight"][:, 1] / 4)
    assert torch.equal(network.encoder.layer4[2].conv3.weight, weights["layer4.2.conv3.weight"])


def test_medicalnet_file_loads_into_four_sequences_in_3d(tmp_path):
    public = public_weights(spatial_dims=3, channels=1)
    public = {
        name: value for name, value in public.items() if not name.startswith("fc") and "num_batches" not in name
    }  # MedicalNet's files are older than those counters
    content = {f"module.{name}": value for name, value in public.items()}
    content["module.conv_seg.0.weight"] = torch.zeros(2)
    torch.save({"epoch": 7, "state_dict": content}, tmp_path / "resnet_50_23dataset.pth")

    encoder = ResNet50Encoder(spatial_dims=3, in_channels=4)
    load_pretrained_encoder(encoder, str(tmp_path / "resnet_50_23dataset.pth"))

    own = encoder.state_dict()
    assert torch.equal(own["layer3.5.conv2.weight"], public["layer3.5.conv2.weight"])
    assert torch.equal(own["bn1.running_var"], public["bn1.running_var"])
    torch.testing.assert_close(own["conv1.weight"], public["conv1.weight"].expand(-1, 4, -1, -1, -1) / 4)
    assert int(own["bn1.num_batches_tracked"]) == 0


@pytest.mark.parametrize("spatial_dims", [2, 3])
@pytest.mark.parametrize("old", [1, 3])
@pytest.mark.parametrize("new", [1, 2, 3, 4, 5, 6, 7, 12])
def test_stem_on_any_number_of_channels_keeps_the_activations_of_a_grey_picture(spatial_dims, old, new):
    kernel = torch.randn(8, old, *[7] * spatial_dims)
    inflated = inflate_stem(kernel, new)
    assert inflated.shape == (8, new, *[7] * spatial_dims)
    # A grey picture has one value in all channels, so what counts is the sum over them.
    torch.testing.assert_close(inflated.sum(dim=1), kernel.sum(dim=1))


@pytest.mark.parametrize("new", [1, 3, 4, 12])
def test_inflated_stem_keeps_the_scale_of_the_activations_of_one_object_seen_in_all_sequences(new):
    kernel = torch.randn(16, 3, 7, 7)
    grey = torch.randn(1, 1, 32, 32)
    before = conv2d(grey.expand(-1, 3, -1, -1), kernel)
    after = conv2d(grey.expand(-1, new, -1, -1), inflate_stem(kernel, new))
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3)


def test_new_channels_take_the_old_kernels_in_turn():
    kernel = torch.tensor([6.0, 60.0, 600.0]).view(1, 3, 1, 1)
    assert inflate_stem(kernel, 4).flatten().tolist() == [3.0, 60.0, 600.0, 3.0]
    assert inflate_stem(kernel, 6).flatten().tolist() == [3.0, 30.0, 300.0] * 2
    assert inflate_stem(kernel, 2).flatten().tolist() == [333.0, 333.0]


def test_stem_of_the_same_number_of_channels_is_unchanged():
    kernel = torch.randn(4, 3, 7, 7)
    assert torch.equal(inflate_stem(kernel, 3), kernel)


def test_missing_file_is_refused_by_name(untouched, tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*absent\.pth"):
        load_pretrained_encoder(untouched, tmp_path / "absent.pth")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>Proxy login</html>", bytes(range(256)) * 4, b"PK\x03\x04 half a zip", b"\x80\x02}q\x00", b"hello\n"],
    ids=["empty", "web page", "bytes", "torn zip", "torn pickle", "text"],
)
def test_file_that_torch_did_not_write_is_refused_by_name(untouched, tmp_path, content):
    path = tmp_path / "resnet50.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"resnet50\.pth is not a file of tensors written by torch\.save"):
        load_pretrained_encoder(untouched, path)


def test_torn_download_is_refused_by_name(untouched, torchvision_file, tmp_path):
    path = tmp_path / "torn.pth"
    with torchvision_file.open("rb") as whole:
        path.write_bytes(whole.read(1_000_000))
    with pytest.raises(InputError, match=r"torn\.pth is not a file of tensors"):
        load_pretrained_encoder(untouched, path)


class Planted:
    """What a hostile file would hold."""

    def __reduce__(self):
        return (print, ("executed",))


def test_file_that_would_run_code_is_refused_and_does_not_run(untouched, tmp_path, capsys):
    torch.save({"conv1.weight": Planted()}, tmp_path / "planted.pth")
    with pytest.raises(InputError, match=r"planted\.pth is not a file of tensors"):
        load_pretrained_encoder(untouched, tmp_path / "planted.pth")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [torch.zeros(3), [torch.zeros(3)], {"epoch": 3, "model": {}}, {0: torch.zeros(3)}, {"state_dict": [1]}],
    ids=["tensor", "list", "training state", "names are numbers", "list inside"],
)
def test_file_without_a_state_dict_is_refused(untouched, tmp_path, content):
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth holds no state dict \(names to tensors\)"):
        load_pretrained_encoder(untouched, tmp_path / "other.pth")


def test_file_with_entries_missing_is_refused_with_their_number_and_the_first(untouched, tmp_path, weights):
    torn = {name: value for name, value in weights.items() if not name.startswith("layer4.2.bn3")}
    torch.save(torn, tmp_path / "torn.pth")
    with pytest.raises(InputError, match=r"is no ResNet50: 4 of 318 entries are missing, the first is 'layer4\.2\.bn3"):
        load_pretrained_encoder(untouched, tmp_path / "torn.pth")


def test_another_deeper_resnet_is_refused(untouched, tmp_path, weights):
    # ResNet101 has all of ResNet50's names and shapes, and more.
    deeper = weights | {"layer3.6.conv1.weight": torch.zeros(256, 1024, 1, 1)}
    torch.save(deeper, tmp_path / "resnet101.pth")
    with pytest.raises(
        InputError, match=r"resnet101\.pth is no ResNet50: it has 1 entries too many, the first is 'layer3\.6\.conv1"
    ):
        load_pretrained_encoder(untouched, tmp_path / "resnet101.pth")


def test_weights_of_another_shape_are_refused_with_both_shapes(untouched, tmp_path, weights):
    wide = weights | {"layer1.0.conv2.weight": torch.zeros(128, 128, 3, 3)}
    torch.save(wide, tmp_path / "wide.pth")
    with pytest.raises(InputError, match=r"'layer1\.0\.conv2\.weight' has shape \(128, 128, 3, 3\).* \(64, 64, 3, 3\)"):
        load_pretrained_encoder(untouched, tmp_path / "wide.pth")


def test_weights_of_another_dimension_are_refused_with_the_right_one(torchvision_file):
    message = r"'conv1\.weight' has shape \(64, 3, 7, 7\), the encoder needs \(64, 4, 7, 7, 7\) \(3D ResNet50\)"
    with pytest.raises(InputError, match=message):
        load_pretrained_encoder(ResNet50Encoder(spatial_dims=3, in_channels=4), torchvision_file)


def test_refused_file_leaves_the_encoder_as_it_was(untouched, tmp_path, weights):
    before = untouched.conv1.weight.clone()
    torch.save(weights | {"layer4.2.bn3.weight": torch.zeros(1)}, tmp_path / "misfit.pth")
    with pytest.raises(InputError, match=r"layer4\.2\.bn3"):
        load_pretrained_encoder(untouched, tmp_path / "misfit.pth")
    assert torch.equal(untouched.conv1.weight, before)


def test_imagenet_is_downloaded_with_its_hash_checked_and_nothing_but_tensors_let_in(monkeypatch, weights):
    asked = {}

    def download(url, **options):
        asked.update(url=url, **options)
        return weights

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    encoder = ResNet50Encoder(spatial_dims=2, in_channels=3)
    load_pretrained_encoder(encoder, "imagenet")

    assert asked["url"] == IMAGENET_URL
    assert asked["check_hash"] is True
    assert asked["weights_only"] is True
    assert torch.equal(encoder.conv1.weight, weights["conv1.weight"])
    assert "fc.weight" in weights, "what was downloaded is not changed"


def test_name_of_the_imagenet_file_carries_its_hash():
    name = IMAGENET_URL.rpartition("/")[2]
    assert torch.hub.HASH_REGEX.search(name).group(1) == "11ad3fa6"


@pytest.mark.parametrize(
    "refusal",
    [
        URLError("Name or service not known"),
        TimeoutError("timed out"),
        RuntimeError(f'invalid hash value (expected "11ad3fa6", got "{hashlib.sha256().hexdigest()}")'),
    ],
    ids=["no network", "slow network", "a proxy's page instead of the file"],
)
def test_without_a_network_imagenet_names_the_address_and_the_file_option(monkeypatch, untouched, refusal):
    def download(*arguments, **options):
        raise refusal

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    with pytest.raises(InputError, match=r"--pretrained /path/to/resnet50-11ad3fa6\.pth") as caught:
        load_pretrained_encoder(untouched, "imagenet")
    assert IMAGENET_URL in str(caught.value)
    assert str(refusal) in str(caught.value)


def test_imagenet_is_refused_in_3d_before_any_download(monkeypatch):
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: pytest.fail("it did download"))
    with pytest.raises(InputError, match="pretrained 'imagenet' is for 2D networks; for 3D name a MedicalNet"):
        load_pretrained_encoder(ResNet50Encoder(spatial_dims=3, in_channels=1), "imagenet")


def test_true_is_no_source_and_is_refused():
    with pytest.raises(InputError, match="pretrained is True; name where the weights are, 'imagenet' or a file"):
        ResNet50UNet(pretrained=True)


@pytest.mark.parametrize("nothing", [None, False])
def test_encoder_without_a_source_keeps_its_random_weights(nothing, monkeypatch):
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: pytest.fail("it did download"))
    torch.manual_seed(0)
    random = ResNet50Encoder().state_dict()
    torch.manual_seed(0)

    own = ResNet50UNet(pretrained=nothing).encoder.state_dict()

    assert own.keys() == random.keys()
    assert all(torch.equal(own[name], random[name]) for name in random)
