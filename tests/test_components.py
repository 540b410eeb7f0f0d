import itertools

import numpy as np
import pytest
from scipy import ndimage

from islesnet.components import fill_slices, label_lesions


def test_lesions_are_numbered_from_1_on_a_background_of_0():
    mask = np.zeros((5, 5, 5), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[4, 4, 4] = True
    lesions, count = label_lesions(mask)
    assert count == 2
    assert lesions[0, 0, 0] == lesions[1, 1, 1] == 1
    assert lesions[4, 4, 4] == 2
    assert lesions[2, 2, 2] == 0
    assert lesions.shape == mask.shape


@pytest.mark.parametrize("step", [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)])
def test_voxels_that_share_a_face_an_edge_or_a_corner_are_one_lesion(step):
    mask = np.zeros((3, 3, 3), bool)
    mask[1, 1, 1] = mask[tuple(np.add(1, step))] = True
    assert label_lesions(mask)[1] == 1


def test_voxels_with_one_between_them_are_two_lesions():
    mask = np.zeros((5, 3, 3), bool)
    mask[0, 1, 1] = mask[2, 1, 1] = True
    assert label_lesions(mask)[1] == 2


def test_lesions_on_opposite_edges_of_the_grid_do_not_meet():
    mask = np.zeros((4, 4, 4), bool)
    mask[0], mask[-1] = True, True
    assert label_lesions(mask)[1] == 2


@pytest.mark.parametrize(("mask", "count"), [(np.zeros((3, 4, 5), bool), 0), (np.ones((3, 4, 5), bool), 1)])
def test_empty_mask_has_no_lesion_and_a_full_one_has_one(mask, count):
    lesions, found = label_lesions(mask)
    assert found == count
    assert np.all(lesions == count)


def test_mask_is_left_as_it_was():
    mask = np.eye(4, dtype=bool)[None].repeat(3, axis=0)
    before = mask.copy()
    label_lesions(mask)
    assert np.array_equal(mask, before)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.6, 0.8, 1.0])
def test_holes_of_slices_are_filled_as_scipy_fills_each(axis, share):
    mask = np.random.default_rng(0).random((6, 9, 12)) < share

    filled = fill_slices(mask, axis)

    for own, plane in zip(np.moveaxis(filled, axis, 0), np.moveaxis(mask, axis, 0), strict=True):
        assert np.array_equal(own, ndimage.binary_fill_holes(plane))


def test_hole_that_meets_an_opening_at_a_corner_alone_is_filled():
    mask = np.ones((1, 4, 4), bool)
    mask[0, 2, 2] = mask[0, 3, 3] = False

    filled = fill_slices(mask)[0]

    assert filled[2, 2]
    assert not filled[3, 3]
