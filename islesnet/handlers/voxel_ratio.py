"""A ratio of voxel counts as a metric of a MONAI engine, by the rules that the scores follow everywhere else."""

from collections.abc import Callable
from typing import Any

import torch
from monai.handlers import IgniteMetricHandler
from monai.metrics import CumulativeIterationMetric

from islesnet.metrics import VoxelCounts

RATIOS = ("dice", "precision", "sensitivity", "specificity", "accuracy", "empty_mask_accuracy")


class VoxelRatio(IgniteMetricHandler):
    """Mean over patients of one ratio of `islesnet.metrics.VoxelCounts`, by its rules for empty masks.

    MONAI's ConfusionMatrix leaves a patient out of the mean where a denominator is 0: a network that marks nothing
    would have the precision of the patients that it does mark.

    Args:
        ratio: dice, precision, sensitivity, specificity, accuracy, or empty_mask_accuracy: the accuracy of a mask that
            marks nothing, beside which an accuracy is to be read.
        output_transform: makes masks and truths of the engine's output.

    Raises:
        ValueError: for another ratio.
    """

    def __init__(self, ratio: str, output_transform: Callable[[Any], Any] = lambda output: output) -> None:
        super().__init__(metric_fn=VoxelRatioMetric(ratio), output_transform=output_transform)


class VoxelRatioMetric(CumulativeIterationMetric):
    """The metric of `VoxelRatio`: quick, and summed up over all processes.

    Shapes:
        ``y_pred`` and ``y`` ``(B, 1, *spatial)``, lesion where > 0.5 -> ``(B, 1)``.
    """

    def __init__(self, ratio: str) -> None:
        super().__init__()
        if ratio not in RATIOS:
            raise ValueError(f"unknown ratio {ratio!r}; known: {', '.join(RATIOS)}.")
        self.ratio = ratio

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        """Give the ratio of every patient of a batch."""
        if y is None or y.shape != y_pred.shape or y.shape[1] != 1:
            raise ValueError(
                f"masks and truths of one shape (B, 1, ...) are needed, not {tuple(y_pred.shape)} and "
                f"{None if y is None else tuple(y.shape)}."
            )
        ratios = [getattr(_count(mask > 0.5, truth > 0.5), self.ratio) for mask, truth in zip(y_pred, y, strict=True)]
        return torch.tensor(ratios, device=y_pred.device)[:, None]

    def aggregate(self) -> torch.Tensor:
        """Give the mean over the patients of all processes.

        Raises:
            ValueError: before any patient was counted.
        """
        ratios = self.get_buffer()
        if not isinstance(ratios, torch.Tensor):
            raise ValueError("no patient has been counted.")
        return ratios.mean()


def _count(marked: torch.Tensor, lesion: torch.Tensor) -> VoxelCounts:
    # On the tensors' device, and one transfer.
    counts = [marked & lesion, marked & ~lesion, ~marked & lesion]
    both, wrong, missed = torch.stack([count.sum() for count in counts]).tolist()
    return VoxelCounts(both, wrong, missed, marked.numel() - both - wrong - missed)
