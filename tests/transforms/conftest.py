import numpy as np
import pytest
import torch

SIZE = (24, 28, 12)


@pytest.fixture(scope="session")
def head() -> np.ndarray:
    """An ellipsoid of about a third of the field of view."""
    axes = np.meshgrid(*(np.linspace(-1, 1, length) for length in SIZE), indexing="ij")
    return (axes[0] / 0.85) ** 2 + (axes[1] / 0.9) ** 2 + (axes[2] / 0.95) ** 2 < 1


@pytest.fixture(scope="session")
def tissue() -> np.ndarray:
    """Intensities of a brain, mean 400, standard deviation 60."""
    return np.random.default_rng(0).normal(400, 60, SIZE)


@pytest.fixture
def stripped(head, tissue):
    """Make a skull-stripped image around which there is one value."""

    def make(background: float = 0.0, brain: np.ndarray = tissue) -> torch.Tensor:
        return torch.as_tensor(np.where(head, brain, background), dtype=torch.float32)[None]

    return make


@pytest.fixture
def raw(head, tissue):
    """Make a magnitude image of a head with Rician noise everywhere, as a scanner gives it."""

    def make(noise: float, whole_numbers: bool = False, padded: int = 0) -> torch.Tensor:
        random = np.random.default_rng(1)
        signal = np.where(head, tissue, 0.0)
        image = np.hypot(signal + random.normal(0, noise, SIZE), random.normal(0, noise, SIZE))
        if whole_numbers:
            image = image.round()
        if padded:
            image[:, :padded] = image[:, -padded:] = 0.0
        return torch.as_tensor(image, dtype=torch.float32)[None]

    return make
