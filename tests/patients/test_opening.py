"""What is loaded of a patient, also where a client hands over one image and no more."""

import json

import nibabel
import numpy as np
import pytest
from monai.data.meta_tensor import MetaTensor
from monai.transforms import LoadImaged

from islesnet.data import REFERENCE_ORDER, SEQUENCES
from islesnet.data.loading import RequireSound, VolumeReader
from islesnet.errors import InputError
from islesnet.patients import OpenPatientd


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

    def run(item, sequences=SEQUENCES):
        steps = [RequireSound(sequences), load]
        return OpenPatientd("image", steps, sequences, REFERENCE_ORDER, brain_mask="none")(item)

    return run


def present(item):
    return {sequence for sequence in SEQUENCES if sequence in item}


def notes(item):
    return json.loads(item["preparation"])["notes"]


def write_stack(folder, volumes, phantom):
    image = nibabel.Nifti1Image(np.stack(volumes, axis=-1).astype(np.float32), phantom.affine)
    nibabel.save(image, folder / "image_3.nii.gz")
    return folder / "image_3.nii.gz"


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


@pytest.mark.parametrize(
    ("image", "beside"),
    [
        ("anna_dwi", ["anna_flair", "berta_dwi", "berta_t1"]),
        ("sub-01_dwi", ["sub-01_flair", "sub-02_t1"]),
        ("PAT001_dwi", ["PAT001_flair", "PAT002_t2", "PAT003_t1"]),
    ],
)
def test_scans_of_other_patients_in_the_folder_are_left_alone(open_patient, write_scan, tmp_path, image, beside):
    for name in (image, *beside):
        write_scan(tmp_path / f"{name}.nii.gz", name.split("_")[1])

    item = open_patient({"image": str(tmp_path / f"{image}.nii.gz")})

    assert present(item) == {"dwi", "flair"}


def test_other_sequences_are_registered_to_the_image(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "flair.nii.gz", "flair", degrees=4)
    write_scan(tmp_path / "dwi.nii.gz")

    item = open_patient({"image": str(image)})

    assert np.allclose(item["reference"].affine, nibabel.load(image).affine)
    assert not np.allclose(item["dwi"].affine, nibabel.load(tmp_path / "dwi.nii.gz").affine)


def test_image_that_nothing_is_said_of_is_taken_for_the_dwi_alone_with_a_note(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "image_3.nii.gz")
    write_scan(tmp_path / "flair.nii.gz", "flair")

    item = open_patient({"image": str(image)})

    assert present(item) == {"dwi"}
    assert "it was taken for the DWI" in notes(item)[0]


def test_network_of_one_sequence_takes_the_image_for_that(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "image_3.nii.gz", "flair")

    item = open_patient({"image": str(image)}, sequences=["flair"])

    assert present(item) == {"flair"}


def test_side_file_says_which_sequence_the_image_is(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "series_9.nii.gz", "flair")
    (tmp_path / "series_9.json").write_text(json.dumps({"SeriesDescription": "t2_flair_tra"}))

    item = open_patient({"image": str(image)})

    assert present(item) == {"flair"}
    assert not any("taken for" in note for note in notes(item))


def test_volumes_of_one_file_are_the_sequences_in_their_order(open_patient, phantom, tmp_path):
    images = phantom.images
    image = write_stack(tmp_path, [images["dwi"], np.zeros_like(images["dwi"]), images["t2"], images["flair"]], phantom)

    item = open_patient({"image": str(image)})

    assert present(item) == {"dwi", "t2", "flair"}
    assert np.allclose(item["flair"][0], images["flair"])
    assert np.array_equal(item["reference"], item["dwi"])
    assert notes(item)[0] == "image_3.nii.gz holds 4 volumes; they were taken for DWI, T1, T2, FLAIR, in this order."


def test_volumes_with_b_values_are_a_dwi(open_patient, phantom, tmp_path):
    dwi = phantom.images["dwi"]
    image = write_stack(tmp_path, [dwi * 2, dwi, dwi, dwi], phantom)
    (tmp_path / "image_3.bval").write_text("0 1000 1000 1000")

    item = open_patient({"image": str(image)})

    assert present(item) == {"dwi"}
    assert np.allclose(item["dwi"][0], dwi, atol=1e-4)


def test_file_of_zeros_is_refused_by_name(open_patient, phantom, tmp_path):
    image = write_stack(tmp_path, [np.zeros_like(phantom.images["dwi"])] * 4, phantom)

    with pytest.raises(InputError, match=r"image_3\.nii\.gz holds nothing but zeros"):
        open_patient({"image": str(image)})


def test_adc_map_is_refused_as_an_image_to_segment(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "adc.nii.gz")

    with pytest.raises(InputError, match=r"adc\.nii\.gz is ADC; dwi, t1, t2, flair can be segmented"):
        open_patient({"image": str(image)})


def test_two_files_of_one_sequence_beside_the_image_are_left_out(open_patient, write_scan, tmp_path, caplog):
    image = write_scan(tmp_path / "dwi.nii.gz")
    write_scan(tmp_path / "t1.nii.gz", "t1")
    write_scan(tmp_path / "t1.nii", "t1")

    item = open_patient({"image": str(image)})

    assert present(item) == {"dwi"}
    assert "more than one T1, and none is used" in caplog.text


def test_neighbour_that_cannot_be_used_leaves_the_image_by_itself_with_a_note(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "flair.nii.gz", "flair")
    (tmp_path / "dwi.nii.gz").write_bytes(b"cut short")

    item = open_patient({"image": str(image)})

    assert present(item) == {"flair"}
    assert notes(item)[0].startswith("The sequences beside flair.nii.gz were not used: ")


def test_volume_in_memory_is_opened_as_its_file_is(open_patient, write_scan, tmp_path):
    image = write_scan(tmp_path / "dwi.nii.gz", degrees=4)
    file = nibabel.load(image)

    item = open_patient({"image": MetaTensor(file.get_fdata(dtype=np.float32), affine=file.affine)})

    opened = open_patient({"image": str(image)})
    assert present(item) == {"dwi"}
    assert np.array_equal(item["dwi"], opened["dwi"])
    assert np.allclose(item["reference"].affine, file.affine, atol=1e-5)
    assert "it was taken for the DWI" in notes(item)[0]


def test_affine_of_dicoms_axes_is_turned(open_patient, phantom):
    turned = np.diag([-1.0, -1.0, 1.0, 1.0]) @ phantom.affine
    image = MetaTensor(phantom.images["dwi"], affine=turned, meta={"space": "LPS"})

    item = open_patient({"image": image})

    assert np.allclose(item["reference"].affine, phantom.affine)


def test_description_of_the_series_says_which_sequence_a_volume_in_memory_is(open_patient, phantom):
    described = {"SeriesDescription": "t2_tirm_tra_dark-fluid FLAIR"}

    item = open_patient({"image": MetaTensor(phantom.images["flair"], affine=phantom.affine, meta=described)})

    assert present(item) == {"flair"}


@pytest.mark.parametrize("channel_dim", [0, -1])
def test_channels_of_a_volume_in_memory_are_the_sequences(open_patient, phantom, channel_dim):
    volumes = np.stack([phantom.images[sequence] for sequence in SEQUENCES], axis=channel_dim)
    image = MetaTensor(volumes, affine=phantom.affine, meta={"original_channel_dim": channel_dim})

    item = open_patient({"image": image})

    assert present(item) == {*SEQUENCES}
    assert np.allclose(item["t2"][0], phantom.images["t2"])


def test_volume_in_memory_without_affine_is_refused(open_patient):
    with pytest.raises(InputError, match="needs an affine: hand over a MetaTensor"):
        open_patient({"image": np.zeros((2, 2, 2))})


@pytest.mark.parametrize("shape", [(1, 8, 8, 8), (8, 8)])
def test_volume_in_memory_whose_axes_are_not_known_is_refused(open_patient, shape):
    with pytest.raises(InputError, match='four axes with the channels\' as "original_channel_dim"'):
        open_patient({"image": MetaTensor(np.ones(shape, np.float32), affine=np.eye(4))})


def test_item_without_sequence_and_image_is_refused(open_patient):
    with pytest.raises(InputError, match="has none of the sequences dwi, t1, t2, flair"):
        open_patient({"patient": "anna"})
