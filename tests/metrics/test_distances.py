import math
import time

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from islesnet.metrics import SurfaceDistances, distances, surface_distances

ANISOTROPIC = (1.0, 2.0, 5.0)


def box(*corners, shape=(12, 10, 8)):
    """Mark a box given by a slice an axis."""
    mask = np.zeros(shape, bool)
    mask[corners] = True
    return mask


def voxel(*index, shape=(12, 10, 8)):
    return box(*(slice(i, i + 1) for i in index), shape=shape)


def blobs(seed, shape=(14, 12, 9), share=0.3):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(2, *shape)), (0, 1.2, 1.2, 1.2))
    return noise > np.quantile(noise, 1 - share)


def surface(mask):
    """Voxels with one of six neighbours outside the mask, found by shifting a padded copy."""
    padded = np.pad(mask, 1)
    inside = [np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1] for axis in range(3) for step in (-1, 1)]
    return mask & ~np.all(inside, axis=0)


def distances_of_both_directions(marked, lesion, spacing):
    """Every voxel of each surface against every voxel of the other."""
    table = cdist(*(np.argwhere(surface(mask)) * np.array(spacing) for mask in (marked, lesion)))
    return np.concatenate([table.min(axis=1), table.min(axis=0)])


def test_hand_checked_distances_of_voxels():
    # One voxel, and that with another 3 steps of 2 mm on: 0 there, 0 and 6 mm back.
    one, two = voxel(2, 2, 2), voxel(2, 2, 2) | voxel(2, 5, 2)
    distances = surface_distances(one, two, ANISOTROPIC)
    assert distances.hd == pytest.approx(6.0)
    assert distances.hd95 == pytest.approx(5.4)  # linear between the ranks of 0, 0 and 6
    assert distances.assd == pytest.approx(2.0)


@pytest.mark.parametrize(("step", "mm"), [((3, 0, 0), 3.0), ((0, 3, 0), 6.0), ((0, 0, 3), 15.0), ((2, 1, 1), 33**0.5)])
def test_distance_is_in_mm_along_each_axis(step, mm):
    distances = surface_distances(voxel(2, 2, 2), voxel(*np.add(2, step)), ANISOTROPIC)
    assert (distances.hd, distances.hd95, distances.assd) == pytest.approx((mm, mm, mm))


def test_equal_masks_lie_nowhere_apart():
    mask = box(slice(2, 9), slice(1, 7), slice(2, 6))
    assert surface_distances(mask, mask, ANISOTROPIC) == SurfaceDistances(0.0, 0.0, 0.0)


def test_only_the_surface_counts():
    # Of a cube of 5^3 and its core of one voxel, 98 surface voxels look at the core and the core at the surface.
    cube, core = box(*[slice(1, 6)] * 3), voxel(3, 3, 3)
    distances = surface_distances(cube, core, (1, 1, 1))
    assert distances.hd == pytest.approx(12**0.5)
    assert distances.assd == pytest.approx(distances_of_both_directions(cube, core, (1, 1, 1)).mean())
    assert len(distances_of_both_directions(cube, core, (1, 1, 1))) == 98 + 1


def test_beyond_the_grid_is_background():
    # A full grid has a surface all around it: the middle voxel is 1, 2 and 3 voxels from the nearest sides.
    full, middle = np.ones((3, 5, 7), bool), voxel(1, 2, 3, shape=(3, 5, 7))
    assert surface_distances(full, middle, (1, 1, 1)).hd == pytest.approx(14**0.5)
    assert surface_distances(full, full, (1, 1, 1)).hd == 0.0


def test_lesion_at_the_edge_of_the_grid_is_measured_as_one_in_the_middle():
    marked, lesion = blobs(3)
    marked[0], lesion[:, :, -1] = True, True
    wide = surface_distances(np.pad(marked, 4), np.pad(lesion, 4), ANISOTROPIC)
    assert surface_distances(marked, lesion, ANISOTROPIC) == wide


@pytest.mark.parametrize("spacing", [(1, 1, 1), ANISOTROPIC, (0.9, 0.9, 6.5)])
@pytest.mark.parametrize("seed", range(4))
def test_distances_are_those_of_every_voxel_against_every_other(spacing, seed):
    marked, lesion = blobs(seed)
    expected = distances_of_both_directions(marked, lesion, spacing)
    distances = surface_distances(marked, lesion, spacing)
    assert distances.hd == pytest.approx(expected.max(), abs=1e-9)
    assert distances.hd95 == pytest.approx(np.percentile(expected, 95), abs=1e-9)
    assert distances.assd == pytest.approx(expected.mean(), abs=1e-9)


def test_distances_of_many_specks_are_those_of_a_tree():
    specks = np.random.default_rng(0).random((2, 60, 50, 20)) < 0.05
    one, other = (np.argwhere(mask) * ANISOTROPIC for mask in (surface(specks[0]), surface(specks[1])))
    expected = np.concatenate([KDTree(other).query(one)[0], KDTree(one).query(other)[0]])
    distances = surface_distances(*specks, ANISOTROPIC)
    assert distances.hd == pytest.approx(expected.max(), abs=1e-9)
    assert distances.assd == pytest.approx(expected.mean(), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_transform_of_dense_masks_gives_what_the_tree_gives(seed, monkeypatch):
    marked, lesion = blobs(seed)
    by_tree = surface_distances(marked, lesion, ANISOTROPIC)
    monkeypatch.setattr(distances, "_PAIRS_A_VOXEL", 0)
    by_transform = surface_distances(marked, lesion, ANISOTROPIC)
    assert (by_tree.hd, by_tree.hd95, by_tree.assd) == pytest.approx(
        (by_transform.hd, by_transform.hd95, by_transform.assd), abs=1e-9
    )


def test_lesions_with_a_voxel_in_opposite_corners_of_a_large_head_take_less_than_two_seconds():
    # The box is then the whole head.
    shape = (230, 230, 154)
    marked, lesion = box(*[slice(60, 100)] * 3, shape=shape), box(*[slice(64, 104)] * 3, shape=shape)
    marked[0, 0, 0] = lesion[-1, -1, -1] = True
    began = time.process_time()
    farthest = surface_distances(marked, lesion, (1, 1, 1)).hd
    assert time.process_time() - began < 2.0
    assert farthest == pytest.approx(math.dist((99, 99, 99), (229, 229, 153)))


def test_both_directions_count():
    # Every marked voxel lies on the lesion, but a far part of the lesion is missed.
    marked, lesion = voxel(2, 2, 2), voxel(2, 2, 2) | voxel(11, 2, 2)
    assert surface_distances(marked, lesion, (1, 1, 1)).hd == surface_distances(lesion, marked, (1, 1, 1)).hd == 9.0


@pytest.mark.parametrize("seed", range(3))
def test_mask_and_truth_may_change_places(seed):
    marked, lesion = blobs(seed)
    there, back = surface_distances(marked, lesion, ANISOTROPIC), surface_distances(lesion, marked, ANISOTROPIC)
    assert (there.hd, there.hd95, there.assd) == pytest.approx((back.hd, back.hd95, back.assd))


def test_two_empty_masks_lie_nowhere_apart():
    assert surface_distances(*np.zeros((2, 4, 4, 4), bool), ANISOTROPIC) == SurfaceDistances(0.0, 0.0, 0.0)


@pytest.mark.parametrize("missed", [True, False])
def test_an_empty_mask_is_as_far_as_the_image_is_wide(missed):
    masks = [np.zeros((12, 10, 8), bool), voxel(2, 2, 2)]
    diagonal = math.sqrt(12**2 + 20**2 + 40**2)
    distances = surface_distances(*(masks if missed else masks[::-1]), ANISOTROPIC)
    assert distances == SurfaceDistances(diagonal, diagonal, diagonal)


def test_no_two_masks_are_farther_apart_than_an_empty_one():
    ends = surface_distances(voxel(0, 0, 0), voxel(11, 9, 7), ANISOTROPIC)
    assert ends.hd < surface_distances(voxel(0, 0, 0), box(slice(0)), ANISOTROPIC).hd


def test_masks_are_left_as_they_were():
    masks = blobs(0)
    before = masks.copy()
    surface_distances(*masks, ANISOTROPIC)
    assert np.array_equal(masks, before)
