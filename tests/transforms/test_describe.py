import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

from islesnet.report.patient import PatientVolumes, measure_lesions
from islesnet.transforms import describe_lesions

# 1 x 2 x 5 mm, 0.01 ml a voxel; the first axis runs to the left.
AFFINE = np.array([[-1.0, 0, 0, 10], [0, 2, 0, -20], [0, 0, 5, 30], [0, 0, 0, 1]])


@pytest.fixture
def mask():
    mask = np.zeros((8, 7, 6), dtype=bool)
    mask[0, 0, 5] = True  # one voxel
    mask[2:4, 3, 1:4] = True  # and six
    return mask


def test_each_lesion_is_described_the_largest_first(mask):
    probability = np.where(mask, 0.5, 0.1)
    probability[2, 3, 1:4], probability[0, 0, 5] = 0.9, 0.625

    assert describe_lesions(mask, probability, AFFINE) == [
        {
            "volume_ml": 0.06,
            "confidence": 0.7,
            "centroid_mm": [7.5, -14.0, 40.0],
            "first_slice": 2,
            "last_slice": 4,
        },
        {
            "volume_ml": 0.01,
            "confidence": 0.625,
            "centroid_mm": [10.0, -20.0, 55.0],
            "first_slice": 6,
            "last_slice": 6,
        },
    ]


def test_voxels_that_touch_at_a_corner_are_one_lesion():
    mask = np.zeros((4, 4, 4), dtype=bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    (lesion,) = describe_lesions(mask, np.ones(mask.shape), np.eye(4))
    assert lesion["centroid_mm"] == [0.5, 0.5, 0.5]
    assert (lesion["first_slice"], lesion["last_slice"]) == (1, 2)


@pytest.mark.parametrize(
    ("codes", "slices"),
    [("LPS", [(2, 4), (6, 6)]), ("SRA", [(2, 4), (6, 6)]), ("AIL", [(3, 5), (1, 1)]), ("LPI", [(3, 5), (1, 1)])],
)
def test_slices_are_numbered_as_in_the_patients_report_whatever_the_order_of_the_axes(mask, codes, slices):
    upright = np.diag([1.0, 2.0, 5.0, 1.0])
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    stored, affine = apply_orientation(mask, turn), upright @ inv_ornt_aff(turn, mask.shape)

    described = describe_lesions(stored, np.ones(stored.shape), affine)
    reported = measure_lesions(PatientVolumes(stored, affine, {"dwi": np.ones(stored.shape)}))

    assert [(lesion["first_slice"], lesion["last_slice"]) for lesion in described] == slices
    assert [(lesion.first_slice, lesion.last_slice) for lesion in reported] == slices


def test_empty_mask_has_no_lesions(mask):
    assert describe_lesions(np.zeros_like(mask), np.ones(mask.shape), AFFINE) == []


def test_confidence_of_calibrated_probabilities_is_the_expected_share_of_lesion(mask):
    random = np.random.default_rng(0)
    mask = np.ones((40, 40, 40), dtype=bool)
    probability = random.uniform(0.5, 1.0, mask.shape)
    truth = random.random(mask.shape) < probability
    (lesion,) = describe_lesions(mask, probability, np.eye(4))
    assert lesion["confidence"] == pytest.approx(truth.mean(), abs=0.01)
