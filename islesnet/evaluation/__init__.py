"""Score masks on disk, ours or any other system's, against the truth: scores, baselines beside them, and a report."""

from islesnet.evaluation.evaluate import evaluate
from islesnet.evaluation.results import Evaluation

__all__ = ["Evaluation", "evaluate"]
