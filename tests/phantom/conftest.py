from pathlib import Path

import nibabel as nib
import numpy as np
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


def write_ball(file, centre_mni, radius_mm, values=(0, 1)):
    """A ball on a 4 mm grid with its own origin, left-right flipped as many masks are stored."""
    affine = np.diag([-4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (80, -112, -60)
    index = np.stack(np.meshgrid(*map(np.arange, (41, 48, 36)), indexing="ij"), axis=-1)
    places = index @ affine[:3, :3] + affine[:3, 3]
    ball = np.linalg.norm(places - centre_mni, axis=-1) < radius_mm
    nib.save(nib.Nifti1Image(np.where(ball, values[1], values[0]).astype(np.uint8), affine), file)
