import warnings

import pytest
import torch
from monai.losses import DiceLoss
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from islesnet.errors import InputError
from islesnet.networks import expect_few_lesions, head_channels, lesion_loss


@pytest.fixture
def mask():
    return (torch.arange(2 * 5 * 4 * 3).reshape(2, 1, 5, 4, 3) % 7 == 0).float()


def logits(channels):
    return torch.randn(2, channels, 5, 4, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("head", "channels"), [("softmax", 2), ("sigmoid", 1)])
def test_head_has_its_channels(head, channels):
    assert head_channels(head) == channels


@pytest.mark.parametrize("head", ["relu", "Softmax", None])
def test_unknown_head_is_refused_by_name_with_the_known_ones(head):
    for ask in (head_channels, lesion_loss):
        with pytest.raises(InputError, match=rf"head is {head!r}; it can be softmax or sigmoid"):
            ask(head)


def test_without_dice_the_loss_of_a_softmax_is_the_cross_entropy(mask):
    torch.testing.assert_close(
        lesion_loss("softmax", dice_weight=0)(logits(2), mask), cross_entropy(logits(2), mask[:, 0].long())
    )


def test_without_dice_the_loss_of_a_sigmoid_is_the_binary_cross_entropy(mask):
    torch.testing.assert_close(
        lesion_loss("sigmoid", dice_weight=0)(logits(1), mask), binary_cross_entropy_with_logits(logits(1), mask)
    )


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_dice_is_the_lesions_over_the_batch_in_its_weight(head, mask):
    scores = logits(head_channels(head))
    probability = scores.softmax(dim=1)[:, 1:] if head == "softmax" else scores.sigmoid()

    dice = (lesion_loss(head, dice_weight=3)(scores, mask) - lesion_loss(head, dice_weight=0)(scores, mask)) / 3

    torch.testing.assert_close(dice, DiceLoss(batch=True)(probability, mask))


def test_two_heads_that_say_the_same_lose_the_same(mask):
    one = logits(1)

    torch.testing.assert_close(
        lesion_loss("sigmoid")(one, mask), lesion_loss("softmax")(torch.cat([torch.zeros_like(one), one], dim=1), mask)
    )


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
@pytest.mark.parametrize("lesion", [0.0, 1.0])
def test_loss_of_an_empty_or_full_truth_is_finite_and_warns_of_nothing(head, lesion):
    scores = logits(head_channels(head)).requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lesion_loss(head)(scores, torch.full((2, 1, 5, 4, 3), lesion)).backward()

    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("weight", [-1, float("nan")])
def test_dice_weight_that_is_none_is_refused(weight):
    with pytest.raises(InputError, match=r"dice_weight is .*; it must be 0 or more"):
        lesion_loss("softmax", weight)


@pytest.mark.parametrize("channels", [1, 2])
def test_untrained_network_expects_two_percent_lesions(channels):
    network = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, channels, 1))

    assert expect_few_lesions(network) is network

    said = network[1].bias[-1] - (network[1].bias[0] if channels == 2 else 0)
    assert said.sigmoid().item() == pytest.approx(0.018, abs=1e-3)
    assert (network[0].bias != 0).all()


def test_last_convolution_without_a_bias_is_refused():
    with pytest.raises(ValueError, match="the last convolution of Conv3d has no bias"):
        expect_few_lesions(nn.Conv3d(1, 1, 1, bias=False))
