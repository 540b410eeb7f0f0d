"""One coarse synthetic head with skull, as SimpleITK images, and the real volumes where they are."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.phantom import PhantomSettings, make_patient
from islesnet.scanner import image_of


@pytest.fixture(scope="session")
def head() -> dict[str, sitk.Image]:
    """Sequence (and ``brain``) -> image of 4 mm."""
    settings = PhantomSettings(spacing_mm=4.0, is_skull_stripped=False, thick_slices_probability=0.0)
    patient = make_patient(3, settings)
    arrays = {**patient.images, "brain": patient.brain}
    return {name: image_of(array, patient.affine) for name, array in arrays.items()}


@pytest.fixture(scope="session")
def brain_points(head) -> np.ndarray:
    """Places in the brain in mm, ``(N, 3)``."""
    voxels = np.argwhere(sitk.GetArrayViewFromImage(head["brain"]))[::211, ::-1]
    return np.array([head["brain"].TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in voxels])
