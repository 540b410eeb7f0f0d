import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy.spatial.transform import Rotation

from islesnet.errors import InputError
from islesnet.scanner import affine_of, image_of, mask_on, resample
from islesnet.scanner.rigid import inverse, move_header, turned

CENTRE_MM, RADII_MM = np.array([3.0, -4.0, 2.0]), np.array([17.0, 13.0, 15.0])


def grid(spacing, size, turn=(0, 0, 0), flips=(1, 1, 1), shift=(0, 0, 0)):
    """Make an empty image around the ellipsoid's centre, RAS+ affine."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_rotvec(turn, degrees=True).as_matrix() @ np.diag(np.array(spacing) * flips)
    affine[:3, 3] = CENTRE_MM + shift - affine[:3, :3] @ ((np.array(size) - 1) / 2)
    return image_of(np.zeros(size, np.uint8), affine)


def distance_outside(image):
    """Give about how many mm each voxel's centre lies outside the ellipsoid, ``(X, Y, Z)``."""
    affine = affine_of(image)
    places = np.indices(image.GetSize()).reshape(3, -1).T @ affine[:3, :3].T + affine[:3, 3] - CENTRE_MM
    reach = np.linalg.norm(places / RADII_MM, axis=1)
    gradient = np.linalg.norm(places / RADII_MM**2, axis=1) / np.maximum(reach, 1e-9)
    return ((reach - 1) / np.maximum(gradient, 1e-9)).reshape(image.GetSize())


GRIDS = {
    "oblique": grid((1.5, 1.5, 1.5), (40, 40, 40), turn=(12, -9, 15)),
    "anisotropic": grid((0.9, 0.9, 5.0), (60, 60, 12), turn=(18, 4, 0)),
    "flipped": grid((1.8, 1.8, 4.0), (34, 34, 14), flips=(-1, 1, -1)),
    "cropped": grid((1.0, 1.0, 2.0), (24, 50, 30), shift=(8, 0, 0)),
    "coarse": grid((3.0, 3.0, 3.0), (20, 20, 20), turn=(0, 0, 20)),
}


@pytest.mark.parametrize("name", [name for name in GRIDS if name != "cropped"])
def test_volume_of_a_mask_drawn_at_1_mm_is_kept_on_any_grid(name):
    fine = grid((1, 1, 1), (60, 60, 60))
    mask = sitk.GetImageFromArray((distance_outside(fine) < 0).T.astype(np.float32))
    mask.CopyInformation(fine)
    there = sitk.GetArrayFromImage(mask_on(GRIDS[name], mask)).sum() * np.prod(GRIDS[name].GetSpacing())
    assert there == pytest.approx(sitk.GetArrayFromImage(mask).sum(), rel=0.02)


def test_mask_is_carried_to_the_grid_of_a_sequence_that_was_registered():
    motion = turned(np.array([0, 0, 10.0]), np.zeros(3), np.array([5.0, 0, 0]))
    fine = grid((1, 1, 1), (60, 60, 60))
    mask = sitk.GetImageFromArray((distance_outside(fine) < 0).T.astype(np.float32))
    mask.CopyInformation(fine)
    moved = mask_on(grid((1, 1, 1), (80, 80, 60)), mask, inverse(motion))
    found = np.argwhere(sitk.GetArrayFromImage(moved)).mean(axis=0)[::-1]
    lps = CENTRE_MM * [-1, -1, 1]
    assert moved.TransformContinuousIndexToPhysicalPoint(found.tolist()) == pytest.approx(
        motion.TransformPoint(lps.tolist()), abs=0.2
    )


def test_thick_slices_take_the_mean_of_what_they_cover():
    array = np.zeros((4, 4, 10))
    array[..., :5] = 10.0
    fine = image_of(array, np.eye(4))
    thick = image_of(np.zeros((4, 4, 2)), np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 5, 2], [0, 0, 0, 1.0]]))
    assert sitk.GetArrayFromImage(resample(fine, thick))[:, 1, 1] == pytest.approx([10.0, 0.0])


IN_PLANE = {"finer": 0.9, "alike": 1.8, "a little coarser": 2.0, "coarser": 3.6}


@pytest.mark.parametrize("in_plane", IN_PLANE.values(), ids=IN_PLANE)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("is_moved", [False, True])
def test_slices_that_coincide_are_not_mixed(in_plane, order, is_moved):
    array = np.full((60, 60, 12), 0.8)
    array[..., 6] = 0.4
    image = grid((1.8, 1.8, 5.0), array.shape, turn=(12, -9, 15))
    filled = sitk.GetImageFromArray(array.T)
    filled.CopyInformation(image)
    place = sitk.PermuteAxes(grid((in_plane, in_plane, 5.0), (20, 20, 12), turn=(12, -9, 15)), order)
    transform = sitk.Transform()
    if is_moved:
        motion = turned(np.array([40.0, 0, 10.0]), np.zeros(3), np.array([5.0, 0, 0]))
        filled, transform = move_header(filled, motion), inverse(motion)

    there = sitk.GetArrayFromImage(resample(filled, place, transform)).T

    along = np.moveaxis(there, order.index(2), -1)
    assert along[..., 6] == pytest.approx(np.full((20, 20), 0.4), abs=1e-5)
    assert along[..., 5] == pytest.approx(np.full((20, 20), 0.8), abs=1e-5)


def test_tilted_slices_take_the_mean_of_the_pixels_they_cover():
    """A voxel of 5 mm that stands at an angle of 30 degrees on slices of 5 mm crosses five pixels of 0.5 mm."""
    array = np.zeros((81, 81, 9))
    array[::2] = 1.0  # stripes that one pixel alone would show
    fine = grid((0.5, 0.5, 5.0), array.shape)
    filled = sitk.GetImageFromArray(array.T)
    filled.CopyInformation(fine)
    there = sitk.GetArrayFromImage(resample(filled, grid((0.5, 0.5, 5.0), (9, 9, 3), turn=(0, 30, 0))))
    assert there[1] == pytest.approx(np.full((9, 9), 0.5), abs=0.15)


def test_affine_survives_the_way_through_simpleitk():
    affine = affine_of(GRIDS["flipped"])
    assert np.allclose(affine_of(image_of(np.zeros((3, 4, 5)), affine)), affine)


def test_sheared_grid_is_refused_with_its_angle():
    affine = np.eye(4)
    affine[1, 2] = np.tan(np.deg2rad(10))
    with pytest.raises(InputError, match=r"ct.nii lies on a grid that is sheared by 10.0 degrees \(gantry tilt"):
        image_of(np.zeros((3, 3, 3)), affine, "ct.nii")


def test_real_sheared_scan_is_refused(real_data):
    import nibabel

    scan = nibabel.load(real_data / "orientations" / "shear.nii.gz")
    with pytest.raises(InputError, match="sheared by"):
        image_of(np.zeros(scan.shape[:3], np.uint8), scan.affine, "shear.nii.gz")
