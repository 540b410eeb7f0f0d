from pathlib import Path

import pytest

from islesnet.phantom import Phantom, PhantomSettings, make_patient

COARSE = PhantomSettings(spacing_mm=5.0)


@pytest.fixture(scope="session")
def coarse() -> PhantomSettings:
    return COARSE


@pytest.fixture(scope="session")
def large_infarcts() -> list[Phantom]:
    """Patients with a large acute infarct, nearly free of noise, bias and other disease."""
    settings = PhantomSettings(
        spacing_mm=4.0,
        volume_ml=(40, 80),
        stages=("acute",),
        hyperintensities_ml=(0.3, 1),
        old_infarct_probability=0,
        thick_slices_probability=0,
        noise=(0, 0.01),
        bias=(0, 0.01),
    )
    return [make_patient(seed, settings) for seed in range(4)]


@pytest.fixture
def mask_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    return folder
