import pytest
import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import EnsembleNetwork, ResNet50UNet, SlabNetwork


class Says(nn.Module):
    """A network that says the same logits of every voxel, whatever the image."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([float(logit) for logit in logits]))

    def forward(self, image):
        shape = [image.shape[0], len(self.logits), *image.shape[2:]]
        return self.logits.view(1, -1, *[1] * (image.ndim - 2)).expand(shape)


def ensemble_that_says(*members):
    ensemble = EnsembleNetwork(Says(*members[0]), len(members))
    with torch.no_grad():
        for member, logits in zip(ensemble.members, members, strict=True):
            member.logits.copy_(torch.tensor(logits))
    return ensemble


IMAGE = torch.zeros(2, 3, 4, 5, 6)


def test_softmax_of_an_ensemble_is_the_mean_of_its_members_softmaxes():
    members = [[0.3, -1.0], [2.0, 2.0], [-3.0, 1.5]]

    logits = ensemble_that_says(*members)(IMAGE)

    assert logits.shape == (2, 2, 4, 5, 6)
    mean = torch.tensor(members).softmax(dim=1).mean(dim=0)
    torch.testing.assert_close(logits.softmax(dim=1)[1, :, 2, 3, 4], mean)


def test_sigmoid_of_an_ensemble_is_the_mean_of_its_members_sigmoids():
    members = [[0.3], [-4.0], [2.5]]

    logits = ensemble_that_says(*members)(IMAGE)

    assert logits.shape == (2, 1, 4, 5, 6)
    mean = torch.tensor(members).sigmoid().mean()
    torch.testing.assert_close(logits.sigmoid()[0, 0, 0, 0, 0], mean)


@pytest.mark.parametrize("certain", [60.0, 500.0, -500.0])
def test_members_that_are_certain_are_not_rounded(certain):
    one = ensemble_that_says([certain], [certain])(IMAGE)
    two = ensemble_that_says([-certain / 2, certain / 2], [-certain / 2, certain / 2])(IMAGE)

    torch.testing.assert_close(one, torch.full_like(one, certain))
    torch.testing.assert_close(two[:, 1] - two[:, 0], torch.full_like(two[:, 0], certain))


def test_members_that_contradict_each_other_with_certainty_leave_it_open():
    torch.testing.assert_close(ensemble_that_says([500.0], [-500.0])(IMAGE), torch.zeros(2, 1, 4, 5, 6))


def test_ensemble_of_one_answers_as_its_member():
    logits = ensemble_that_says([-2.0, 3.0])(IMAGE)

    torch.testing.assert_close(logits[:, 1] - logits[:, 0], torch.full((2, 4, 5, 6), 5.0))


def test_members_are_copies_with_weights_of_their_own():
    network = Says(1.0)
    ensemble = EnsembleNetwork(network, 2)

    with torch.no_grad():
        ensemble.members[0].logits.zero_()

    assert network.logits.item() == ensemble.members[1].logits.item() == 1.0
    assert len(list(ensemble.parameters())) == 2


def test_half_precision_of_the_members_is_left_before_the_mean():
    assert EnsembleNetwork(Says(1.0).bfloat16(), 2)(IMAGE).dtype == torch.float32


@pytest.mark.parametrize("out_channels", [1, 2])
def test_gradient_reaches_every_parameter_of_every_member(out_channels):
    torch.manual_seed(0)
    ensemble = EnsembleNetwork(nn.Conv3d(3, out_channels, 1), 2).train()

    ensemble(torch.rand(1, 3, 5, 4, 3))[:, -1].square().mean().backward()

    assert all(weight.grad is not None and weight.grad.any() for weight in ensemble.parameters())


@pytest.mark.parametrize("out_channels", [1, 2])
def test_scripted_ensemble_gives_the_eager_ones_output_at_an_odd_size(out_channels):
    torch.manual_seed(0)
    network = SlabNetwork(ResNet50UNet(in_channels=3, out_channels=out_channels, decoder_channels=(16, 16, 8, 8, 4)))
    ensemble = EnsembleNetwork(network, 2).eval()
    image = torch.rand(1, 1, 33, 35, 3)

    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(ensemble)(image), ensemble(image))


@pytest.mark.parametrize("members", [0, -1, 2.5, "two"])
def test_ensemble_without_members_is_refused(members):
    with pytest.raises(InputError, match=rf"members is {members!r}; an ensemble has 1 or more"):
        EnsembleNetwork(Says(1.0), members)
