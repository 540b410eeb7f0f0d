import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.scanner.rigid import halfway, inverse, mean_distance_mm, move_header, rotation_degrees, turned

POINTS = np.random.default_rng(0).normal(0, 50, (20, 3))
MOTION = turned(np.array([5.0, -8.0, 3.0]), np.array([10.0, 20.0, 30.0]), np.array([4.0, -6.0, 2.0]))


def test_inverse_undoes_a_transform():
    both = sitk.CompositeTransform([MOTION, inverse(MOTION)])
    assert mean_distance_mm(both, sitk.Transform(), POINTS) == pytest.approx(0, abs=1e-9)


def test_rotation_is_measured_in_degrees():
    assert rotation_degrees(MOTION) == pytest.approx(np.linalg.norm([5, -8, 3]))


def test_halfway_lies_as_far_from_either():
    stay = sitk.Euler3DTransform()
    middle = halfway(stay, MOTION, POINTS.mean(axis=0))
    assert rotation_degrees(middle) == pytest.approx(rotation_degrees(MOTION) / 2)
    to_either = [mean_distance_mm(middle, other, POINTS) for other in (stay, MOTION)]
    assert to_either[0] == pytest.approx(to_either[1], rel=0.05)


def test_moved_header_shows_at_a_place_what_the_transform_finds_there():
    image = sitk.GaussianSource(sitk.sitkFloat32, [24, 20, 16], [6, 5, 4], [30, 28, 25], 100.0, [3.0, 3.0, 4.0])
    moved = move_header(image, MOTION)
    grid = sitk.Image(image)
    straight = sitk.Resample(image, grid, MOTION)
    by_header = sitk.Resample(moved, grid)
    assert np.array_equal(sitk.GetArrayFromImage(moved), sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(sitk.GetArrayFromImage(by_header), sitk.GetArrayFromImage(straight), atol=1e-3)
