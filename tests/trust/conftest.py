import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from islesnet.trust import AppearanceRanges, TrustLimits, describe_appearance

SIZE, SPACING = (36, 44, 32), 5.0  # mm: 180 x 220 x 160
AFFINE = torch.diag(torch.tensor([SPACING, SPACING, SPACING, 1.0]))
SEQUENCES = ("dwi", "flair")
LIMITS = TrustLimits(appearance_tolerance=2.0)  # twelve images give narrow ranges


@pytest.fixture(scope="session")
def head() -> np.ndarray:
    """An ellipsoid of 150 x 180 x 140 mm, clear of every edge."""
    axes = np.meshgrid(*((np.arange(length) - (length - 1) / 2) * SPACING for length in SIZE), indexing="ij")
    return (axes[0] / 75) ** 2 + (axes[1] / 90) ** 2 + (axes[2] / 70) ** 2 < 1


@pytest.fixture(scope="session")
def make_image(head):
    """Make a preprocessed image of two sequences, dwi and flair."""

    def make(seed=0, dwi=True, flair=True, contrast=1.0):
        random = np.random.default_rng(seed)
        channels = [
            np.where(head, random.normal(0, contrast, SIZE).clip(-4.9, 10), -5.0) if present else np.zeros(SIZE)
            for present in (dwi, flair)
        ]
        return MetaTensor(torch.as_tensor(np.stack(channels), dtype=torch.float32), AFFINE)

    return make


@pytest.fixture(scope="session")
def ranges(make_image):
    """How twelve images look."""
    return AppearanceRanges.fit(describe_appearance(make_image(seed), SEQUENCES) for seed in range(12))
