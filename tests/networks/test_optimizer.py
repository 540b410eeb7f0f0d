import pytest
import torch
from torch import nn

from islesnet.errors import InputError
from islesnet.networks import make_sgd


@pytest.mark.parametrize("momentum", [9, 1, 1.0, -0.1, float("nan"), (0, 9), "0.9", None])
def test_momentum_that_diverges_is_refused_with_the_papers_misprint(momentum):
    with pytest.raises(InputError, match=r"momentum is .*; it must be at least 0 and below 1, .* is read as 0\.9"):
        make_sgd(nn.Linear(1, 1).parameters(), lr=0.1, momentum=momentum)


def test_last_step_goes_on_by_the_momentum():
    weight = nn.Parameter(torch.zeros(1))
    optimizer = make_sgd([weight], lr=0.1, momentum=0.5)
    weight.grad = torch.ones(1)

    optimizer.step()
    optimizer.step()

    assert weight.item() == pytest.approx(-0.1 - 0.15)


def test_momentum_may_be_nothing():
    assert make_sgd([nn.Parameter(torch.zeros(1))], lr=1.0e-5, momentum=0).defaults["momentum"] == 0
