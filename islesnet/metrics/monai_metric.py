"""The scores as a MONAI metric."""

from collections.abc import Sequence
from dataclasses import astuple, fields

import torch
from monai.metrics import CumulativeIterationMetric

from islesnet.metrics.scores import MaskScores, score_mask

SCORES = tuple(field.name for field in fields(MaskScores))


class MaskScoresMetric(CumulativeIterationMetric):
    """Score every patient of a batch by all rules of `score_mask`; beside MONAI's own metrics, called like them.

    Shapes:
        ``y_pred`` and ``y`` ``(B, 1, X, Y, Z)``, lesion where > 0.5 -> ``(B, len(SCORES))`` float64, in the order of
        `SCORES`; ``aggregate()`` gives the mean over patients, ``get_buffer()`` a row a patient.
    """

    def _compute_tensor(
        self, y_pred: torch.Tensor, y: torch.Tensor | None = None, spacing: Sequence[float] = (1.0, 1.0, 1.0)
    ) -> torch.Tensor:
        """Score a batch; `spacing` in mm is that of all its patients."""
        if y is None or y_pred.shape != y.shape or y_pred.ndim != 5 or y_pred.shape[1] != 1:
            raise ValueError(
                f"masks and truths of one shape (B, 1, X, Y, Z) are needed, not {tuple(y_pred.shape)} and "
                f"{None if y is None else tuple(y.shape)}."
            )
        pairs = zip(y_pred[:, 0].cpu().numpy(), y[:, 0].cpu().numpy(), strict=True)
        rows = [astuple(score_mask(prediction, truth, spacing)) for prediction, truth in pairs]
        return torch.tensor(rows, dtype=torch.float64)

    def aggregate(self) -> torch.Tensor:
        """Give the mean of every score over the patients that have it, ``(len(SCORES),)``.

        Raises:
            ValueError: before any patient was scored.
        """
        rows = self.get_buffer()
        if not isinstance(rows, torch.Tensor):
            raise ValueError("no patient has been scored.")
        return rows.nanmean(dim=0)
