import pytest
import torch
from torch import nn

from islesnet.networks import ResNet50UNet, SlabNetwork


class Recorder(nn.Module):
    """Hands its input on and remembers it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, image):
        self.seen.append(image)
        return image


def small_network(in_channels, out_channels=2):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(in_channels, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, out_channels, 1)
    )


@pytest.mark.parametrize("context", [0, 1, 2])
@pytest.mark.parametrize("size", [(32, 32, 4), (33, 47, 3), (5, 1, 1), (64, 20, 9)])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("training", [True, False])
def test_any_size_and_depth_is_legal(context, size, batch, training):
    network = SlabNetwork(small_network(4 * (2 * context + 1)), context, chunk=4).train(training)
    assert network(torch.rand(batch, 4, *size)).shape == (batch, 2, *size)


@pytest.mark.parametrize("training", [True, False])
def test_channels_are_each_sequence_at_each_offset_and_the_end_slices_are_repeated(training):
    first = [10.0, 11.0, 12.0, 13.0]
    second = [20.0, 21.0, 22.0, 23.0]
    image = torch.tensor([first, second]).view(1, 2, 1, 1, 4)
    slabs = SlabNetwork(nn.Identity(), context=1, stride=1, chunk=3).train(training)(image)
    assert slabs[0, :, 0, 0, :].tolist() == [
        [10.0, 10.0, 11.0, 12.0],  # first sequence, the slice below
        [10.0, 11.0, 12.0, 13.0],  # itself
        [11.0, 12.0, 13.0, 13.0],  # the slice above
        [20.0, 20.0, 21.0, 22.0],
        [20.0, 21.0, 22.0, 23.0],
        [21.0, 22.0, 23.0, 23.0],
    ]


def test_documented_channel_formula_holds_for_a_wider_context():
    context, image = 2, torch.rand(2, 3, 5, 4, 6)
    slabs = SlabNetwork(nn.Identity(), context, stride=1)(image)
    for c in range(3):
        for offset in range(-context, context + 1):
            for z in range(6):
                neighbour = min(max(z + offset, 0), 5)
                channel = c * (2 * context + 1) + context + offset
                assert torch.equal(slabs[:, channel, ..., z], image[:, c, ..., neighbour])


def test_one_slice_is_its_own_neighbour():
    slabs = SlabNetwork(nn.Identity(), context=1, stride=1)(torch.full((1, 1, 2, 2, 1), 7.0))
    assert slabs.shape == (1, 3, 2, 2, 1)
    assert bool((slabs == 7.0).all())


def test_without_context_it_is_the_plain_network_on_every_slice():
    network = small_network(3).eval()
    image = torch.rand(2, 3, 13, 9, 5)
    with torch.inference_mode():
        slab = SlabNetwork(network, context=0, stride=1).eval()(image)
        slices = torch.stack([network(image[..., z]) for z in range(5)], dim=-1)
    torch.testing.assert_close(slab, slices)


def test_context_sees_the_neighbour_and_no_further():
    network = SlabNetwork(small_network(3).eval(), context=1, stride=1).eval()
    image = torch.rand(1, 1, 8, 8, 7)
    other = image.clone()
    other[..., 3] += 1.0
    with torch.inference_mode():
        difference = (network(image) - network(other)).abs().amax(dim=(0, 1, 2, 3))
    assert (difference > 1e-6).tolist() == [False, False, True, True, True, False, False]


@pytest.mark.parametrize("chunk", [1, 3, 4])
@pytest.mark.parametrize("batch", [1, 2])
def test_chunks_give_what_the_whole_depth_gives(chunk, batch):
    inner, image = small_network(6).eval(), torch.rand(batch, 2, 33, 20, 7)
    with torch.inference_mode():
        whole = SlabNetwork(inner, context=1, chunk=1000).eval()(image)
        chunked = SlabNetwork(inner, context=1, chunk=chunk).eval()(image)
    torch.testing.assert_close(chunked, whole, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("batch", "training", "passes"),
    [(1, False, [3, 3, 1]), (2, False, [2] * 7), (5, False, [5] * 7), (2, True, [14])],
    ids=["chunks of 3", "a chunk counts slices of all patients", "never less than one slice", "training: one batch"],
)
def test_chunk_bounds_how_many_slices_pass_at_once(batch, training, passes):
    recorder = Recorder()
    SlabNetwork(recorder, context=0, stride=1, chunk=3).train(training)(torch.rand(batch, 1, 4, 4, 7))
    assert [len(seen) for seen in recorder.seen] == passes


def test_planes_are_padded_to_the_stride_by_repeating_the_border_and_cropped_back():
    recorder, image = Recorder(), torch.rand(1, 1, 33, 10, 1)
    output = SlabNetwork(recorder, context=0, stride=32)(image)
    (seen,) = recorder.seen
    assert seen.shape == (1, 1, 64, 32)
    assert torch.equal(seen[0, 0, 33:, :10], image[0, 0, 32:33, :, 0].expand(31, 10))
    assert torch.equal(seen[0, 0, :33, 10:], image[0, 0, :, 9:, 0].expand(33, 22))
    assert torch.equal(output, image)


def test_training_mode_reaches_the_inner_network_and_its_statistics_see_every_slice():
    inner = small_network(3)
    network = SlabNetwork(inner, context=1, chunk=1).train()
    network(torch.rand(2, 1, 8, 8, 5))
    assert int(inner[1].num_batches_tracked) == 1
    network.eval()
    network(torch.rand(2, 1, 8, 8, 5))
    assert int(inner[1].num_batches_tracked) == 1


def test_gradient_reaches_every_parameter_and_the_image():
    network = SlabNetwork(small_network(6), context=1).train()
    image = torch.rand(1, 2, 17, 9, 3, requires_grad=True)
    network(image)[:, :, 3:-3, 3:-3].square().mean().backward()
    assert [name for name, weight in network.named_parameters() if not weight.grad.any()] == []
    assert bool((image.grad != 0).any(dim=3).any(dim=2).all())


def test_input_is_left_as_it_was():
    image = torch.rand(1, 2, 7, 9, 3)
    before = image.clone()
    SlabNetwork(small_network(6), context=1)(image)
    assert torch.equal(image, before)


@pytest.mark.parametrize("training", [True, False])
def test_scripted_network_gives_the_same(training):
    network = SlabNetwork(small_network(6), context=1, chunk=3).train(training)
    scripted = torch.jit.script(network)
    for size in [(33, 20, 7), (5, 5, 1)]:
        image = torch.rand(2, 2, *size)
        torch.testing.assert_close(scripted(image), network(image))


def test_segmentation_network_can_be_scripted_and_gives_the_same(tmp_path):
    unet = ResNet50UNet(in_channels=6, decoder_channels=(16, 16, 8, 8, 4))
    network = SlabNetwork(unet, context=1, chunk=2).eval()
    torch.jit.save(torch.jit.script(network), tmp_path / "network.ts")
    scripted = torch.jit.load(tmp_path / "network.ts")
    image = torch.rand(1, 2, 37, 20, 3)
    with torch.inference_mode():
        torch.testing.assert_close(scripted(image), network(image))


@pytest.mark.parametrize("numbers", [(-1, 32, 8), (1, 0, 8), (1, 32, 0)])
def test_impossible_numbers_are_refused(numbers):
    with pytest.raises(ValueError, match="context is 0 or more, the others 1 or more"):
        SlabNetwork(nn.Identity(), *numbers)
