from itertools import pairwise

import numpy as np
import pytest

from islesnet.report.patient.lesions import measure_lesions
from islesnet.report.patient.midline import MidsagittalPlane
from islesnet.report.patient.volumes import PatientVolumes
from tests.report.patient.heads import CENTRE, at, axial, ball, head, normal_of, patient

AFFINE, SHAPE = axial((2.0, 2.0, 5.0))
RIGHT = at(40, -20, 0)
LEFT = at(-40, -20, 0)


def test_one_lesion_is_measured():
    mask = ball(AFFINE, SHAPE, RIGHT, 12)
    adc = np.where(mask, 0.5, 0.8)
    probability = np.where(mask, 0.9, 0.1)
    (lesion,) = measure_lesions(patient(AFFINE, SHAPE, mask, adc=adc, probability=probability))
    assert lesion.number == 1
    assert lesion.volume_ml == pytest.approx(mask.sum() * 0.02)
    assert lesion.diameter_mm == pytest.approx(24, abs=3)
    assert lesion.side == "right"
    assert lesion.mean_adc == pytest.approx(0.5)
    assert lesion.intensity_ratios["adc"] == pytest.approx(0.5 / 0.8)
    assert lesion.confidence == pytest.approx(0.9)


def test_intensity_is_compared_with_the_mirrored_place():
    (lesion,) = measure_lesions(patient(AFFINE, SHAPE, ball(AFFINE, SHAPE, RIGHT, 12)))
    assert lesion.intensity_ratios == {"dwi": pytest.approx(2.0), "t1": pytest.approx(0.5)}


def test_what_lies_beyond_a_field_of_view_counts_in_no_ratio():
    mask = ball(AFFINE, SHAPE, RIGHT, 12)
    whole = patient(AFFINE, SHAPE, mask)
    upper = np.indices(SHAPE)[2] > np.argwhere(mask)[:, 2].mean()
    images = {name: np.where(upper, image, np.nan) for name, image in whole.images.items()}
    images["t1"] = np.where(mask, np.nan, whole.images["t1"])
    (lesion,) = measure_lesions(PatientVolumes(mask, AFFINE, images))
    assert lesion.intensity_ratios == {"dwi": pytest.approx(2.0), "t1": None}


def test_mirrored_voxels_of_another_lesion_do_not_count():
    right, left = ball(AFFINE, SHAPE, RIGHT, 12), ball(AFFINE, SHAPE, LEFT, 9)
    volumes = patient(AFFINE, SHAPE, right | left)
    larger, smaller = measure_lesions(volumes)
    assert larger.intensity_ratios["dwi"] == pytest.approx(2.0)
    assert smaller.intensity_ratios == {"dwi": None, "t1": None}


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SRA"])
def test_side_is_the_patients_whatever_the_order_of_the_axes(codes):
    from tests.report.patient.test_volumes import reoriented

    mask = ball(AFFINE, SHAPE, LEFT, 12)
    stored, affine = reoriented(mask.astype(np.uint8), AFFINE, codes)
    image, _ = reoriented(head(AFFINE, SHAPE), AFFINE, codes)
    assert [lesion.side for lesion in measure_lesions(PatientVolumes(stored, affine, {"dwi": image}))] == ["left"]


def test_side_follows_the_brain_where_x_is_zero_says_otherwise():
    # 20 degrees to the side and far to the front, this is x < 0 and the right hemisphere.
    affine, shape = axial((3.0, 3.0, 4.0))
    normal = normal_of(turn=20)
    centre = CENTRE + 14 * normal + 62 * np.array([-np.sin(np.radians(20)), np.cos(np.radians(20)), 0])
    assert centre[0] < 0
    (lesion,) = measure_lesions(patient(affine, shape, ball(affine, shape, centre, 7), normal))
    assert lesion.side == "right"


@pytest.mark.parametrize(
    ("centre", "radius", "side"),
    [(CENTRE, 8, "midline"), (CENTRE, 25, "both"), (at(24, 0, 0), 25, "right")],
)
def test_a_lesion_across_the_plane_is_said_to_be_on_both_sides_or_on_the_midline(centre, radius, side):
    plane = MidsagittalPlane((1.0, 0.0, 0.0), float(CENTRE[0]))
    (lesion,) = measure_lesions(patient(AFFINE, SHAPE, ball(AFFINE, SHAPE, centre, radius)), plane)
    assert lesion.side == side


def test_slices_are_those_of_the_file():
    mask = np.zeros((5, 5, 8))
    mask[1:3, 1:3, 5] = mask[1, 1, 4] = mask[1, 1, 6] = 1
    affine = np.diag([1.0, 1.0, -5.0, 1.0])
    (lesion,) = measure_lesions(PatientVolumes(mask, affine, {"dwi": np.ones(mask.shape)}))
    assert (lesion.first_slice, lesion.last_slice, lesion.largest_slice) == (5, 7, 6)


def test_volumes_add_up_to_that_of_the_mask_on_a_sheared_grid():
    mask = np.random.default_rng(0).random((12, 12, 8)) > 0.97
    affine = np.array([[1, 0, 0.4, 0], [0, 1, 0, 0], [0, 0, 5, 0], [0, 0, 0, 1.0]])
    lesions = measure_lesions(PatientVolumes(mask, affine, {"dwi": np.ones(mask.shape)}))
    assert sum(lesion.volume_ml for lesion in lesions) == pytest.approx(mask.sum() * 0.005)
    assert [lesion.number for lesion in lesions] == list(range(1, len(lesions) + 1))
    assert all(first.volume_ml >= second.volume_ml for first, second in pairwise(lesions))


def test_an_empty_mask_has_no_lesions():
    assert measure_lesions(patient(AFFINE, SHAPE, np.zeros(SHAPE, dtype=bool))) == []


def test_voxels_without_a_value_are_left_out_of_the_means():
    mask = ball(AFFINE, SHAPE, RIGHT, 12)
    adc = np.where(mask, 0.5, 0.8)
    adc[tuple(np.argwhere(mask)[0])] = np.nan
    (lesion,) = measure_lesions(patient(AFFINE, SHAPE, mask, adc=adc))
    assert lesion.mean_adc == pytest.approx(0.5)


def test_row_is_flat_with_a_column_a_sequence():
    (lesion,) = measure_lesions(patient(AFFINE, SHAPE, ball(AFFINE, SHAPE, RIGHT, 12)))
    assert list(lesion.row()) == [
        "lesion", "volume_ml", "diameter_mm", "side", "first_slice", "last_slice", "largest_slice",
        "dwi_ratio", "t1_ratio", "mean_adc", "confidence",
    ]  # fmt: skip
