"""Whether probabilities are right: of the voxels called 70 % lesion, are seven in ten?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 10


class Reliability:
    """Gather probability maps and truths, bin by bin of probability.

    After Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2; the voxels of all patients
    count alike.
    """

    def __init__(self) -> None:
        self._voxels: NDArray[np.int64] = np.zeros(BINS, dtype=np.int64)
        self._probability: NDArray[np.float64] = np.zeros(BINS)
        self._lesion: NDArray[np.int64] = np.zeros(BINS, dtype=np.int64)

    def add(self, probability: np.ndarray, truth: np.ndarray) -> None:
        """Add a patient.

        Args:
            probability: of lesion, 0 to 1; voxels that are NaN are left out.
            truth: lesion where > 0.5.

        Raises:
            ValueError: for different shapes, and for logits or percentages in place of probabilities.
        """
        if probability.shape != truth.shape:
            raise ValueError(f"the probabilities have shape {probability.shape}, the truth {truth.shape}.")
        known = ~np.isnan(probability)
        values = probability[known].astype(np.float64)
        if values.size and (values.min() < 0 or values.max() > 1):
            raise ValueError(f"the probabilities reach from {values.min():g} to {values.max():g}; 0 to 1 is needed.")
        bins = np.clip((values * BINS).astype(np.int64), 0, BINS - 1)
        self._voxels += np.bincount(bins, minlength=BINS)
        self._probability += np.bincount(bins, weights=values, minlength=BINS)
        self._lesion += np.bincount(bins[truth[known] > 0.5], minlength=BINS)

    def table(self) -> pd.DataFrame:
        """Give a row a bin: low, high, voxels, mean_probability, lesion_share (both NaN in an empty bin)."""
        edges = np.linspace(0.0, 1.0, BINS + 1)
        voxels = np.where(self._voxels > 0, self._voxels, np.nan)
        return pd.DataFrame(
            {
                "low": edges[:-1],
                "high": edges[1:],
                "voxels": self._voxels,
                "mean_probability": self._probability / voxels,
                "lesion_share": self._lesion / voxels,
            }
        )

    def expected_calibration_error(self) -> float:
        """Give the mean distance of probability and share over all voxels; NaN where there is none."""
        if not self._voxels.sum():
            return float("nan")
        return float(np.abs(self._probability - self._lesion).sum() / self._voxels.sum())


def pool_reliability(tables: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """Add up the tables of several patients or test sets, the voxels of all alike; None where there is none.

    Args:
        tables: as `Reliability.table` gives them; further columns are left out.
    """
    if not tables:
        return None
    voxels = np.sum([table["voxels"] for table in tables], axis=0)
    known = np.where(voxels > 0, voxels, np.nan)
    # A bin that is empty in one table has no share there, and no weight.
    shares = {
        name: np.nansum([table[name] * table["voxels"] for table in tables], axis=0) / known
        for name in ("mean_probability", "lesion_share")
    }
    return tables[0][["low", "high"]].assign(voxels=voxels, **shares)
