"""Panoptica wants an older numpy and pandas than ours, so it is not among the development dependencies.

islesnet.metrics needs numpy, scipy and pandas alone, so it runs in an environment of panoptica's: ``make peers``.
"""

import numpy as np
import pytest

from islesnet.metrics import LesionCounts

panoptica = pytest.importorskip(
    "panoptica", reason="panoptica cannot be installed beside numpy 2.3 or newer; run make peers"
)


def panoptica_counts(marked, lesion):
    """Panoptica's matched, wrong and missed lesions, with matches from one voxel on."""
    evaluator = panoptica.Panoptica_Evaluator(
        expected_input=panoptica.InputType.SEMANTIC,
        instance_approximator=panoptica.ConnectedComponentsInstanceApproximator(panoptica.CCABackend.cc3d),
        instance_matcher=panoptica.NaiveThresholdMatching(panoptica.Metric.IOU, 1e-9),
    )
    result = evaluator.evaluate(marked.astype(np.uint8), lesion.astype(np.uint8), verbose=False)["ungrouped"]
    return result.tp, result.fp, result.fn


def counts(marked, lesion):
    own = LesionCounts.of(marked, lesion)
    return own.found, own.marked - own.right, own.true - own.found


@pytest.mark.parametrize("seed", range(5))
def test_lesions_that_meet_one_to_one_are_counted_alike(seed):
    # One cell of 4^3 voxels for each lesion, whose corner voxel lies in mask, truth, both or neither.
    random = np.random.default_rng(seed)
    marked, lesion = np.zeros((2, 24, 24, 12), bool)
    for mask in (marked, lesion):
        mask[::4, ::4, ::4] = random.random((6, 6, 3)) < 0.4
        mask[1::4, ::4, ::4] = mask[::4, ::4, ::4]
    marked[2::4, ::4, ::4] = marked[::4, ::4, ::4]
    assert counts(marked, lesion) == panoptica_counts(marked, lesion)


def test_mask_over_two_lesions_finds_both_where_panoptica_matches_one():
    marked, lesion = np.zeros((2, 12, 5, 5), bool)
    lesion[1:4, 2, 2] = lesion[7:10, 2, 2] = True
    marked[2:9, 2, 2] = True
    assert counts(marked, lesion) == (2, 0, 0)
    assert panoptica_counts(marked, lesion) == (1, 0, 1)


def test_two_marks_in_one_lesion_are_both_right_where_panoptica_calls_one_wrong():
    marked, lesion = np.zeros((2, 12, 5, 5), bool)
    lesion[1:10, 2, 2] = True
    marked[1:3, 2, 2] = marked[7:10, 2, 2] = True
    assert counts(marked, lesion) == (1, 0, 0)
    assert panoptica_counts(marked, lesion) == (1, 1, 0)


@pytest.mark.parametrize("empty", ["mask", "truth", "both"])
def test_empty_masks_are_counted_alike(empty):
    marked, lesion = np.zeros((2, 9, 5, 5), bool)
    marked[1, 2, 2] = marked[6, 2, 2] = empty == "truth"
    lesion[1, 2, 2] = lesion[6, 2, 2] = empty == "mask"
    assert counts(marked, lesion) == panoptica_counts(marked, lesion)
