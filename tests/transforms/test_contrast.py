import numpy as np
import pytest
import torch

from islesnet.transforms import RandContrastd


def bend(image: torch.Tensor, seed: int = 0, gamma: float = 1.5) -> torch.Tensor:
    transform = RandContrastd("image", gamma=gamma, prob=1.0)
    transform.set_random_state(seed=seed)
    return transform({"image": image})["image"]


def test_median_absent_sequence_and_surroundings_stay():
    image = torch.tensor([-5.0, 0.0, 5.0]).reshape(1, 3, 1, 1)

    torch.testing.assert_close(bend(image), image)


def test_order_of_values_is_kept():
    image = torch.linspace(-5, 10, 50).reshape(1, 50, 1, 1)

    for seed in range(10):
        assert (bend(image, seed).flatten().diff() > 0).all()


def test_channels_are_bent_each_in_its_own_way():
    bent = bend(torch.full((4, 1, 1, 1), 2.0))

    assert len(set(bent.flatten().tolist())) == 4


def test_powers_stay_within_gamma():
    image = torch.full((1, 1, 1, 1), 2.0)

    values = [float(bend(image, seed)) for seed in range(200)]

    assert min(values) >= 5 * 0.4**1.5 - 1e-5 and max(values) <= 5 * 0.4 ** (1 / 1.5) + 1e-5
    assert np.ptp(values) > 1


def test_gamma_of_one_changes_nothing():
    image = torch.randn(2, 3, 3, 3)

    assert bend(image, gamma=1.0) is image


def test_gamma_below_one_is_refused():
    with pytest.raises(ValueError, match=r"contrast_augmentation is 0\.5; it is 1 or more"):
        RandContrastd("image", gamma=0.5)
