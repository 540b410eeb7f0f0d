import numpy as np
import pytest

from islesnet.report.patient.midline import MidsagittalPlane, find_midsagittal_plane
from islesnet.report.patient.volumes import PatientVolumes
from tests.report.patient.heads import CENTRE, at, axial, ball, head, normal_of, patient


def error_of(plane, normal):
    """Degrees between the normals, and mm between the plane and the head's centre."""
    return np.degrees(np.arccos(min(1.0, np.dot(plane.normal, normal)))), abs(plane.distance(CENTRE[None])[0])


def test_mirror_is_across_the_plane_and_distance_grows_to_the_right():
    plane = MidsagittalPlane((1.0, 0.0, 0.0), 2.0)
    points = np.array([[5.0, 1.0, 1.0], [-1.0, 0.0, 0.0]])
    assert plane.distance(points).tolist() == [3, -3]
    assert plane.mirror(points).tolist() == [[-1, 1, 1], [5, 0, 0]]


@pytest.mark.parametrize(("turn", "tilt"), [(0, 0), (12, -8), (-17, 15)])
def test_plane_follows_the_head_not_the_scanner(turn, tilt):
    affine, shape = axial()
    normal = normal_of(turn, tilt)
    plane = find_midsagittal_plane(patient(affine, shape, np.zeros(shape, dtype=bool), normal))
    degrees, distance = error_of(plane, normal)
    assert degrees < 1.5
    assert distance < 1.0


def test_plane_is_found_on_thick_oblique_slices():
    affine, shape = axial((2.0, 3.0, 6.0))
    turn = np.eye(4)
    turn[:3, :3] = [[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 1]]
    oblique = turn @ affine
    # The grid is turned about the head's centre.
    oblique[:3, 3] += CENTRE - (turn @ [*CENTRE, 1])[:3]
    degrees, distance = error_of(
        find_midsagittal_plane(patient(oblique, shape, np.zeros(shape, dtype=bool))), [1, 0, 0]
    )
    assert degrees < 1.5
    assert distance < 1.0


def test_a_large_lesion_does_not_draw_the_plane_to_itself():
    affine, shape = axial()
    mask = ball(affine, shape, at(38, 0, 5), 30)
    degrees, distance = error_of(find_midsagittal_plane(patient(affine, shape, mask)), [1, 0, 0])
    assert degrees < 1.5
    assert distance < 1.0


def test_plane_is_found_from_the_brain_mask_where_the_image_shows_nothing():
    affine, shape = axial()
    normal = normal_of(turn=10)
    brain = head(affine, shape, normal) > 0
    volumes = PatientVolumes(np.zeros(shape), affine, {"dwi": np.ones(shape)}, brain=brain)
    degrees, distance = error_of(find_midsagittal_plane(volumes), normal)
    assert degrees < 3
    assert distance < 1.5


def test_an_empty_image_has_a_plane():
    affine, shape = axial()
    plane = find_midsagittal_plane(PatientVolumes(np.zeros(shape), affine, {"dwi": np.zeros(shape)}))
    assert np.linalg.norm(plane.normal) == pytest.approx(1)
