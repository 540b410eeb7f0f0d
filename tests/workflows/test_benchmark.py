"""The benchmark's timing of one patient's inference."""

import shutil

import pytest

from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from workflows.benchmark.bundle import random_weights, stages


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    phantom = make_patient(0, PhantomSettings(spacing_mm=6.0, thick_slices_probability=0.0))
    return write_patient(tmp_path_factory.mktemp("data") / "anna", phantom)


@pytest.mark.slow
def test_parts_of_an_inference_are_timed_and_its_network_compared_with_the_pure_one(patient, tmp_path):
    figures = stages(patient, random_weights(tmp_path), tmp_path)

    assert set(figures) == {
        *("load_and_preprocess_s", "network_s", "postprocess_s", "inference_slices_per_s"),
        "inference_share_of_pure_network",
    }
    assert all(figure > 0 for figure in figures.values())


@pytest.mark.slow
def test_patient_that_cannot_be_loaded_is_said(patient, tmp_path):
    damaged = shutil.copytree(patient, tmp_path / "anna")
    with (damaged / "dwi.nii.gz").open("r+b") as file:
        file.truncate(500)

    with pytest.raises(InputError, match=r"anna/dwi\.nii\.gz: is cut short"):
        stages(damaged, random_weights(tmp_path), tmp_path)
