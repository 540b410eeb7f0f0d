import numpy as np
import pytest

from islesnet.report.patient.diameter import longest_axial_diameter


def lesion(*parts, shape=(20, 20, 5)):
    mask = np.zeros(shape, dtype=bool)
    for part in parts:
        mask[part] = True
    return mask


def test_one_voxel_has_its_own_diagonal_in_the_slice():
    assert longest_axial_diameter(lesion(np.s_[3, 3, 3]), np.diag([3.0, 4.0, 99.0, 1.0])) == pytest.approx(5)


def test_a_row_of_voxels_is_measured_from_edge_to_edge():
    row = lesion(np.s_[2:12, 5, 1])
    assert longest_axial_diameter(row, np.diag([2.0, 1.0, 5.0, 1.0])) == pytest.approx(np.hypot(20, 1))


def test_slices_are_measured_each_by_itself():
    stairs = lesion(np.s_[2:5, 2, 0], np.s_[5:11, 2, 1], np.s_[11:13, 2, 2])
    assert longest_axial_diameter(stairs, np.eye(4)) == pytest.approx(np.hypot(6, 1))


def test_parts_that_do_not_touch_in_the_slice_are_measured_each_by_itself():
    bridge = lesion(np.s_[0:4, 2, 0], np.s_[9:12, 2, 0], np.s_[0:12, 2, 1])
    assert longest_axial_diameter(bridge[..., :1], np.eye(4)) == pytest.approx(np.hypot(4, 1))
    assert longest_axial_diameter(bridge, np.eye(4)) == pytest.approx(np.hypot(12, 1))


def test_obliquity_changes_nothing_and_shear_is_measured_in_mm():
    square = lesion(np.s_[0:10, 0:10, 0])
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 1.0, 5.0])
    assert longest_axial_diameter(square, affine) == pytest.approx(np.hypot(10, 10))
    sheared = np.eye(4)
    sheared[0, 1] = 1.0  # the corner at (10, 10) lies at (20, 10) mm
    assert longest_axial_diameter(square, sheared) == pytest.approx(np.hypot(20, 10))
