"""What is loaded of a patient, also where a client hands over one image and no more."""

import nibabel
import numpy as np
import pytest
from monai.transforms import LoadImaged

from islesnet.data import REFERENCE_ORDER, SEQUENCES
from islesnet.data.loading import VolumeReader
from islesnet.errors import InputError
from islesnet.patients import OpenPatient


@pytest.fixture
def open_patient():
    """Open an item, without looking for the brain."""
    load = LoadImaged(
        [*SEQUENCES, "brain"],
        reader=VolumeReader(),
        ensure_channel_first=True,
        image_only=True,
        allow_missing_keys=True,
    )
    return OpenPatient(load, SEQUENCES, REFERENCE_ORDER, brain_mask="none")


def present(item):
    return {sequence for sequence in SEQUENCES if sequence in item}


def test_named_files_are_loaded_as_they_are(open_patient, prepared):
    item = open_patient({"patient": "anna", "t1": str(prepared / "t1.nii.gz")})

    assert present(item) == {"t1"}
    assert "reference" not in item


def test_sequences_beside_an_image_are_its_patients(open_patient, prepared, phantom):
    item = open_patient({"image": str(prepared / "flair.nii.gz"), "device": "cpu"})

    assert present(item) == {"dwi", "t1", "t2", "flair"}
    assert item["device"] == "cpu"
    assert np.allclose(item["t2"][0], phantom.images["t2"])
    assert np.array_equal(item["reference"], item["flair"])


def test_scans_of_other_patients_in_the_folder_are_left_alone(open_patient, write_scan, tmp_path):
    for name in ("anna_dwi", "anna_flair", "berta_dwi", "berta_t1"):
        write_scan(tmp_path / f"{name}.nii.gz", name.split("_")[1])

    item = open_patient({"image": str(tmp_path / "anna_dwi.nii.gz")})

    assert present(item) == {"dwi", "flair"}


def test_other_sequences_are_registered_to_the_image(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "flair.nii.gz", "flair", degrees=4)
    write_scan(tmp_path / "dwi.nii.gz")

    item = open_patient({"image": str(image)})

    assert np.allclose(item["reference"].affine, nibabel.load(image).affine)
    assert not np.allclose(item["dwi"].affine, nibabel.load(tmp_path / "dwi.nii.gz").affine)


def test_image_whose_name_says_nothing_is_taken_for_the_dwi_alone(open_patient, write_scan, tmp_path, caplog):
    image = write_scan(tmp_path / "image_3.nii.gz")
    write_scan(tmp_path / "flair.nii.gz", "flair")

    item = open_patient({"image": str(image)})

    assert present(item) == {"dwi"}
    assert "image_3.nii.gz: its name says no sequence; it is taken for the DWI" in caplog.messages


def test_volumes_of_one_file_are_the_sequences_in_their_order(open_patient, phantom, tmp_path):
    volumes = [
        phantom.images["dwi"],
        np.zeros_like(phantom.images["dwi"]),
        phantom.images["t2"],
        phantom.images["flair"],
    ]
    image = nibabel.Nifti1Image(np.stack(volumes, axis=-1).astype(np.float32), phantom.affine)
    nibabel.save(image, tmp_path / "image_3.nii.gz")

    item = open_patient({"image": str(tmp_path / "image_3.nii.gz")})

    assert present(item) == {"dwi", "t2", "flair"}
    assert np.allclose(item["flair"][0], phantom.images["flair"])
    assert np.array_equal(item["reference"], item["dwi"])


def test_file_of_zeros_is_refused_by_name(open_patient, phantom, tmp_path):
    zeros = nibabel.Nifti1Image(np.zeros((*phantom.images["dwi"].shape, 4), np.float32), phantom.affine)
    nibabel.save(zeros, tmp_path / "image_3.nii.gz")

    with pytest.raises(InputError, match=r"image_3\.nii\.gz holds nothing but zeros"):
        open_patient({"image": str(tmp_path / "image_3.nii.gz")})


def test_adc_map_is_refused_as_an_image_to_segment(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "adc.nii.gz")

    with pytest.raises(InputError, match=r"adc\.nii\.gz is ADC by its name; dwi, t1, t2, flair are segmented"):
        open_patient({"image": str(image)})


def test_unclear_neighbours_leave_the_image_by_itself(open_patient, write_scan, tmp_path, caplog):
    image = write_scan(tmp_path / "dwi.nii.gz")
    write_scan(tmp_path / "t1.nii.gz", "t1")
    write_scan(tmp_path / "t1.nii", "t1")

    item = open_patient({"image": str(image)})

    assert present(item) == {"dwi"}
    assert "dwi.nii.gz is segmented by itself" in caplog.text
