"""Scores of a lesion mask against the truth, and the baselines that a score is read beside."""

from islesnet.metrics.baselines import best_threshold, threshold_dwi
from islesnet.metrics.scores import MaskScores, score_mask

__all__ = ["MaskScores", "best_threshold", "score_mask", "threshold_dwi"]
