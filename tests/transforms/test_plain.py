import pytest
import torch
from monai.data import MetaTensor, get_track_meta
from monai.transforms import EnsureTyped, RandFlipd, RandGaussianNoised

from islesnet.transforms import WithoutMeta


def augmentation():
    return WithoutMeta(
        [
            EnsureTyped("image", track_meta=False),
            RandFlipd("image", prob=1.0, spatial_axis=0),
            RandGaussianNoised("image", prob=1.0, std=0.1),
        ]
    )


def test_what_comes_out_is_plain_and_the_process_goes_on_as_before():
    seen = augmentation()({"image": MetaTensor(torch.zeros(1, 4, 4, 4))})["image"]

    assert type(seen) is torch.Tensor
    assert get_track_meta()


def test_it_is_put_back_after_a_failure_too():
    broken = WithoutMeta([lambda _: 1 / 0])

    with pytest.raises((ZeroDivisionError, RuntimeError)):
        broken({})

    assert get_track_meta()


def test_a_seed_reaches_the_transforms_within():
    image = {"image": torch.zeros(1, 4, 4, 4)}

    first, second, other = (augmentation().set_random_state(seed=seed)(image)["image"] for seed in (7, 7, 8))

    assert torch.equal(first, second)
    assert not torch.equal(first, other)
