"""Patients, and scores of made-up masks, for the tests of the workflows."""

from dataclasses import asdict

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.processing import resample_to_output

from islesnet.data import find_cases
from islesnet.metrics import score_mask
from islesnet.phantom import PhantomSettings, write_dataset


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """Four labelled synthetic patients; only to be read."""
    folder = tmp_path_factory.mktemp("siss")
    write_dataset(folder, 4, seed=1, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    return find_cases(folder)


def coarsen(case, sequence, folder):
    """Write one of a patient's sequences with voxels of 9 mm, and give the file."""
    path = folder / case.patient / f"{sequence}.nii.gz"
    path.parent.mkdir()
    nibabel.save(resample_to_output(nibabel.load(case.sequences[sequence]), (9.0, 9.0, 9.0), order=1), path)
    return path


def scores(patients, voxels_of):
    """Score a mask of `voxels_of(number)` voxels on a lesion of 20 for each patient, numbered from 0."""
    rows = []
    for number, patient in enumerate(patients):
        truth, mask = np.zeros((2, 6, 6, 6))
        truth.flat[:20] = 1
        mask.flat[: voxels_of(number)] = 1
        rows.append({"patient": patient, **asdict(score_mask(mask, truth, (10.0, 10.0, 10.0)))})
    return pd.DataFrame(rows)
