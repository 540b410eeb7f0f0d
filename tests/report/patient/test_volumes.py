import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from islesnet.errors import InputError
from islesnet.report.patient.volumes import PatientVolumes

SHAPE = (4, 5, 6)


def reoriented(volume, affine, codes):
    """A volume and its affine as a file with another order of the axes stores them."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    return nib.apply_orientation(volume, turn), affine @ inv_ornt_aff(turn, volume.shape)


@pytest.mark.parametrize("codes", ["RAS", "LAS", "LPS", "PIR", "SRA", "ASL", "IPL"])
def test_every_order_of_the_axes_is_turned_to_the_same_arrays(codes):
    values = np.random.default_rng(0).random(SHAPE)
    stored, affine = reoriented(values, np.diag([2.0, 3.0, 4.0, 1.0]), codes)
    volumes = PatientVolumes(stored > 0.9, affine, {"dwi": stored})
    assert np.array_equal(volumes.images["dwi"], values)
    assert volumes.spacing == pytest.approx((2, 3, 4))
    assert volumes.affine == pytest.approx(np.diag([2.0, 3.0, 4.0, 1.0]))


@pytest.mark.parametrize(("codes", "number"), [("RAS", 2), ("RAI", 5), ("SRA", 2), ("IPL", 5)])
def test_slices_are_numbered_as_the_file_stores_them(codes, number):
    stored, affine = reoriented(np.zeros(SHAPE), np.eye(4), codes)
    assert PatientVolumes(stored, affine, {"dwi": stored}).slice_number(1) == number


def test_lesions_are_numbered_from_the_largest():
    mask = np.zeros(SHAPE)
    mask[0, 0, 0] = mask[3, 2:5, 3] = 1
    labels, count = PatientVolumes(mask, np.eye(4), {"dwi": mask}).lesions
    assert count == 2
    assert labels[3, 3, 3] == 1
    assert labels[0, 0, 0] == 2


def test_a_mask_whose_one_is_stored_a_little_less_is_a_mask():
    mask = np.full(SHAPE, 0.9999999998)
    assert PatientVolumes(mask, np.eye(4), {"dwi": mask}).mask.all()


def test_without_a_brain_mask_whatever_is_not_dark_counts_and_holes_are_filled():
    image = np.full((9, 9, 3), -0.005)
    image[1:8, 1:8] = 100.0
    image[4, 4] = 0.0
    brain = PatientVolumes(np.zeros(image.shape), np.eye(4), {"dwi": image}).brain
    assert brain.sum() == 7 * 7 * 3
    assert brain[4, 4, 1]


def test_voxels_and_mm_are_turned_into_each_other():
    affine = np.array([[2, 0.3, 0, 5], [-0.3, 2, 0.1, 6], [0, 0.2, 5, 7], [0, 0, 0, 1]])
    volumes = PatientVolumes(np.zeros(SHAPE), affine, {"dwi": np.zeros(SHAPE)})
    points = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    assert volumes.to_mm(points)[0] == pytest.approx((affine @ [1, 2, 3, 1])[:3])
    assert volumes.to_voxels(volumes.to_mm(points)) == pytest.approx(points)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {}}, "no sequence to report on"),
        ({"images": {"t2": np.zeros((4, 5, 7))}}, r"'t2' has the shape \(4, 5, 7\)"),
        ({"adc": np.zeros((4, 5, 7))}, "'adc' has the shape"),
        ({"mask": np.zeros((4, 5))}, "three axes"),
        ({"affine": np.diag([1.0, 1.0, 0.0, 1.0])}, "affine does not place"),
        ({"affine": np.full((4, 4), np.nan)}, "affine does not place"),
        ({"reference": "t2"}, "'t2' is not among the sequences: dwi"),
        ({"adc": np.full(SHAPE, 800.0), "brain": np.ones(SHAPE)}, "median in the brain is 800; in 1e-3 mm2/s"),
    ],
)
def test_what_cannot_be_reported_on_is_refused(change, message):
    mask = change.pop("mask", np.zeros(SHAPE))
    affine, images = change.pop("affine", np.eye(4)), change.pop("images", {"dwi": np.zeros(SHAPE)})
    with pytest.raises(InputError, match=message):
        PatientVolumes(mask, affine, images, **change)
