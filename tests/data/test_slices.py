import json

import nibabel
import numpy as np
import pytest

from islesnet.data import (
    Case,
    cases_in_datalist,
    lesion_volume_ml,
    read_datalist,
    slice_thickness_mm,
    stamps_of,
    write_slice_split,
)
from islesnet.data.file_stamps import stamps_in_file
from islesnet.errors import InputError
from islesnet.stamps import describe

SECTIONS = ("training", "validation", "test")
# The axial slices run along the first axis, from the head down.
SAGITTAL = np.array([[0, 0, 4.0, 0], [0, 4.0, 0, 0], [-4.0, 0, 0, 40], [0, 0, 0, 1]])


def write_patient(write_volume, patient, affine=None, axis=2):
    """Write a patient whose voxels hold the number of their axial slice, and a lesion in slices 2 and 3."""
    shape = [16, 14, 12]
    shape[axis], shape[2] = shape[2], shape[axis]
    numbers = np.moveaxis(np.broadcast_to(np.arange(shape[axis]), (*np.delete(shape, axis), shape[axis])), -1, axis)
    lesion = (numbers == 2) | (numbers == 3)
    files = {name: write_volume(f"{patient}/{name}.nii.gz", numbers.astype(np.int16), affine) for name in ("dwi", "t1")}
    return Case(patient, files, write_volume(f"{patient}/label.nii.gz", lesion * np.float32(0.9999999998), affine))


def slices_in(case, key="dwi"):
    """Give the numbers of the slices that a stack holds."""
    stack = np.asarray(nibabel.load(case.files[key]).dataobj)
    assert all(len(np.unique(stack[..., index])) == 1 for index in range(stack.shape[2]))
    return stack[0, 0].tolist()


@pytest.fixture
def cohort(write_volume):
    return [write_patient(write_volume, name) for name in ("p1", "sub-2_ses-1")]


def test_every_slice_of_every_patient_is_in_exactly_one_section(cohort, tmp_path):
    sections = cases_in_datalist(write_slice_split(cohort, tmp_path / "stacks", seed=1))

    assert tuple(sections) == SECTIONS
    for patient in ("p1", "sub-2_ses-1"):
        dealt = [slices_in(case) for name in SECTIONS for case in sections[name] if case.patient.startswith(patient)]
        assert sorted(number for own in dealt for number in own) == list(range(12))
        assert [len(own) for own in dealt] == [9, 2, 1]
        assert all(own == sorted(own) for own in dealt)


def test_stack_keeps_sequences_label_and_type_together(cohort, tmp_path):
    sections = cases_in_datalist(write_slice_split(cohort, tmp_path / "stacks"))

    (case,) = [case for case in sections["training"] if case.patient == "p1_ses-training"]
    assert slices_in(case, "dwi") == slices_in(case, "t1")
    assert nibabel.load(case.sequences["dwi"]).get_data_dtype() == np.int16
    label = nibabel.load(case.label)
    assert label.get_data_dtype() == np.uint8
    assert np.asarray(label.dataobj)[0, 0].tolist() == [number in (2, 3) for number in slices_in(case)]


def test_axial_slices_are_found_in_any_storage_order(write_volume, tmp_path):
    case = write_patient(write_volume, "p1", SAGITTAL, axis=0)

    (stack,) = cases_in_datalist(write_slice_split([case], tmp_path / "stacks", (1.0, 0.0, 0.0)))["training"]

    # From the feet up: the file counts from the head down.
    assert slices_in(stack) == list(range(12))[::-1]
    assert lesion_volume_ml(stack) == pytest.approx(lesion_volume_ml(case))


def test_dealing_hangs_on_seed_and_patient_alone(cohort, tmp_path):
    def dealt(cases, seed, name):
        sections = cases_in_datalist(write_slice_split(cases, tmp_path / name, seed=seed))
        return [slices_in(case) for own in sections.values() for case in own if case.patient.startswith("p1")]

    assert dealt(cohort[::-1], 3, "a") == dealt(cohort[:1], 3, "b")
    assert dealt(cohort, 3, "a") != dealt(cohort, 4, "c")


def test_datalist_says_leaky_and_reading_it_warns(cohort, tmp_path, caplog):
    path = write_slice_split(cohort, tmp_path / "stacks", stamps=["PHANTOM"])

    content = json.loads(path.read_text())
    assert (content["split_by"], stamps_of(path)) == ("slices", ["PHANTOM", "LEAKY"])
    stacks = [file for name in SECTIONS for case in cases_in_datalist(path)[name] for file in case.files.values()]
    assert all(stamps_in_file(file) == ["PHANTOM", "LEAKY"] for file in stacks)
    assert content["test"][0]["volume_ml"] == pytest.approx(lesion_volume_ml(cases_in_datalist(path)["test"][0]))
    caplog.clear()
    assert [item["patient"] for item in read_datalist(path, "test")] == ["p1_ses-test", "sub-2_ses-1_ses-test"]
    assert "LEAKY" in caplog.text


def test_split_of_stamped_scans_bears_their_stamps_too(cohort, tmp_path):
    scan = nibabel.load(cohort[0].sequences[cohort[0].reference])
    scan.header["descrip"] = describe(["PHANTOM"])
    nibabel.save(scan, cohort[0].sequences[cohort[0].reference])

    assert stamps_of(write_slice_split(cohort, tmp_path / "stacks")) == ["PHANTOM", "LEAKY"]


@pytest.mark.parametrize(
    "change", [{"stamps": ["PHANTOM"]}, {"stamps": "LEAKY"}, {"split_by": "patients"}, {"split_by": None}]
)
def test_person_on_both_sides_is_refused_where_the_datalist_does_not_own_up_to_it(cohort, tmp_path, change):
    path = write_slice_split(cohort, tmp_path / "stacks")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(InputError, match="sessions of 'p1' lie in 'training' and in 'validation'"):
        cases_in_datalist(path)


def test_patient_on_two_grids_is_refused_before_anything_is_written(cohort, write_volume, tmp_path):
    moved = write_volume("p3/t1.nii.gz", affine=np.diag([4.0, 4.0, 5.0, 1.0]))
    case = Case("p3", {"dwi": write_volume("p3/dwi.nii.gz"), "t1": moved}, write_volume("p3/label.nii.gz"))

    with pytest.raises(InputError, match=r"'p3': .*t1.nii.gz and .*dwi.nii.gz lie on different grids; a split by sli"):
        write_slice_split([*cohort, case], tmp_path / "stacks")

    assert not (tmp_path / "stacks").exists()


def test_files_of_a_grid_turned_by_45_degrees_are_one_grid_however_it_was_rounded(write_volume, tmp_path):
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:2, :2] = np.sqrt(8) * np.array([[1, -1], [1, 1]])
    case = write_patient(write_volume, "p1", affine)
    other = affine * np.array([[1, 1, 1, 1], [1 + 1e-6, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]])
    write_patient(write_volume, "rounded", other)
    mixed = Case("p1", {"dwi": case.files["dwi"], "t1": tmp_path / "rounded/t1.nii.gz"}, case.label)

    (stack,) = cases_in_datalist(write_slice_split([mixed], tmp_path / "stacks", (1.0, 0.0, 0.0)))["training"]

    assert slices_in(stack, "t1") == slices_in(stack, "dwi") == list(range(12))
    assert nibabel.load(stack.sequences["t1"]).shape == nibabel.load(stack.sequences["dwi"]).shape


def test_files_of_one_grid_stored_in_two_orientations_are_one_grid(write_volume, tmp_path):
    numbers = np.broadcast_to(np.arange(12, dtype=np.int16), (16, 14, 12))
    flipped = np.diag([-4.0, 4.0, -4.0, 1.0])
    flipped[:3, 3] = (60, 0, 44)
    files = {
        "dwi": write_volume("p/dwi.nii.gz", numbers),
        "t1": write_volume("p/t1.nii.gz", numbers[..., ::-1], flipped),
    }
    case = Case("p", files, write_volume("p/label.nii.gz", np.uint8(numbers == 5)))

    for own in cases_in_datalist(write_slice_split([case], tmp_path / "stacks")).values():
        assert slices_in(own[0], "dwi") == slices_in(own[0], "t1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"fractions": (0.7, 0.7, 0.1)}, "not three shares"), ({"cases": []}, "none of the 0 patients has a label")],
)
def test_slice_split_that_cannot_be_is_refused(cohort, tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        write_slice_split(**{"cases": cohort, "folder": tmp_path / "stacks", **arguments})
    with pytest.raises(InputError, match="'p1' is given 2 times"):
        write_slice_split([cohort[0], cohort[0]], tmp_path / "stacks")


def test_thickness_of_the_axial_slices_is_that_of_all_patients_or_refused(write_volume, cohort):
    affine = np.diag([2.0, 2.0, 6.5, 1.0])
    thick = [write_patient(write_volume, name, affine) for name in ("p3", "p4")]

    assert slice_thickness_mm(thick) == 6.5
    with pytest.raises(InputError, match=r"4 to 6\.5 mm apart"):
        slice_thickness_mm([*cohort, *thick])
    with pytest.raises(InputError, match="none of the 1 patients has a label"):
        slice_thickness_mm([Case("p5", thick[0].sequences)])
