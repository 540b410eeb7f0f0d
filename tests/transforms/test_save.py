import errno
import hashlib
import json
import logging

import nibabel
import numpy as np
import pytest
import SimpleITK
import torch
from monai.data import MetaTensor
from monai.transforms import LoadImaged

import islesnet
from islesnet.data.loading import VolumeReader
from islesnet.files import sha256_of
from islesnet.result_files import corrected_in, earlier_results, mark
from islesnet.transforms import SaveLesionsd, describe_lesions

SHAPE = (6, 5, 4)
ANGLE = 0.2
# Left-anterior-superior, turned, 1 x 2 x 5 mm: 0.01 ml a voxel.
OBLIQUE = np.array(
    [
        [-np.cos(ANGLE), -2 * np.sin(ANGLE), 0.0, 31.5],
        [-np.sin(ANGLE), 2 * np.cos(ANGLE), 0.0, -20.25],
        [0.0, 0.0, 5.0, 7.125],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
ELSEWHERE = np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture
def mask():
    mask = torch.zeros(1, *SHAPE)
    mask[0, 1:3, 1, 1] = 1.0  # two voxels
    mask[0, 5, 4, 3] = 1.0  # and one
    return mask


def write_nifti(path, affine=OBLIQUE, qform=1, sform=2, kind=nibabel.Nifti1Image):
    image = kind(np.random.default_rng(0).normal(100, 20, SHAPE).astype(np.float32), affine)
    image.set_qform(affine, code=qform)
    image.set_sform(affine, code=sform)
    nibabel.save(image, path)
    return path


def item_of(path, mask):
    """Load the reference as the bundle does."""
    load = LoadImaged(keys="reference", reader=VolumeReader(), ensure_channel_first=True)
    item = load({"reference": str(path), "patient": "sub-1"})
    affine = item["reference"].affine
    return item | {"pred": MetaTensor(mask, affine), "probability": MetaTensor(mask * 0.75, affine)}


def files_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("codes", [(1, 1), (1, 0), (0, 2), (2, 4)])
def test_mask_keeps_the_affine_and_both_codes_of_the_reference(tmp_path, mask, suffix, codes):
    path = write_nifti(tmp_path / f"dwi{suffix}", qform=codes[0], sform=codes[1])
    SaveLesionsd(keys="pred", output_dir=tmp_path / "out")(item_of(path, mask))
    saved, reference = nibabel.load(tmp_path / "out" / "sub-1_lesion.nii.gz"), nibabel.load(path)
    assert (int(saved.header["qform_code"]), int(saved.header["sform_code"])) == codes
    assert np.array_equal(saved.affine, reference.affine)
    for field in ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "pixdim", "srow_x", "srow_y", "xyzt_units"):
        assert np.array_equal(saved.header[field], reference.header[field]), field


def test_earlier_results_go_once_the_new_mask_is_there(tmp_path, mask):
    earlier = earlier_results(tmp_path / "out", "sub-1")
    earlier.mkdir(parents=True)
    (earlier / "sub-1_lesion.nii.gz").touch()

    SaveLesionsd(keys="pred", output_dir=tmp_path / "out")(item_of(write_nifti(tmp_path / "dwi.nii"), mask))

    assert files_in(tmp_path / "out") == ["sub-1_lesion.json", "sub-1_lesion.nii.gz"]


def test_qform_and_sform_that_differ_are_both_kept(tmp_path, mask):
    image = nibabel.Nifti1Image(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32), OBLIQUE)
    image.set_qform(OBLIQUE, code=1)
    image.set_sform(ELSEWHERE, code=4)
    nibabel.save(image, tmp_path / "dwi.nii.gz")
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item_of(tmp_path / "dwi.nii.gz", mask))
    saved = nibabel.load(tmp_path / "sub-1_lesion.nii.gz")
    np.testing.assert_allclose(saved.get_qform(), OBLIQUE, atol=1e-5)
    np.testing.assert_allclose(saved.get_sform(), ELSEWHERE)


def test_mask_is_uint8_unscaled_and_has_the_voxels_of_the_prediction(tmp_path, mask):
    path = write_nifti(tmp_path / "dwi.nii.gz")
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item_of(path, mask))
    saved = nibabel.load(tmp_path / "sub-1_lesion.nii.gz")
    assert saved.get_data_dtype() == np.uint8
    assert (saved.dataobj.slope, saved.dataobj.inter) == (1.0, 0.0)
    assert np.array_equal(np.asarray(saved.dataobj), mask[0].numpy().astype(np.uint8))


def test_scaled_integer_reference_does_not_scale_the_mask(tmp_path, mask):
    image = nibabel.Nifti1Image(np.random.default_rng(0).normal(1, 0.1, SHAPE), OBLIQUE)
    image.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "dwi.nii.gz")
    assert nibabel.load(tmp_path / "dwi.nii.gz").dataobj.slope != 1.0
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item_of(tmp_path / "dwi.nii.gz", mask))
    assert nibabel.load(tmp_path / "sub-1_lesion.nii.gz").get_fdata().max() == 1.0


def test_nifti2_reference_keeps_the_mask_in_place(tmp_path, mask, caplog):
    path = write_nifti(tmp_path / "dwi.nii.gz", kind=nibabel.Nifti2Image)
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item_of(path, mask))
    saved = nibabel.load(tmp_path / "sub-1_lesion.nii.gz")
    np.testing.assert_allclose(saved.affine, OBLIQUE, atol=1e-5)
    assert (int(saved.header["qform_code"]), int(saved.header["sform_code"])) == (1, 2)
    assert isinstance(saved, nibabel.Nifti1Image)
    assert "sizeof_hdr" not in caplog.text


@pytest.mark.parametrize("suffix", [".mha", ".nrrd"])
def test_reference_of_another_format_gives_its_affine_with_both_codes_1(tmp_path, mask, suffix):
    nifti = write_nifti(tmp_path / "dwi.nii.gz")
    other = tmp_path / f"dwi{suffix}"
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(nifti)), str(other))
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item_of(other, mask))
    saved = nibabel.load(tmp_path / "sub-1_lesion.nii.gz")
    np.testing.assert_allclose(saved.get_sform(), OBLIQUE, atol=1e-4)
    np.testing.assert_allclose(saved.get_qform(), OBLIQUE, atol=1e-4)
    assert (int(saved.header["qform_code"]), int(saved.header["sform_code"])) == (1, 1)
    assert np.array_equal(np.asarray(saved.dataobj), mask[0].numpy())
    # A program that reads both sees the same place.
    assert SimpleITK.ReadImage(str(tmp_path / "sub-1_lesion.nii.gz")).GetOrigin() == pytest.approx(
        SimpleITK.ReadImage(str(other)).GetOrigin(), abs=1e-4
    )


@pytest.mark.parametrize(("is_marked", "is_prepared"), [(True, True), (False, True), (True, False)])
def test_what_may_be_corrected_of_a_run_is_known_by_its_checksum(tmp_path, mask, is_marked, is_prepared):
    brain = tmp_path / "sub-1/brain.nii.gz"
    brain.parent.mkdir()
    if is_marked:
        mark(brain.parent)
    brain.write_bytes(b"a mask of the brain")

    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask) | ({"preparation": ""} if is_prepared else {})
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item)

    assert corrected_in(brain.parent) == []
    brain.write_bytes(b"a better mask")
    assert corrected_in(brain.parent) == ([brain] if is_marked and is_prepared else [])


def test_numbers_are_those_of_the_mask(tmp_path, mask):
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask))
    assert json.loads((tmp_path / "sub-1_lesion.json").read_text()) == {
        "patient": "sub-1",
        "lesion_volume_ml": 0.03,
        "lesion_count": 2,
        "lesions": describe_lesions(mask[0].numpy() > 0.5, mask[0].numpy() * 0.75, OBLIQUE),
        "reference": "dwi.nii.gz",
        "islesnet": islesnet.__version__,
        "mask_sha256": sha256_of(tmp_path / "sub-1_lesion.nii.gz"),
    }


def test_what_was_found_on_trust_stands_beside_the_numbers(tmp_path, mask):
    found = {"is_trusted": False, "reasons": ["The head is cut."], "notes": []}
    SaveLesionsd(keys="pred", output_dir=tmp_path)(
        item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask) | {"trust": found}
    )
    assert json.loads((tmp_path / "sub-1_lesion.json").read_text())["trust"] == found


def test_checksum_of_the_weights_stands_in_the_numbers(tmp_path, mask):
    (tmp_path / "model.pt").write_bytes(b"weights")
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)
    SaveLesionsd(keys="pred", output_dir=tmp_path, weights=tmp_path / "model.pt")(item)
    written = json.loads((tmp_path / "sub-1_lesion.json").read_text())["weights_sha256"]
    assert written == hashlib.sha256(b"weights").hexdigest()


def test_stamp_of_what_it_is_made_of_stands_in_the_numbers(tmp_path, mask):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask) | {"made_of": "0a1b"}
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item)
    assert json.loads((tmp_path / "sub-1_lesion.json").read_text())["made_of"] == "0a1b"


def test_empty_mask_is_written_with_no_lesion(tmp_path, mask):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), torch.zeros_like(mask))
    SaveLesionsd(keys="pred", output_dir=tmp_path)(item)
    numbers = json.loads((tmp_path / "sub-1_lesion.json").read_text())
    assert (numbers["lesion_count"], numbers["lesion_volume_ml"], numbers["lesions"]) == (0, 0.0, [])
    assert not nibabel.load(tmp_path / "sub-1_lesion.nii.gz").get_fdata().any()


def test_probability_is_written_on_request_as_float32_on_the_same_grid(tmp_path, mask):
    path = write_nifti(tmp_path / "dwi.nii.gz")
    SaveLesionsd(keys="pred", output_dir=tmp_path / "without")(item_of(path, mask))
    SaveLesionsd(keys="pred", output_dir=tmp_path / "with", write_probability=True)(item_of(path, mask))
    assert files_in(tmp_path / "without") == ["sub-1_lesion.json", "sub-1_lesion.nii.gz"]
    assert files_in(tmp_path / "with") == ["sub-1_lesion.json", "sub-1_lesion.nii.gz", "sub-1_probability.nii.gz"]
    saved = nibabel.load(tmp_path / "with" / "sub-1_probability.nii.gz")
    assert saved.get_data_dtype() == np.float32
    np.testing.assert_allclose(saved.get_fdata(), mask[0].numpy() * 0.75)
    assert np.array_equal(saved.affine, nibabel.load(path).affine)


def test_mask_off_the_grid_of_the_reference_is_refused_and_nothing_is_written(tmp_path):
    path = write_nifti(tmp_path / "dwi.nii.gz")
    item = item_of(path, torch.zeros(1, 6, 5, 3))
    with pytest.raises(
        ValueError, match=r"sub-1_lesion\.nii\.gz would have shape \(6, 5, 3\), its reference has \(6, 5"
    ):
        SaveLesionsd(keys="pred", output_dir=tmp_path / "out")(item)
    assert files_in(tmp_path / "out") == []


def full_disk(self, filename):
    filename.write_bytes(b"half a mas")
    raise OSError(errno.ENOSPC, "No space left on device", str(filename))


def test_full_disk_leaves_nothing_and_names_the_file(tmp_path, mask, monkeypatch):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)
    monkeypatch.setattr(nibabel.Nifti1Image, "to_filename", full_disk)
    with pytest.raises(OSError, match="No space left on device") as caught:
        SaveLesionsd(keys="pred", output_dir=tmp_path / "out")(item)
    assert caught.value.filename == str(tmp_path / "out" / "sub-1_lesion.nii.gz")
    assert files_in(tmp_path / "out") == []


def test_failed_write_leaves_the_earlier_mask_whole_and_the_patient_not_done(tmp_path, mask, monkeypatch):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)
    save = SaveLesionsd(keys="pred", output_dir=tmp_path / "out")
    save(item)
    earlier = (tmp_path / "out" / "sub-1_lesion.nii.gz").read_bytes()
    monkeypatch.setattr(nibabel.Nifti1Image, "to_filename", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save(item)
    assert files_in(tmp_path / "out") == ["sub-1_lesion.nii.gz"]
    assert (tmp_path / "out" / "sub-1_lesion.nii.gz").read_bytes() == earlier


def test_where_the_probability_cannot_be_written_the_patient_is_not_marked_as_done(tmp_path, mask):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)
    item["probability"] = torch.zeros(1, 2, 2, 2)
    with pytest.raises(ValueError, match=r"sub-1_probability\.nii\.gz would have shape \(2, 2, 2\)"):
        SaveLesionsd(keys="pred", output_dir=tmp_path / "out", write_probability=True)(item)
    assert "sub-1_lesion.json" not in files_in(tmp_path / "out")


def test_where_the_numbers_cannot_be_written_there_is_no_mask_that_seems_somebodys(tmp_path, mask, monkeypatch):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)
    monkeypatch.setattr(json, "dumps", lambda *_, **__: full_disk(None, tmp_path / "numbers"))
    with pytest.raises(OSError, match="No space left"):
        SaveLesionsd(keys="pred", output_dir=tmp_path / "out")(item)
    assert files_in(tmp_path / "out") == []


def test_input_is_left_as_it_was_and_handed_on(tmp_path, mask):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask.clone())
    before = dict(item)
    handed_on = SaveLesionsd(keys="pred", output_dir=tmp_path)(item)
    assert item.keys() == before.keys() == handed_on.keys()
    assert all(item[key] is before[key] and handed_on[key] is before[key] for key in before)
    assert torch.equal(torch.as_tensor(item["pred"]), mask)


def test_what_a_converter_noted_of_the_patient_stays_with_the_scan(tmp_path, mask):
    path = write_nifti(tmp_path / "dwi.nii.gz")
    scan = nibabel.load(path)
    scan.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Jane Doe, born 1950"))
    nibabel.save(scan, path)

    SaveLesionsd(keys="pred", output_dir=tmp_path / "out")(item_of(path, mask))

    assert not nibabel.load(tmp_path / "out" / "sub-1_lesion.nii.gz").header.extensions


@pytest.mark.parametrize(
    ("stamps", "description"),
    [
        ((), "islesnet, research use only"),
        (("PHANTOM", "LEAKY"), "PHANTOM, LEAKY, islesnet, research use only"),
        ("PHANTOM", "PHANTOM, islesnet, research use only"),  # a single word, as a command line hands it on
    ],
)
def test_stamps_stand_in_the_description_of_every_volume_and_in_the_numbers(tmp_path, mask, stamps, description):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)

    SaveLesionsd(keys="pred", output_dir=tmp_path, write_probability=True, stamps=stamps)(item)

    for kind in ("lesion", "probability"):
        saved = nibabel.load(tmp_path / f"sub-1_{kind}.nii.gz")
        assert saved.header["descrip"].item().decode() == description
    numbers = json.loads((tmp_path / "sub-1_lesion.json").read_text())
    assert numbers.get("stamps", []) == ([stamps] if isinstance(stamps, str) else list(stamps))


@pytest.mark.parametrize("stamps", [(), ("QUICK",), ("PHANTOM", "QUICK")])
def test_mask_of_a_stamped_scan_bears_its_stamps_too(tmp_path, mask, stamps):
    path = write_nifti(tmp_path / "dwi.nii.gz")
    scan = nibabel.load(path)
    scan.header["descrip"] = b"PHANTOM, islesnet, research use only"
    nibabel.save(nibabel.Nifti1Image(np.asarray(scan.dataobj), None, scan.header), path)

    SaveLesionsd(keys="pred", output_dir=tmp_path / "out", stamps=stamps)(item_of(path, mask))

    expected = list(dict.fromkeys([*stamps, "PHANTOM"]))
    assert json.loads((tmp_path / "out/sub-1_lesion.json").read_text())["stamps"] == expected
    saved = nibabel.load(tmp_path / "out/sub-1_lesion.nii.gz")
    assert saved.header["descrip"].item().decode() == ", ".join([*expected, "islesnet, research use only"])


def test_long_stamps_do_not_overflow_the_description(tmp_path, mask):
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask)

    SaveLesionsd(keys="pred", output_dir=tmp_path, stamps=["PHANTÔM", "X" * 90])(item)

    assert nibabel.load(tmp_path / "sub-1_lesion.nii.gz").header["descrip"].item().startswith(b"PHANT?M, XXX")


def test_volume_and_check_are_logged(tmp_path, mask, caplog):
    caplog.set_level(logging.INFO)
    item = item_of(write_nifti(tmp_path / "dwi.nii.gz"), mask) | {"trust": {"in_short": "note: few sequences"}}

    SaveLesionsd("pred", tmp_path / "out")(item)

    assert "sub-1: 2 lesions, 0.03 ml; note: few sequences" in caplog.messages
