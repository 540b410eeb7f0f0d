import numpy as np
import pytest

from islesnet.phantom.artefacts import Scan, acquire, add_rician_noise, draw_scan, pile_up, share_in_voxels
from islesnet.phantom.fields import draw_control_grid, evaluate_spline, evaluate_unit_field, resample_axis
from islesnet.phantom.settings import PhantomSettings


def still(voxel_mm) -> Scan:
    return Scan(voxel_mm=voxel_mm, noise=0, bias=0, brightness=100)


def test_acquiring_at_the_grid_without_noise_changes_nothing():
    image = np.random.default_rng(0).uniform(1, 2, (6, 5, 4)).astype(np.float32)

    np.testing.assert_allclose(acquire(np.random.default_rng(0), image, 1.0, still((0.8, 0.8, 1.0))), image, rtol=1e-6)


@pytest.mark.parametrize("thickness", [3.0, 4.0, 5.0])
def test_thick_slice_spreads_a_thin_plane_about_its_place_and_keeps_its_sum(thickness):
    image = np.full((2, 2, 60), 1e-9, dtype=np.float32)
    image[:, :, 24:36] = 1

    thick = acquire(np.random.default_rng(0), image, 1.0, still((1.0, 1.0, thickness)))[0, 0]

    assert thick.shape == (60,)
    assert thick.sum() == pytest.approx(12, rel=0.15)
    assert (thick * np.arange(60)).sum() / thick.sum() == pytest.approx(29.5, abs=1)
    assert 0 < thick[23] < 1 or 0 < thick[36] < 1


def test_rician_noise_has_the_known_mean_without_signal_and_with_much():
    rng = np.random.default_rng(0)

    # Rayleigh mean sigma sqrt(pi/2); at high signal the mean is sqrt(A^2 + sigma^2).
    assert add_rician_noise(rng, np.zeros((50, 50, 50)), 2.0).mean() == pytest.approx(2 * np.sqrt(np.pi / 2), rel=0.01)
    assert add_rician_noise(rng, np.full((50, 50, 50), 20.0), 2.0).mean() == pytest.approx(np.sqrt(404), rel=0.01)


def test_thick_slices_come_as_often_as_asked():
    def thick_scans(probability):
        settings = PhantomSettings(thick_slices_probability=probability)
        scans = [draw_scan(np.random.default_rng(seed), "flair", settings) for seed in range(20)]
        return sum(scan.voxel_mm[2] >= 3 for scan in scans)

    assert thick_scans(0) == 0
    assert thick_scans(1) == 20
    assert 4 <= thick_scans(0.5) <= 16


def test_pile_up_brightens_its_place_and_leaves_the_vertex_alone():
    places = np.array([[0, 62, -12], [0, -20, 80]], dtype=np.float32).T

    np.testing.assert_allclose(pile_up(places, (0.5, 0, 0)), [1.5, 1.0], atol=1e-4)


def test_spline_of_equal_control_values_is_that_value_everywhere():
    control = np.full_like(draw_control_grid(np.random.default_rng(0), (20, 30, 40), 10), 3.0)

    field = evaluate_spline(control, [np.linspace(0, extent, 7) for extent in (20, 30, 40)], 10)

    assert field.shape == (7, 7, 7)
    np.testing.assert_allclose(field, 3, rtol=1e-6)


def test_spline_weights_at_a_control_point_are_one_four_one_sixths():
    control = np.zeros((5, 5, 5), dtype=np.float32)
    control[:, :, 1] = 6.0

    along_z = evaluate_spline(control, [np.zeros(1), np.zeros(1), np.array([0.0, 10.0])], 10)[0, 0]

    np.testing.assert_allclose(along_z, [4, 1], rtol=1e-5)


def test_unit_field_has_unit_variance():
    positions = [np.linspace(0, 100, 50)] * 3

    field = evaluate_unit_field(draw_control_grid(np.random.default_rng(0), (100, 100, 100), 5.0), positions, 5.0)

    assert field.std() == pytest.approx(1, abs=0.05)


def test_resampling_interpolates_and_holds_the_ends():
    line = np.array([0, 10, 20], dtype=np.float32).reshape(3, 1, 1)

    np.testing.assert_allclose(resample_axis(line, np.array([-1, 0.5, 1.25, 9]), 0)[:, 0, 0], [0, 5, 12.5, 20])


def test_what_is_thinner_than_a_slice_fills_only_a_share_of_its_voxels():
    share = np.zeros((24, 24, 24), dtype=np.float32)
    share[4:6, 4:6, 12:14] = 1  # 2 mm
    share[12:20, 12:20, 4:20] = 1  # 8 x 8 x 16 mm

    seen = share_in_voxels(share, 1.0, still((1.0, 1.0, 6.0)))

    assert 0.1 < seen[:8, :8].max() < 0.5
    assert seen[12:20, 12:20, 9:15].min() > 0.95
    assert seen.min() >= 0
