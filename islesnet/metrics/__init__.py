"""Scores of a lesion mask against the truth, what they sum up to, and the baselines that a score is read beside.

Importing this loads neither torch nor MONAI; MONAI's metric lives in `islesnet.metrics.monai_metric`.
"""

from islesnet.metrics.baselines import DWI_THRESHOLD, EMPTY_MASK, best_threshold, dice_by_threshold, threshold_dwi
from islesnet.metrics.calibration import (
    LogitHistogram,
    Reliability,
    expected_calibration_error,
    pool_reliability,
)
from islesnet.metrics.distances import SurfaceDistances, surface_distances
from islesnet.metrics.lesions import LARGEST_LESION_ML, LesionCounts
from islesnet.metrics.overlap import VoxelCounts
from islesnet.metrics.scores import NEIGHBOUR_SCORES, MaskScores, score_mask
from islesnet.metrics.summary import bootstrap_interval, compare_paired, size_strata, summarize

__all__ = [
    "DWI_THRESHOLD",
    "EMPTY_MASK",
    "LARGEST_LESION_ML",
    "NEIGHBOUR_SCORES",
    "LesionCounts",
    "LogitHistogram",
    "MaskScores",
    "Reliability",
    "SurfaceDistances",
    "VoxelCounts",
    "best_threshold",
    "bootstrap_interval",
    "compare_paired",
    "dice_by_threshold",
    "expected_calibration_error",
    "pool_reliability",
    "score_mask",
    "size_strata",
    "summarize",
    "surface_distances",
    "threshold_dwi",
]
