"""What confidences and flips tell of masks, counted on islands and patients that are made up."""

import math

import numpy as np
import pandas as pd
import pytest

from workflows.benchmark.confidence import by_agreement, islands_of, rank_islands, share_of_pairs


def test_share_of_pairs_counts_ties_half():
    # 0.9 beats both; 0.5 beats 0.2 and ties with 0.5.
    assert share_of_pairs(np.array([0.9, 0.5]), np.array([0.2, 0.5])) == pytest.approx(3.5 / 4)
    assert math.isnan(share_of_pairs(np.array([0.9]), np.array([])))


def test_islands_have_their_mean_probability_their_volume_and_whether_they_touch():
    mask, lesion, probability = np.zeros((3, 6, 6, 6))
    mask[0, 0, :2] = mask[4, 4, 4] = 1
    lesion[0, 0, 1] = 1
    probability[0, 0, :2], probability[4, 4, 4] = (0.4, 0.8), 0.3

    touching, other = islands_of(mask > 0, probability, lesion > 0, voxel_ml=0.01)

    assert touching == {"confidence": pytest.approx(0.6), "volume_ml": 0.02, "touches": True}
    assert other == {"confidence": pytest.approx(0.3), "volume_ml": 0.01, "touches": False}


def test_islands_are_ranked_by_subset():
    islands = pd.DataFrame(
        [("dwi", 0.9, 1.0, True), ("dwi", 0.2, 2.0, False), ("flair", 0.5, 1.0, True), ("flair", 0.6, 0.5, False)],
        columns=["sequences", "confidence", "volume_ml", "touches"],
    )

    dwi, flair = rank_islands(islands).to_dict("records")

    assert list(dwi.values()) == ["dwi", 1, 1, "1.00", "0.00"]
    assert list(flair.values()) == ["flair", 1, 1, "0.00", "1.00"]


def test_masks_without_islands_give_an_empty_table():
    assert rank_islands(pd.DataFrame(columns=["patient", "sequences", "confidence", "volume_ml", "touches"])).empty


def test_dice_is_averaged_by_agreement():
    flips = pd.DataFrame({"agreement": [0.65, 0.75, 0.95, 1.0], "dice": [0.1, 0.3, 0.6, 0.8]})

    rows = by_agreement(flips).to_dict("records")

    assert [row["agreement"] for row in rows] == ["up to 0.7", "up to 0.8", "up to 1"]
    assert [row["mean Dice"] for row in rows] == ["0.10", "0.30", "0.70"]
