"""Tiny patients on disk."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from islesnet.data import Case


@pytest.fixture
def write_case(write_volume) -> Callable[..., Case]:
    """Write a patient of DWI and FLAIR with a lesion of so many voxels (of 64 mm3 each)."""

    def write(patient: str, lesion_voxels: int | None = 5, sequences: Mapping[str, object] | None = None) -> Case:
        names = ("dwi", "flair") if sequences is None else sequences
        files = {name: write_volume(f"{patient}/{name}.nii.gz") for name in names}
        if lesion_voxels is None:
            return Case(patient, files)
        mask = np.zeros((16, 14, 12), np.uint8)
        mask.flat[:lesion_voxels] = 1
        return Case(patient, files, write_volume(f"{patient}/label.nii.gz", mask))

    return write
