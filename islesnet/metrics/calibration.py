"""Whether probabilities are right: of the voxels called 70 % lesion, are seven in ten? And how to make them so."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

BINS = 10
# Beyond this logit a probability in single precision is 0 or 1.
LARGEST_LOGIT = 20.0
LOGIT_BINS = 8000  # 0.005 wide
# Within these bounds no threshold in use is moved to 0 or 1; no trained network needs a value beyond them.
COLDEST, HOTTEST = 0.2, 20.0
LARGEST_OFFSET = 10.0


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
        return _reliability_table(self._voxels, self._probability, self._lesion)


def expected_calibration_error(table: pd.DataFrame) -> float:
    """Give the mean distance between probability and lesion share over the bins, weighted by their voxels.

    Guo et al., ICML 2017, equation 3.

    Args:
        table: as `Reliability.table` gives it; NaN where it holds no voxel.
    """
    filled = table[table["voxels"] > 0]
    distance = (filled["mean_probability"] - filled["lesion_share"]).abs()
    return float((distance * filled["voxels"]).sum() / filled["voxels"].sum()) if len(filled) else float("nan")


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


class LogitHistogram:
    """Gather the lesion's logits of any number of voxels in bounded memory, and fit temperature and offset to them.

    Before logits become probabilities, the temperature divides them, and the offset is added (Platt scaling; Guo et
    al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.1). A temperature alone cannot correct
    for a training that showed more lesion than there is in a head, because that shifts all logits by the same amount.
    A logit here is that of a sigmoid, or the difference of lesion and background of a softmax; those beyond -20 to 20
    count as -20 and 20. Use patients that the network was not trained on.
    """

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros((2, LOGIT_BINS), dtype=np.int64)  # background, lesion
        self._sums: NDArray[np.float64] = np.zeros((2, LOGIT_BINS))

    def add(self, logits: np.ndarray, truth: np.ndarray) -> None:
        """Add a patient.

        Args:
            logits: of lesion; voxels that are NaN are left out.
            truth: lesion where > 0.5.

        Raises:
            ValueError: for different shapes.
        """
        if logits.shape != truth.shape:
            raise ValueError(f"the logits have shape {logits.shape}, the truth {truth.shape}.")
        known = ~np.isnan(logits)
        is_lesion = truth[known] > 0.5
        values = np.clip(logits[known].astype(np.float64), -LARGEST_LOGIT, LARGEST_LOGIT)
        bins = ((values / LARGEST_LOGIT + 1) / 2 * LOGIT_BINS).astype(np.int64).clip(max=LOGIT_BINS - 1)
        for kind, chosen in enumerate((~is_lesion, is_lesion)):
            self._counts[kind] += np.bincount(bins[chosen], minlength=LOGIT_BINS)
            self._sums[kind] += np.bincount(bins[chosen], weights=values[chosen], minlength=LOGIT_BINS)

    def add_probability(self, probability: np.ndarray, truth: np.ndarray) -> None:
        """Add a patient by probabilities from 0 to 1, as saved ones are; what is fitted is then relative to theirs."""
        if not (np.isnan(probability) | ((probability >= 0) & (probability <= 1))).all():
            raise ValueError("probabilities are needed, all from 0 to 1.")
        values = probability.astype(np.float64)
        with np.errstate(divide="ignore"):  # 0 and 1 are infinite logits, and clipped
            self.add(np.log(values) - np.log1p(-values), truth)

    def negative_log_likelihood(self, temperature: float = 1.0, offset: float = 0.0) -> float:
        """Give the mean over voxels at a temperature and an offset; NaN where there is none."""
        if not self._counts.sum():
            return float("nan")
        logits = self._scaled(temperature, offset)
        # -log(1 - sigmoid(z)) and -log(sigmoid(z)), finite for every z
        surprise = np.logaddexp(0.0, logits * np.array([[1.0], [-1.0]]))
        return float((self._counts * surprise).sum() / self._counts.sum())

    def reliability(self, temperature: float = 1.0, offset: float = 0.0) -> pd.DataFrame:
        """Give the bins of `Reliability.table` as they are at a temperature and an offset."""
        probabilities = expit(self._scaled(temperature, offset))
        bins = np.clip((probabilities * BINS).astype(np.int64), 0, BINS - 1).ravel()
        voxels = np.bincount(bins, self._counts.ravel(), BINS).astype(np.int64)
        summed = np.bincount(bins, (self._counts * probabilities).ravel(), BINS).astype(np.float64)
        return _reliability_table(
            voxels, summed, np.bincount(bins[LOGIT_BINS:], self._counts[1], BINS).astype(np.int64)
        )

    def fit_temperature_and_offset(self) -> tuple[float, float]:
        """Find the temperature from 0.2 to 20 and the offset from -10 to 10 under which the truths are likeliest.

        Raises:
            ValueError: where no lesion or no background was added: one class alone cannot be fitted.
        """
        background, lesion = self._counts.sum(axis=1)
        if not background or not lesion:
            raise ValueError(f"{lesion} voxels of lesion and {background} of background; both are needed.")
        # As a function of 1 / temperature the likelihood has a single maximum: this is logistic regression on one
        # variable.
        best = minimize(
            self._surprise_and_slope,
            x0=(1.0, 0.0),
            jac=True,
            method="L-BFGS-B",
            bounds=((1 / HOTTEST, 1 / COLDEST), (-LARGEST_OFFSET, LARGEST_OFFSET)),
            options={"ftol": 1e-12, "gtol": 1e-7},
        )
        inverse, offset = best.x
        return 1 / float(inverse), float(offset)

    def _surprise_and_slope(self, point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Give the summed surprise, in units of the lesion's voxels, and its slope at (1 / temperature, offset)."""
        inverse, offset = (float(value) for value in point)
        lesion = float(self._counts[1].sum())
        logits = self._scaled(1 / inverse, offset)
        excess = self._counts * (expit(logits) - np.array([[0.0], [1.0]]))
        slope = np.array([(excess * self._scaled()).sum(), excess.sum()]) / lesion
        return self.negative_log_likelihood(1 / inverse, offset) * float(self._counts.sum()) / lesion, slope

    def _scaled(self, temperature: float = 1.0, offset: float = 0.0) -> NDArray[np.float64]:
        """Give the logit of each bin, the mean of those in it, at a temperature and an offset."""
        scaled: NDArray[np.float64] = self._sums / np.maximum(self._counts, 1) / temperature + offset
        return scaled


def _reliability_table(
    voxels: NDArray[np.int64], probability: NDArray[np.float64], lesion: NDArray[np.int64]
) -> pd.DataFrame:
    """Make the table of sums over the voxels of each bin."""
    edges = np.linspace(0.0, 1.0, BINS + 1)
    known = np.where(voxels > 0, voxels, np.nan)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "voxels": voxels,
            "mean_probability": probability / known,
            "lesion_share": lesion / known,
        }
    )
