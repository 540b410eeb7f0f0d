import pickle
from threading import Thread

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import FlipAveragingInferer


class Leans(nn.Module):
    """A network whose answer depends on where in the volume a voxel lies."""

    def __init__(self, channels=2):
        super().__init__()
        self.channels, self.passes = channels, 0

    def forward(self, image):
        self.passes += 1
        lesion = image[:, :1] + torch.linspace(-3, 3, image.shape[2]).view(1, 1, -1, 1, 1)
        return lesion if self.channels == 1 else torch.cat([-lesion, lesion], dim=1)


def probability(logits):
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)[:, 1:]


@pytest.mark.parametrize("channels", [1, 2])
def test_logits_are_those_of_the_mean_probability_of_both_flips(channels):
    torch.manual_seed(0)
    image, network = torch.randn(2, 3, 6, 5, 4), Leans(channels)

    logits = FlipAveragingInferer(SimpleInferer(), [0])(image, network)

    assert logits.shape == (2, channels, 6, 5, 4)
    mean = (probability(network(image)) + probability(network(image.flip(2)).flip(2))) / 2
    torch.testing.assert_close(probability(logits), mean)


@pytest.mark.parametrize(("axes", "times"), [(False, 1), ([0], 2), ((0, 1), 4), ([2, 0, 1], 8)])
def test_every_axis_doubles_the_passes(axes, times):
    network = Leans()
    FlipAveragingInferer(SimpleInferer(), axes)(torch.zeros(1, 1, 4, 4, 4), network)
    assert network.passes == times


def test_switched_off_it_is_the_wrapped_inferer_and_has_no_agreement():
    image, inferer = torch.randn(1, 1, 6, 5, 4), FlipAveragingInferer(SimpleInferer(), False)
    assert torch.equal(inferer(image, Leans()), Leans()(image))
    assert inferer.agreement is None


def test_hand_checked_agreement():
    # Logits -3, -1, 1, 3 along x: the mask is the right half, the flip's the left, the mean is a half everywhere.
    inferer = FlipAveragingInferer(SimpleInferer(), [0], threshold=0.49)
    inferer(torch.zeros(1, 1, 4, 4, 4), Leans())
    assert inferer.agreement == pytest.approx(2 * 2 / (2 + 4))


@pytest.mark.parametrize("everywhere", [50.0, -50.0])
def test_flips_that_say_the_same_agree_wholly_also_on_no_lesion(everywhere):
    inferer = FlipAveragingInferer(SimpleInferer(), [0, 1])
    inferer(torch.full((1, 1, 4, 4, 4), everywhere), Leans())
    assert inferer.agreement == 1.0


def test_agreement_is_of_the_patient_that_this_thread_inferred():
    inferer = FlipAveragingInferer(SimpleInferer(), [0], threshold=0.49)
    inferer(torch.zeros(1, 1, 4, 4, 4), Leans())

    other = Thread(target=inferer, args=(torch.full((1, 1, 4, 4, 4), 50.0), Leans()))
    other.start()
    other.join()

    assert inferer.agreement == pytest.approx(2 * 2 / (2 + 4))


def test_inferer_can_be_copied_for_another_process():
    inferer = FlipAveragingInferer(SimpleInferer(), [0])
    inferer(torch.zeros(1, 1, 4, 4, 4), Leans())

    copy = pickle.loads(pickle.dumps(inferer))

    assert copy.axes == (0,) and copy.agreement is None


def test_agreement_is_of_masks_at_the_temperature():
    # Each flip alone is sure of a part at temperature 1, and of nothing at 20.
    hot = FlipAveragingInferer(SimpleInferer(), [0], threshold=0.9, temperature=20.0)
    hot(torch.zeros(1, 1, 4, 4, 4), Leans())
    assert hot.agreement == 1.0


def test_agreement_is_of_masks_with_the_offset():
    low = FlipAveragingInferer(SimpleInferer(), [0], threshold=0.9, offset=-100.0)
    low(torch.zeros(1, 1, 4, 4, 4), Leans())
    assert low.agreement == 1.0  # all are empty


def test_image_with_metadata_keeps_it_in_windows():
    affine = torch.diag(torch.tensor([2.0, 2.0, 5.0, 1.0]))
    image = MetaTensor(torch.rand(1, 1, 7, 6, 5), affine=affine)
    logits = FlipAveragingInferer(SlidingWindowInferer((4, 4, -1)), [0])(image, Leans())
    assert isinstance(logits, MetaTensor) and logits.shape == (1, 2, 7, 6, 5)
    torch.testing.assert_close(logits.affine, affine.to(logits.affine))


@pytest.mark.parametrize("axes", [True, [], [3], [0, 0], "[0]", 0, None, [0.5], [0, "1"], [[0]], [True]])
def test_axes_that_are_none_are_refused_with_what_to_write(axes):
    with pytest.raises(InputError, match=r"test_time_flips is .*; write --test_time_flips \"\[0\]\""):
        FlipAveragingInferer(SimpleInferer(), axes)
