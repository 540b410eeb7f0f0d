"""The scores as a MONAI metric."""

from collections.abc import Sequence
from dataclasses import astuple, fields

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.data.utils import affine_to_spacing
from monai.metrics import CumulativeIterationMetric

from islesnet.metrics.scores import MaskScores, score_mask

SCORES = tuple(field.name for field in fields(MaskScores))


class MaskScoresMetric(CumulativeIterationMetric):
    """Score every patient of a batch by all rules of `score_mask`; beside MONAI's own metrics, called like them.

    Distances and volumes need the size of a voxel. A truth that is a MetaTensor carries it in its affine, in mm, and
    MONAI's handler passes nothing else; for any other tensor give `spacing`, or 1 mm is assumed.

    Shapes:
        ``y_pred`` and ``y`` ``(B, 1, X, Y, Z)``, lesion where > 0.5 -> ``(B, len(SCORES))`` float64, in the order of
        `SCORES`; ``aggregate()`` gives the mean over patients, ``get_buffer()`` a row a patient.
    """

    def _compute_tensor(
        self, y_pred: torch.Tensor, y: torch.Tensor | None = None, spacing: Sequence[float] | None = None
    ) -> torch.Tensor:
        """Score a batch; `spacing`, where given, is that of all its patients."""
        if y is None or y_pred.shape != y.shape or y_pred.ndim != 5 or y_pred.shape[1] != 1:
            raise ValueError(
                f"masks and truths of one shape (B, 1, X, Y, Z) are needed, not {tuple(y_pred.shape)} and "
                f"{None if y is None else tuple(y.shape)}."
            )
        spacings = _spacings(y) if spacing is None else [spacing] * len(y)
        masks, truths = ((batch[:, 0] > 0.5).cpu().numpy() for batch in (y_pred, y))  # (B, X, Y, Z)
        rows = [astuple(score_mask(*patient)) for patient in zip(masks, truths, spacings, strict=True)]
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


def _spacings(truths: torch.Tensor) -> list[Sequence[float]]:
    if not isinstance(truths, MetaTensor):
        return [(1.0, 1.0, 1.0)] * len(truths)
    affines = truths.affine if truths.affine.ndim == 3 else [truths.affine] * len(truths)  # a batch has one each
    return [affine_to_spacing(np.asarray(affine)).tolist() for affine in affines]
