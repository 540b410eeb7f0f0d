import numpy as np
import pytest

from islesnet.phantom.anatomy import make_anatomy
from islesnet.phantom.build import MOST_SHIFT_MM
from islesnet.phantom.distortion import distort, draw_shift
from islesnet.phantom.ranges import WIDE


@pytest.fixture(scope="module")
def anatomy():
    return make_anatomy(np.random.default_rng(3), 4.0, True)


def test_no_signal_is_lost_and_an_even_shift_moves_it(anatomy):
    image = np.zeros((4, 20, 4), dtype=np.float32)
    image[1:3, 6:9, 1:3] = np.random.default_rng(0).uniform(1, 2, (2, 3, 2))

    moved = distort(image, np.full(image.shape, 4.0, dtype=np.float32), spacing_mm=2.0)

    assert moved.sum() == pytest.approx(image.sum(), rel=1e-5)
    centres = [(values.sum(axis=(0, 2)) * np.arange(20)).sum() / values.sum() for values in (image, moved)]
    assert centres[1] - centres[0] == pytest.approx(2.0, abs=1e-3)


def test_what_leaves_the_image_does_not_pile_up_at_its_end():
    moved = distort(np.ones((1, 20, 1), dtype=np.float32), np.full((1, 20, 1), 5.0, dtype=np.float32), spacing_mm=1.0)

    assert moved[0, :4, 0] == pytest.approx(0, abs=1e-5) and moved[0, 6:, 0] == pytest.approx(1, abs=1e-5)
    assert moved.sum() == pytest.approx(15, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_distorted_scan_of_a_stripped_brain_ends_within_its_box(seed):
    anatomy = make_anatomy(np.random.default_rng(seed), 4.0, True, WIDE)
    shift = np.full(anatomy.inside.shape, MOST_SHIFT_MM * (-1) ** seed, dtype=np.float32)

    moved = distort(anatomy.spread(anatomy.brain.astype(np.float32)), shift, spacing_mm=4.0)

    assert moved.sum() == pytest.approx(anatomy.brain.sum(), rel=1e-4)


def test_signal_piles_up_where_it_is_pushed_together_and_thins_where_it_is_pulled_apart():
    image = np.ones((1, 60, 1), dtype=np.float32)
    shift = np.interp(np.arange(60), [0, 20, 40, 60], [0, 10, 0, 0])[None, :, None].astype(np.float32)

    moved = distort(image, shift, spacing_mm=1.0)[0, :, 0]

    assert moved[12:26] == pytest.approx(1 / 1.5, abs=0.02)
    assert moved[32:38] == pytest.approx(2.0, abs=0.05)
    assert moved[44:58] == pytest.approx(1.0, abs=0.02)


def test_shift_is_large_at_the_skull_base_and_small_at_the_vertex(anatomy):
    base = (anatomy.mni_mm[2] < -20) & (anatomy.mni_mm[1] > -40) & anatomy.brain
    vertex = (anatomy.mni_mm[2] > 50) & anatomy.brain
    shifts = np.abs([draw_shift(np.random.default_rng(seed), anatomy, WIDE) for seed in range(10)])

    assert shifts[:, base].max() > 5
    assert np.median(shifts[:, base]) > 2 * np.median(shifts[:, vertex])
    assert shifts.max() <= MOST_SHIFT_MM


def test_both_polarities_of_the_phase_encoding_occur(anatomy):
    signs = {np.sign(draw_shift(np.random.default_rng(seed), anatomy, WIDE)[0]) for seed in range(12)}

    assert signs == {-1.0, 1.0}
