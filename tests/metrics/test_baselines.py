import numpy as np
import pytest

from islesnet.metrics import VoxelCounts, best_threshold, dice_by_threshold, threshold_dwi
from islesnet.metrics.baselines import THRESHOLDS


def scan(lesion_brightness, seed=0, size=(20, 20, 10)):
    """A skull-stripped brain of median 100 and robust deviation 10 with a lesion so many deviations brighter."""
    random = np.random.default_rng(seed)
    dwi = np.zeros(size)
    brain = np.s_[3:-3, 3:-3, 2:-2]
    dwi[brain] = random.normal(100, 10, dwi[brain].shape)
    truth = np.zeros(size, np.uint8)
    truth[6:9, 6:9, 4:6] = 1
    dwi[truth > 0] = 100 + 10 * lesion_brightness
    return dwi, truth


def test_hand_checked_threshold():
    # Brain of 1..9: median 5, absolute deviations 4 3 2 1 0 1 2 3 4, of median 2; so the bound is 5 + 2.9652.
    dwi = np.arange(10.0).reshape(1, 2, 5)
    assert threshold_dwi(dwi, 1.0).sum() == 2  # 8 and 9
    assert threshold_dwi(dwi, 1.3).sum() == 1  # above 8.85
    assert threshold_dwi(dwi, 2.0).sum() == 0


def test_mask_is_bool_of_the_scans_shape():
    marked = threshold_dwi(scan(8)[0], 4.0)
    assert marked.dtype == bool
    assert marked.shape == (20, 20, 10)


def test_bright_lesion_is_found_and_the_background_is_not_brain():
    dwi, truth = scan(8)
    assert np.array_equal(threshold_dwi(dwi, 5.0), truth > 0)
    wide = np.pad(dwi, 10)
    assert np.array_equal(threshold_dwi(wide, 5.0), np.pad(truth > 0, 10))


def test_scale_does_not_matter():
    dwi, _ = scan(8)
    assert np.array_equal(threshold_dwi(dwi * 37.0, 2.0), threshold_dwi(dwi, 2.0))


@pytest.mark.parametrize("offset", [-1024.0, 500.0])
def test_offset_does_not_matter(offset):
    dwi, truth = scan(8)
    assert np.array_equal(threshold_dwi(dwi + offset, 2.0), threshold_dwi(dwi, 2.0))
    assert dice_by_threshold(dwi + offset, truth) == dice_by_threshold(dwi, truth)


def test_empty_scan_has_no_lesion():
    assert not threshold_dwi(np.zeros((3, 3, 3)), 1.0).any()


def test_best_threshold_lies_between_brain_and_lesion():
    # At 4 or more deviations no tissue is marked; at 5.5 or more the lesion is lost.
    assert 3.5 <= best_threshold([scan(5, seed) for seed in range(4)]) <= 5.25


def test_best_threshold_follows_the_lesions_brightness():
    assert best_threshold([scan(2.4)]) < best_threshold([scan(6.4)])


def test_best_threshold_weighs_patients_not_voxels():
    large = scan(2.5)
    large[1][3:17, 3:17, 2:5] = 1
    large[0][large[1] > 0] = 125.0
    dim, bright = [large], [scan(6.4, seed) for seed in range(1, 6)]
    assert best_threshold(dim) < 3
    assert best_threshold(dim + bright) > 3


def test_patient_without_a_lesion_speaks_for_a_threshold_that_marks_nothing():
    dwi, _ = scan(0)
    chosen = best_threshold([(dwi, np.zeros(dwi.shape))])
    assert not threshold_dwi(dwi, chosen).any()


def test_scans_may_come_one_at_a_time():
    assert best_threshold(scan(5, seed) for seed in range(2)) == best_threshold([scan(5, seed) for seed in range(2)])


def test_no_patient_is_refused():
    with pytest.raises(ValueError, match="there is no patient to choose the threshold on"):
        best_threshold([])


def test_dice_by_threshold_is_that_of_each_thresholds_mask():
    dwi, truth = scan(3)
    expected = [VoxelCounts.of(threshold_dwi(dwi, deviations), truth > 0).dice for deviations in THRESHOLDS]
    assert dice_by_threshold(dwi, truth) == tuple(expected)


def test_brain_of_one_value_has_only_what_is_above_it_bright(recwarn):
    dwi = np.zeros((4, 4, 4))
    dwi[1:3, 1:3, 1:3] = 100.0
    dwi[2, 2, 2] = 101.0
    assert np.argwhere(threshold_dwi(dwi, 6.0)).tolist() == [[2, 2, 2]]
    assert not recwarn.list
