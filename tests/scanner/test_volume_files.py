"""NIfTI, NRRD and MetaImage files of any names, with their sidecars, and files broken on purpose."""

import gzip
import json
import re

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.scanner import read_patient
from tests.scanner.made_dicom import classic, tags_of

OBLIQUE = np.array([[-4.0, 0.2, 0, 30], [0.2, 4.0, 0, -28], [0, 0, 5.0, -30], [0, 0, 0, 1]])


def values(shape=(16, 14, 12), seed=0):
    return np.random.default_rng(seed).normal(500, 50, shape).astype(np.float32)


def save(path, array=None, affine=OBLIQUE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values() if array is None else array, affine), path)
    return path


def test_images_lie_where_simpleitk_puts_them(tmp_path):
    path = save(tmp_path / "flair.nii.gz")
    image = read_patient(tmp_path).images["flair"].image
    theirs = sitk.ReadImage(str(path))
    np.testing.assert_allclose(image.GetDirection(), theirs.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(image.GetOrigin(), theirs.GetOrigin(), atol=1e-5)
    assert np.array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(theirs))


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("4_ep2d_diff_trace_p2_b1000.nii.gz", "dwi"),
        ("AX DWI b1000.nii.gz", "dwi"),
        ("t2_tirm_tra_dark-fluid.nii.gz", "flair"),
        ("eT1W_SE.nii.gz", "t1"),
        ("Sag_T1_MPRAGE.nii.gz", "t1"),
        ("T2W_TSE.nii.gz", "t2"),
        ("flair/image.nii.gz", "flair"),
    ],
)
def test_names_tell_the_sequence(tmp_path, name, role):
    save(tmp_path / name)
    assert set(read_patient(tmp_path).images) == {role}


@pytest.mark.parametrize(
    "name", ["T1_post_gd", "swi", "T2_star", "DWI_eADC", "T1_mask", "p_lesion", "perf_dwi", "scan"]
)
def test_names_of_other_things_are_passed_over(tmp_path, name):
    save(tmp_path / f"{name}.nii.gz")
    with pytest.raises(InputError, match=r"no DWI, T1, T2 or FLAIR was recognised; name one: --dwi PATH"):
        read_patient(tmp_path)


def test_adc_map_alone_is_refused_as_such(tmp_path):
    save(tmp_path / "adc.nii.gz")
    with pytest.raises(InputError, match=r"\(or --t1, --t2, --flair\)\. An ADC map alone is not segmented\."):
        read_patient(tmp_path)


def test_sidecar_of_dcm2niix_tells_the_sequence(tmp_path):
    save(tmp_path / "12.nii.gz")
    said = {"EchoTime": 0.12, "RepetitionTime": 9.0, "InversionTime": 2.5, "PatientName": "Mustermann"}
    (tmp_path / "12.json").write_text(json.dumps(said))
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"flair"}
    assert "Mustermann" not in repr(patient)


@pytest.mark.parametrize("content", ["[" * 100_000, "{", '{"EchoTime": "x", "ImageType": 3}', ""])
def test_damaged_sidecar_says_nothing(tmp_path, content):
    save(tmp_path / "t1.nii.gz")
    (tmp_path / "t1.json").write_text(content)
    assert set(read_patient(tmp_path).images) == {"t1"}


def test_b1000_and_b0_are_picked_out_of_4d_by_its_bval(tmp_path):
    array = values((16, 14, 12, 5))
    save(tmp_path / "dti.nii.gz", array)
    (tmp_path / "dti.bval").write_text("0 1000 1000 1000 2500\n")
    patient = read_patient(tmp_path)
    mean = np.exp(np.log(array[..., 1:4]).mean(axis=-1))
    np.testing.assert_allclose(sitk.GetArrayFromImage(patient.images["dwi"].image).T, mean, rtol=1e-4)
    assert np.array_equal(sitk.GetArrayFromImage(patient.images["b0"].image).T, array[..., 0])
    assert "adc" in patient.images


@pytest.mark.parametrize(
    ("b_values", "message"),
    [(None, r"no dwi\.bval beside it"), ("0 1000 1000", "gives 3 b-values"), ("low high", "cannot be read")],
)
def test_4d_without_fitting_b_values_is_refused(tmp_path, b_values, message):
    save(tmp_path / "dwi.nii.gz", values((16, 14, 12, 2)))
    if b_values:
        (tmp_path / "dwi.bval").write_text(b_values)
    with pytest.raises(InputError, match=message):
        read_patient(tmp_path)


def test_b0_by_name_gives_an_adc_with_b1000(tmp_path):
    save(tmp_path / "p_b0.nii.gz", values() * 3)
    save(tmp_path / "p_b1000.nii.gz")
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"dwi", "b0", "adc"}
    np.testing.assert_allclose(sitk.GetArrayViewFromImage(patient.images["adc"].image), np.log(3), rtol=1e-4)


@pytest.mark.parametrize(
    ("dwi", "shape", "reason"),
    [
        ("dwi", (16, 14, 12), r"the DWI's b-value is not known .*dwi_b1000\.nii\.gz"),
        ("dwi_b0", (16, 14, 12), "their b-values are 0 and 0"),
        ("dwi_b1000", (16, 14, 10), "they differ in grid or echo time"),
    ],
)
def test_why_no_adc_is_computed_is_said(tmp_path, dwi, shape, reason):
    named = {"dwi": save(tmp_path / f"{dwi}.nii.gz", values(shape)), "b0": save(tmp_path / "b0.nii.gz", values() * 3)}
    patient = read_patient(None, named)
    assert set(patient.images) == {"dwi", "b0"}
    (note,) = [note for note in patient.notes if note.startswith("No ADC map was computed from b0.nii.gz and dwi")]
    assert re.search(reason, note)


def test_few_voxels_that_are_no_numbers_become_0_and_are_said(tmp_path):
    array = values()
    array[0, 0, :3] = np.nan
    save(tmp_path / "t1.nii.gz", array)
    save(tmp_path / "t2.nii.gz", np.full((16, 14, 12), np.nan, np.float32))
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"t1"}
    assert np.isfinite(sitk.GetArrayViewFromImage(patient.images["t1"].image)).all()
    assert any("t1.nii.gz: 3 voxels are NaN" in note for note in patient.notes)
    assert any("t2.nii.gz" in note and "has 2,688 voxels of 2,688 that are NaN" in note for note in patient.notes)


def test_sheared_grid_is_refused_by_its_angle(tmp_path):
    sheared = OBLIQUE.copy()
    sheared[1, 2] = 1.0
    path = save(tmp_path / "t1.nii.gz", affine=sheared)
    with pytest.raises(InputError, match=r"sheared by .* degrees"):
        read_patient(tmp_path, {"t1": path})


def test_qform_that_differs_from_sform_is_said(tmp_path):
    image = nibabel.Nifti1Image(values(), OBLIQUE)
    moved = OBLIQUE.copy()
    moved[2, 3] += 7
    image.set_qform(moved, 1)
    image.set_sform(OBLIQUE, 1)
    nibabel.save(image, tmp_path / "t1.nii.gz")
    assert any("qform and sform disagree" in note for note in read_patient(tmp_path).notes)


def test_damaged_files_are_left_out_and_noted(tmp_path):
    whole = save(tmp_path / "t1.nii.gz").read_bytes()
    (tmp_path / "t2.nii.gz").write_bytes(whole[:-700])
    (tmp_path / "flair.nii.gz").write_bytes(b"no")
    (tmp_path / "dwi.mha").write_bytes(b"no")
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"t1"}
    assert all(any(name in note for note in patient.notes) for name in ("t2.nii.gz", "flair.nii.gz", "dwi.mha"))


def test_file_that_unpacks_to_more_than_its_header_says_is_not_followed(tmp_path):
    path = save(tmp_path / "t1.nii.gz")
    whole = gzip.decompress(path.read_bytes())
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(whole)
        for _ in range(64):
            stream.write(bytes(2**20))
    assert any("goes on after its last voxel" in note for note in read_patient(tmp_path).notes)


def test_surplus_of_a_file_of_many_directions_is_said_once(tmp_path):
    path = save(tmp_path / "dti.nii", values((16, 14, 12, 5)))
    (tmp_path / "dti.bval").write_text("0 1000 1000 1000 1000\n")
    path.write_bytes(path.read_bytes() + bytes(100))
    notes = read_patient(tmp_path).notes
    assert len([note for note in notes if "goes on after its last voxel" in note]) == 1


def test_dicom_and_nifti_of_one_patient_are_read_together(tmp_path):
    classic(tmp_path / "DICOM" / "ST1", **tags_of("t2"))
    save(tmp_path / "nifti" / "dwi.nii.gz")
    patient = read_patient(tmp_path)
    assert set(patient.images) == {"dwi", "t2"}
    assert patient.images["t2"].dicom and not patient.images["dwi"].dicom


def test_user_overrules_every_guess(tmp_path):
    save(tmp_path / "t1.nii.gz")
    odd = save(tmp_path / "scan 'x' $(y) 100%.nii.gz", values(seed=1))
    patient = read_patient(tmp_path, {"t1": odd})
    assert np.array_equal(sitk.GetArrayFromImage(patient.images["t1"].image).T, values(seed=1))
    assert patient.images["t1"].source.endswith(odd.name)


@pytest.mark.parametrize(
    ("named", "message"),
    [({"dwi": "none.nii"}, "--dwi .*none.nii: does not exist"), ({"pet": "t1.nii.gz"}, "'pet' is no sequence")],
)
def test_named_file_that_cannot_be_is_refused(tmp_path, named, message):
    save(tmp_path / "t1.nii.gz")
    with pytest.raises(InputError, match=message):
        read_patient(tmp_path, {role: tmp_path / name for role, name in named.items()})


def test_named_file_whose_name_says_another_sequence_is_taken_with_a_note(tmp_path):
    patient = read_patient(None, {"dwi": save(tmp_path / "p01_FLAIR.nii.gz"), "t1": save(tmp_path / "p01_T1.nii.gz")})
    assert set(patient.images) == {"dwi", "t1"}
    assert patient.notes == ["p01_FLAIR.nii.gz was given as the DWI; but name or description says FLAIR."]


def test_named_slice_stands_for_its_series_and_folder_of_two_is_refused(tmp_path):
    for number, name in enumerate(("a", "b"), start=1):
        classic(tmp_path / "all" / name, number=number)
    (one, *_) = classic(tmp_path / "c", number=3)
    with pytest.raises(InputError, match="holds 2 series"):
        read_patient(tmp_path, {"t1": tmp_path / "all"})
    assert len(read_patient(tmp_path, {"t1": one}).images["t1"].dicom) == 6


@pytest.mark.parametrize("name", ["", "nothing"])
def test_folder_without_scans_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="no scan found" if not name else "is not a folder"):
        read_patient(tmp_path / name)
