import pytest
import torch
from torch import nn

from islesnet.networks import running_mean


def weights_after(averaged, network, values):
    """Give the mean after the network's weight had these values, one a step."""
    means = []
    for value in values:
        nn.init.constant_(network.weight, value)
        averaged.update_parameters(network)
        means.append(averaged.module.weight.item())
    return means


def test_mean_is_plain_at_first_and_forgets_the_earliest_later():
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 100.0)  # what a training begins with has no part

    means = weights_after(running_mean(network, 0.25), network, [1.0, 3.0, 5.0, 7.0, 8.0])

    assert means == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])  # 4 + (8 - 4) / 4


def test_statistics_of_batch_normalisation_are_averaged_and_counts_and_constants_stay():
    network = nn.BatchNorm1d(1)
    network.register_buffer("spacing_mm", torch.tensor([1.8, 1.8, 2.0]))
    averaged = running_mean(network, 0.003)

    for mean in (0.0, 1.0, 2.0):
        network(torch.zeros(2, 1))  # a step, which is counted
        nn.init.constant_(network.running_mean, mean)
        averaged.update_parameters(network)

    assert averaged.module.running_mean.item() == pytest.approx(1.0)
    assert averaged.module.num_batches_tracked.item() > 0
    assert averaged.module.num_batches_tracked.dtype == torch.int64
    assert torch.equal(averaged.module.spacing_mm, network.spacing_mm)
    assert not averaged.module.training


def test_mean_learns_nothing_by_itself():
    averaged = running_mean(nn.Linear(1, 1), 1)

    assert not any(weight.requires_grad for weight in averaged.parameters())


@pytest.mark.parametrize("share", [0, -0.1, 1.5])
def test_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="averaging is"):
        running_mean(nn.Linear(1, 1), share)
