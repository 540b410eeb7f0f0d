"""Volumes for every test: tiny ones on disk, and the real ones where they are."""

import os
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

Write = Callable[..., Path]


def pytest_configure():
    """Give each of several test processes one thread: two that wait for each other's cores take many times as long."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ["OMP_NUM_THREADS"] = os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"


def pytest_collection_modifyitems(items):
    """Begin with the files whose tests are slow, so that at the end no process waits for another's last file."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def write_volume(tmp_path) -> Write:
    """Write a NIfTI of random values (or of those given), by default 16 x 14 x 12 voxels of 4 mm."""

    def write(name: str, array=None, affine=None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if array is None:
            seed = int.from_bytes(name.encode(), "little")
            array = np.random.default_rng(seed).normal(100, 20, (16, 14, 12)).astype(np.float32)
        affine = np.diag([4.0, 4.0, 4.0, 1.0]) if affine is None else affine
        nibabel.save(nibabel.Nifti1Image(np.asarray(array), affine), path)
        return path

    return write


@pytest.fixture
def real_data() -> Path:
    """Folder of the public volumes; the test is skipped where it is absent."""
    beside_the_project = Path(__file__).parents[2] / "shared" / "real"
    folder = Path(os.environ.get("ISLESNET_REAL_DATA", beside_the_project))
    if not folder.is_dir():
        pytest.skip(f"the real volumes are not at {folder}; ISLESNET_REAL_DATA says where they are")
    return folder
