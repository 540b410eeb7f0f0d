import numpy as np
import pytest
from scipy import ndimage

from islesnet.phantom.motion import blur_and_ghost, cut_field_of_view, draw_cut, draw_misregistration, move, sharpen
from islesnet.phantom.ranges import SISS_LIKE, WIDE


def blob() -> np.ndarray:
    image = np.zeros((21, 21, 21), dtype=np.float32)
    image[8:13, 8:13, 8:13] = 100
    return image


def test_misregistration_stays_within_its_two_millimetres_and_degrees():
    motions = [draw_misregistration(np.random.default_rng(seed), WIDE) for seed in range(50)]

    assert max(np.linalg.norm(motion[:, 3]) for motion in motions) <= 2
    assert max(abs(motion[:, :3] - np.eye(3)).max() for motion in motions) <= np.deg2rad(1.5)


def test_phantoms_like_siss_are_not_moved():
    assert draw_misregistration(np.random.default_rng(0), SISS_LIKE) is None
    assert draw_cut(np.random.default_rng(0), SISS_LIKE) == (0, 0)


def test_shift_moves_the_centre_by_its_millimetres():
    motion = np.column_stack([np.eye(3), (2.0, 0, -3.0)])

    moved = move(blob(), motion, spacing_mm=2.0)

    np.testing.assert_allclose(ndimage.center_of_mass(moved), (9, 10, 11.5), atol=1e-4)


def test_ghost_is_a_copy_half_a_field_of_view_away():
    ghosts = [blur_and_ghost(np.random.default_rng(seed), blob(), 2.0, WIDE) for seed in range(12)]

    far = [max(ghost[0, 10, 10], ghost[10, 0, 10], ghost[20, 10, 10], ghost[10, 20, 10]) for ghost in ghosts]
    assert 0 < max(far) <= 6.1
    assert min(far) == 0  # not every scan has one


def test_sharpening_overshoots_at_edges_and_leaves_flat_parts():
    flat = np.full((9, 9, 9), 7, dtype=np.float32)

    assert sharpen(blob(), 1.0, 1.5).max() > 110
    np.testing.assert_allclose(sharpen(flat, 1.0, 1.5), flat, rtol=1e-5)


@pytest.mark.parametrize(
    ("missing_mm", "left"), [((6, 0), slice(3, 21)), ((0, 4), slice(0, 19)), ((0, 0), slice(0, 21))]
)
def test_cut_blanks_the_slices_at_the_ends(missing_mm, left):
    cut = cut_field_of_view(np.ones((2, 2, 21), dtype=np.float32), missing_mm, spacing_mm=2.0)

    assert cut[:, :, left].all() and cut.sum() == 4 * (left.stop - left.start)
