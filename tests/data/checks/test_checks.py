"""What is wrong with a case -> what is said about it."""

import dataclasses
import shutil

import nibabel
import numpy as np
import pytest

from islesnet.data import (
    Case,
    Problem,
    check_cases,
    find_cases,
    require_sound,
    require_sound_datalist,
    write_datalist,
)
from islesnet.errors import InputError

GRID = np.diag([4.0, 4.0, 4.0, 1.0])
SHAPE = (16, 14, 12)


def noise(seed=0, kind=np.float32):
    return np.random.default_rng(seed).normal(100, 20, SHAPE).astype(kind)


def spoilt(value, count=3):
    array = noise()
    array.flat[:count] = value
    return array


def moved(*by):
    affine = GRID.copy()
    affine[:3, 3] = by
    return affine


def mask(value=1.0, count=5, kind=np.float64):
    array = np.zeros(SHAPE, kind)
    array.flat[:count] = value
    return array


def problems_of(case):
    return check_cases([case])


def test_sound_case_has_no_problems(write_case):
    assert problems_of(write_case("1")) == []


def test_what_was_not_fetched_is_an_error_each_and_no_other_file_is_compared_with_it(write_case):
    whole = write_case("1")
    label = dataclasses.replace(whole, sequences={}, lost=("dwi", "flair"))
    problems = problems_of(dataclasses.replace(whole, label=None, lost=("label",))) + problems_of(label)

    told = "is a link to a file that is not there (not fetched yet?)"
    assert [problem.message for problem in problems] == [f"{role}: {told}" for role in ("LABEL", "DWI", "FLAIR")]
    assert {problem.severity for problem in problems} == {"error"}


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (spoilt(np.nan), "3 voxels are NaN, of 2,688; every voxel must be a number"),
        (spoilt(-np.inf, 2), "2 voxels are infinite, of 2,688"),
        (np.full(SHAPE, 7, np.int16), "every voxel is 7: the image is empty"),
        (np.stack([noise(), noise()], axis=-1), "is 4D and holds 2 volumes"),
    ],
)
def test_defective_values_of_a_sequence_are_errors(write_volume, array, message):
    (problem,) = problems_of(Case("1", {"dwi": write_volume("dwi.nii.gz", array)}))
    assert (problem.severity, problem.patient, problem.file.name) == ("error", "1", "dwi.nii.gz")
    assert message in problem.message


@pytest.mark.parametrize(
    ("array", "severity", "message"),
    [
        (mask(0.9999999998), None, ""),
        (mask(1, kind=np.uint16), None, ""),
        (mask(1, kind=np.int32), None, ""),
        (mask(2), "error", "not a mask: 5 voxels are neither 0 nor 1 but 2; right is 0 and 1"),
        (mask(255, kind=np.uint8), "warning", "lesion is 255, not 1; it is taken as a mask"),
        (mask(-(2**15), kind=np.int16), "error", "but -32768"),
        (mask(0.5), "error", "but 0.5"),
        (mask(0), "warning", "the label is empty"),
        (np.ones(SHAPE, np.uint8), "error", "marks every voxel"),
        (spoilt(np.nan), "error", "3 voxels are NaN"),
    ],
)
def test_values_of_a_label(write_volume, array, severity, message):
    case = Case("1", {"dwi": write_volume("dwi.nii.gz")}, write_volume("label.nii.gz", array))
    problems = problems_of(case)
    assert [problem.severity for problem in problems] == ([severity] if severity else [])
    assert all(message in problem.message for problem in problems)


@pytest.mark.parametrize(
    ("affine", "severity", "message"),
    [
        (moved(9e-4, 0, 0), None, ""),
        (moved(0.01, 0, 0), "warning", "up to 0.01 mm from the grid of the dwi: nearly the same grid"),
        (moved(2.5, 0, 0), "error", "up to 2.5 mm from the grid of the dwi; resample"),
    ],
)
def test_label_beside_the_grid_of_the_reference(write_volume, affine, severity, message):
    case = Case("1", {"dwi": write_volume("dwi.nii")}, write_volume("label.nii", mask(), affine))
    problems = problems_of(case)
    assert [problem.severity for problem in problems] == ([severity] if severity else [])
    assert all(message in problem.message for problem in problems)


def test_label_of_another_size_is_an_error(write_volume):
    label = np.zeros((16, 14, 11), np.uint8)
    label[3:5] = 1
    case = Case("1", {"dwi": write_volume("dwi.nii")}, write_volume("label.nii", label))
    (problem,) = problems_of(case)
    assert "the label has 16 x 14 x 11 voxels, the dwi 16 x 14 x 12" in problem.message


@pytest.mark.parametrize(
    ("affine", "severity", "message"),
    [
        (moved(9e-4, 0, 0), None, ""),
        (moved(0.5, 0, 0), "warning", "nearly the same grid as the dwi: same size, up to 0.5 mm apart"),
        (moved(8, 0, 0), None, ""),
        (moved(40, 0, 0), "warning", "covers only 38% of the field of view of the dwi"),
        (moved(300, 0, 0), "error", "do not overlap (centres 300 mm apart)"),
    ],
)
def test_grids_of_sequences_may_differ_but_show_one_head(write_volume, affine, severity, message):
    case = Case("1", {"dwi": write_volume("dwi.nii"), "t1": write_volume("t1.nii", affine=affine)})
    problems = problems_of(case)
    assert [problem.severity for problem in problems] == ([severity] if severity else [])
    assert all(message in problem.message for problem in problems)


def test_sequence_with_thick_slices_on_its_own_grid_is_legal(write_volume):
    thick = write_volume("t1.nii", noise()[:, :, :6], np.diag([4.0, 4.0, 8.0, 1.0]))
    assert problems_of(Case("1", {"dwi": write_volume("dwi.nii"), "t1": thick})) == []


@pytest.mark.parametrize(
    ("affine", "message"),
    [
        (np.array([[4, 0, 2, 0], [0, 4, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1.0]]), "sheared by 26.57 degrees"),
        (np.array([[4, 4, 0, 0], [0, 0.01, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1.0]]), "the affine is singular"),
        (np.diag([0, 4.0, 4, 1]), "voxels of 0 x 4 x 4 mm; a head scan has 0.05 to 20"),
        (np.diag([400, 4.0, 4, 1]), "voxels of 400 x 4 x 4 mm"),
        (np.diag([4, 4, np.nan, 1]), "the affine holds NaN"),
    ],
)
def test_grid_that_is_no_grid_is_an_error(write_volume, affine, message):
    path = write_volume("dwi.nii")
    content = bytearray(path.read_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    header.set_sform(affine, code=1)
    header["qform_code"] = 0
    header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    path.write_bytes(header.binaryblock + content[348:])
    (problem,) = problems_of(Case("1", {"dwi": path}))
    assert problem.severity == "error"
    assert message in problem.message


def test_field_of_view_that_would_fill_the_memory_is_an_error(write_volume):
    path = write_volume("dwi.nii", np.indices((64, 9, 9))[2].astype(np.uint8), np.diag([19.0, 19, 19, 1]))
    (problem,) = problems_of(Case("1", {"dwi": path}))
    assert problem.message.startswith("a field of view of 1.22e+03 x 171 x 171 mm; a head scan has at most 1000")


def test_what_a_header_says_twice_must_agree(tmp_path):
    image = nibabel.Nifti1Image(noise(), GRID)
    image.set_qform(moved(0, 3, 0), code=1)
    image.set_sform(GRID, code=2)
    image.header["pixdim"][3] = 3.0
    nibabel.save(image, tmp_path / "t1.nii")
    told = [problem.message for problem in problems_of(Case("1", {"t1": tmp_path / "t1.nii"}))]
    assert len(told) == 2
    assert told[0].startswith("qform and sform disagree by 3 ")
    assert told[1] == "the voxel size is stated as 4 x 4 x 3 mm, but the affine says 4 x 4 x 4"


def test_codes_may_differ_where_the_affines_agree(tmp_path):
    image = nibabel.Nifti1Image(noise(), GRID)
    image.set_qform(GRID, code=2)
    image.set_sform(GRID, code=1)
    nibabel.save(image, tmp_path / "t1.nii")
    assert problems_of(Case("1", {"t1": tmp_path / "t1.nii"})) == []


def test_file_without_orientation_gives_a_warning(tmp_path):
    image = nibabel.Nifti1Image(noise(), None)
    image.header["pixdim"][1:4] = 4
    nibabel.save(image, tmp_path / "t1.nii")
    (problem,) = problems_of(Case("1", {"t1": tmp_path / "t1.nii"}))
    assert (problem.severity, "left may be right" in problem.message) == ("warning", True)


@pytest.mark.parametrize(
    ("shape", "spacing", "severity", "message"),
    [
        ((4, 4, 20), 4.0, "error", "4 x 4 x 20 voxels are no head scan"),
        ((16, 14, 12), 1.0, "warning", "is only 16 x 14 x 12 mm large"),
        ((64, 64, 1), 4.0, None, ""),
    ],
)
def test_tiny_volumes(write_volume, shape, spacing, severity, message):
    array = np.random.default_rng(0).normal(size=shape)
    problems = problems_of(Case("1", {"t1": write_volume("t1.nii", array, np.diag([spacing] * 3 + [1]))}))
    assert [problem.severity for problem in problems] == ([severity] if severity else [])
    assert all(message in problem.message for problem in problems)


def test_unreadable_reference_does_not_hide_the_other_problems(write_volume):
    case = Case(
        "1", {"dwi": write_volume("dwi.nii").with_name("gone.nii"), "t1": write_volume("t1.nii", spoilt(np.nan))}
    )
    assert [problem.message[:14] for problem in problems_of(case)] == ["does not exist", "3 voxels are N"]


def test_one_scan_under_two_names_is_an_error(write_case, tmp_path):
    first, second = write_case("1"), write_case("2")
    unpacked = nibabel.load(first.sequences["dwi"])
    nibabel.save(unpacked, tmp_path / "2" / "copy.nii")  # other bytes in the file, the same voxels
    copied = dataclasses.replace(second, sequences={"dwi": tmp_path / "2" / "copy.nii"})
    (problem,) = check_cases([first, copied])
    assert (problem.severity, problem.patient, problem.file.name) == ("error", "2", "copy.nii")
    assert f"the same voxels as {first.sequences['dwi']} of patient 1" in problem.message


def test_one_scan_given_as_two_sequences_is_a_warning(write_case):
    case = write_case("1")
    shutil.copy(case.sequences["dwi"], case.sequences["flair"])
    (problem,) = check_cases([case])
    assert (problem.severity, "one scan given as two sequences" in problem.message) == ("warning", True)


def test_one_file_given_twice_is_noticed(write_volume):
    path = write_volume("scan.nii")
    assert [problem.severity for problem in check_cases([Case("1", {"dwi": path, "t1": path})])] == ["warning"]
    assert [problem.severity for problem in check_cases([Case("1", {"dwi": path}), Case("2", {"dwi": path})])] == [
        "error"
    ]


def test_equal_labels_are_no_leak(write_case):
    assert check_cases([write_case("1"), write_case("2")]) == []


def test_one_name_for_two_patients_is_an_error(write_case):
    twins = [write_case("1"), dataclasses.replace(write_case("2"), patient="1")]
    (problem,) = check_cases(twins)
    assert (problem.severity, problem.file) == ("error", None)
    assert "the name comes 2 times" in problem.message


def test_progress_is_told_after_each_case(write_case):
    told = []
    check_cases([write_case(str(number)) for number in range(3)], lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_problems_come_in_the_order_of_the_cases(write_case):
    cases = [write_case(str(number), lesion_voxels=0) for number in range(6)]
    assert [problem.patient for problem in check_cases(cases)] == list("012345")


def test_require_sound_lists_all_errors_and_logs_warnings(write_case, write_volume, caplog):
    cases = [
        write_case("1", lesion_voxels=0),
        Case("2", {"dwi": write_volume("2.nii", spoilt(np.nan))}),
        Case("3", {"dwi": write_volume("3.nii", np.zeros(SHAPE))}),
    ]
    with pytest.raises(InputError, match="2 errors in 3 cases") as caught:
        require_sound(cases)
    for told in ("patient 2", "2.nii", "3 voxels are NaN", "patient 3", "every voxel is 0"):
        assert told in str(caught.value)
    assert "the label is empty" in caplog.text
    require_sound(cases[:1])


def test_of_a_single_case_the_file_alone_is_named_because_whoever_asks_knows_the_patient(write_volume):
    file = write_volume("3.nii", np.zeros(SHAPE))

    with pytest.raises(InputError) as caught:
        require_sound([Case("3", {"dwi": file})])

    assert str(caught.value).startswith(f"{file}: ")


@pytest.mark.parametrize(("lacking", "why"), [("training", "nothing to train on"), ("validation", "no weights would")])
def test_datalist_without_anybody_to_train_or_validate_on_is_refused(write_case, tmp_path, lacking, why):
    sections = {"training": [write_case("1")], "validation": [write_case("2")], "test": []}
    sections[lacking] = []
    write_datalist(tmp_path / "datalist.json", sections, tmp_path, {})

    with pytest.raises(InputError, match=f"the section '{lacking}' has no patient, so .*{why}"):
        require_sound_datalist(tmp_path / "datalist.json")


@pytest.mark.parametrize(
    ("validated", "said"),
    [
        ("a", ["the best epoch is chosen by 1 validation patient alone, so largely by chance"]),
        ("ab", ["the best epoch is chosen by 2 validation patients alone, so largely by chance"]),
        ("abc", []),
    ],
)
def test_few_patients_to_validate_on_are_warned_of(validated, said, write_case, tmp_path, caplog):
    sections = {"training": [write_case("1")], "validation": [write_case(patient) for patient in validated]}
    write_datalist(tmp_path / "datalist.json", sections, tmp_path, {})

    require_sound_datalist(tmp_path / "datalist.json")

    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [told.partition(": ")[2].partition(";")[0] for told in warnings] == said


def test_fewer_patients_to_validate_on_than_processes_are_refused_before_any_is_read(write_case, tmp_path, caplog):
    sections = {"training": [write_case("1")], "validation": [write_case("a"), write_case("b")]}
    write_datalist(tmp_path / "datalist.json", sections, tmp_path, {})
    require_sound_datalist(tmp_path / "datalist.json", processes=2)
    caplog.clear()
    next(iter(sections["training"][0].files.values())).write_bytes(b"")

    with pytest.raises(InputError) as caught:
        require_sound_datalist(tmp_path / "datalist.json", processes=3)

    assert "datalist.json: 2 validation patients cannot be shared by 3 processes" in str(caught.value)
    assert "start 2 at most (--nproc_per_node=2), or take more patients" in str(caught.value)
    assert caplog.messages == []


def test_problem_is_said_in_one_line(tmp_path):
    problem = Problem("7", tmp_path / "dwi.nii", "is empty", "error")
    assert str(problem) == f"error: patient 7 ({tmp_path / 'dwi.nii'}): is empty"


def test_real_patients_are_sound(real_data):
    assert check_cases(find_cases(real_data)) == []


def test_real_sheared_scan_is_an_error_with_its_angle(real_data):
    problems = problems_of(Case("1", {"t1": real_data / "orientations" / "shear.nii.gz"}))
    (error,) = [problem.message for problem in problems if problem.severity == "error"]
    assert "sheared by 16.75 degrees" in error
    assert any("qform and sform disagree" in problem.message for problem in problems)
