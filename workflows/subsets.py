"""One network on every subset of the sequences: the operating point chosen on phantoms, and scores by subset."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from monai.data import DataLoader, Dataset
from monai.data.meta_tensor import MetaTensor
from monai.data.utils import no_collation
from monai.transforms import Compose
from rich.progress import track
from scipy.special import expit, logit

from islesnet.components import label_lesions
from islesnet.data import SEQUENCES, Case
from islesnet.metrics import (
    LogitHistogram,
    VoxelCounts,
    bootstrap_interval,
    expected_calibration_error,
    score_mask,
    size_strata,
)
from islesnet.networks import OperatingPoint
from islesnet.processes import usable_cores
from islesnet.transforms import RemoveSmallLesionsd
from islesnet.trust import SubsetScores, describe_appearance
from workflows.bundle_config import TrainedNetwork

SUBSETS = tuple(subset for count in range(1, 5) for subset in combinations(SEQUENCES, count))
# The subsets that are most common in clinics; the operating point is chosen on them.
COMMON_SUBSETS = (("dwi",), ("flair",), ("dwi", "flair"), SEQUENCES)
THRESHOLDS = tuple(np.round(np.arange(0.3, 0.96, 0.05), 2).tolist())
# From nothing to a lacune of 10 mm: a larger minimum would remove infarcts that clinics look for.
MINIMUM_ML = (0.0, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Choice:
    """The operating point that was chosen, and what it reaches on the patients that it was chosen on.

    Args:
        point: that was chosen.
        dice: mean over patients and subsets, at the point.
        reliability_before: of the network's own probabilities, on the patients that temperature and offset were not
            fitted on, as `islesnet.metrics.Reliability.table`.
        reliability: the same with temperature and offset applied.
    """

    point: OperatingPoint
    dice: float
    reliability_before: pd.DataFrame
    reliability: pd.DataFrame


class SubsetPredictor:
    """A trained network, asked for the lesion's probability with any of a patient's sequences.

    The sequences left out are zeros, as the bundle's preprocessing makes absent ones; everything stays on the
    working grid, so the patient is read once for all subsets.

    Args:
        weights: of the bundle's default network.
        choices: other values of the config's keys, e.g. ``{"test_time_flips": [0]}``. Unless they say whether the
            coils' shading is taken out, what lies beside the weights does.
    """

    def __init__(self, weights: Path, choices: Mapping[str, object] | None = None) -> None:
        ours = {"temperature": 1.0, "stamps": []}
        self._trained = TrainedNetwork("recipes/evaluate.yaml", weights, ours | dict(choices or {}))
        self._probability = self._trained.part("postprocessing").transforms[0]
        transforms = self._trained.part("preprocessing").transforms
        self._preprocessing = Compose([*transforms, *self._trained.part("to_working_grid")])

    @property
    def bias_correction(self) -> bool:
        """Whether the network is shown sequences without the coils' shading."""
        corrects: bool = self._trained.part("bias_correction")
        return corrects

    @property
    def agreement(self) -> float | None:
        """How far the flips of the latest prediction agree; None without flips."""
        agreement: float | None = self._trained.part("flip_inferer").agreement
        return agreement

    def describe(self, cases: Sequence[Case]) -> list[dict[str, dict[str, float]]]:
        """Say what patients' images look like, for `AppearanceRanges.fit`."""
        dataset = Dataset([case.item() for case in cases], Compose([self._preprocessing, _describe]))
        loader = DataLoader(dataset, batch_size=None, num_workers=usable_cores(), collate_fn=no_collation)
        return list(track(loader, "Phantoms described", total=len(cases)))

    def predict(
        self, case: Case, subsets: Sequence[tuple[str, ...]]
    ) -> Iterator[tuple[tuple[str, ...], MetaTensor, MetaTensor]]:
        """Yield each subset with a sequence that the patient has: subset, probability and truth, ``(1, X, Y, Z)``."""
        item = self._preprocessing(case.item())
        image, truth = item["image"], item["label"]
        done = set()
        for subset in subsets:
            present = tuple(sequence for sequence in subset if sequence in case.sequences)
            if not present or present in done:
                continue
            done.add(present)
            probability = self._probability({"pred": self._trained.logits(image, present)})["pred"]
            yield present, MetaTensor(probability, meta=truth.meta), truth


def choose_operating_point(predictor: SubsetPredictor, cases: Sequence[Case]) -> Choice:
    """Choose threshold and minimum volume by mean Dice over patients and common subsets; fit temperature and offset.

    The threshold is 0.5 where the patients cannot tell it from the best, otherwise the nearest to it that they cannot
    (`nearest_as_good`): phantoms are not people, so what they do not clearly ask for is left as it was trained.
    Temperature and offset are fitted on every second patient (`fit_calibration`), and their reliability is that of the
    others. Whether the bias is corrected is not chosen: the point says what the predictor does.

    Args:
        predictor: the network.
        cases: at least two patients, on whom no result is reported but this choice.
    """
    dice = []  # of each patient, the mean of the subsets: by threshold, then by minimum volume
    fitted, shown = LogitHistogram(), LogitHistogram()
    for number, case in enumerate(track(cases, "Validation patients")):
        logits = shown if number % 2 else fitted
        of_subsets = []
        for _, probability, truth in predictor.predict(case, COMMON_SUBSETS):
            here, lesion = np.asarray(probability[0]), np.asarray(truth[0]) > 0.5
            logits.add_probability(here, lesion)
            voxel_ml = float(np.prod(_spacing(truth))) / 1000
            of_subsets.append([dice_by_minimum(here >= threshold, lesion, voxel_ml) for threshold in THRESHOLDS])
        dice.append(np.mean(of_subsets, axis=0))
    by_patient = np.array(dice)  # (patients, thresholds, minimum volumes)
    means = by_patient.mean(axis=0)
    minimum = int(means.max(axis=0).argmax())
    threshold = nearest_as_good(by_patient[:, :, minimum], THRESHOLDS)
    temperature, offset = fit_calibration(fitted, shown)
    probability = scaled_threshold(THRESHOLDS[threshold], temperature, offset)
    point = OperatingPoint(probability, MINIMUM_ML[minimum], temperature, offset, predictor.bias_correction)
    return Choice(point, float(means[threshold, minimum]), shown.reliability(), shown.reliability(temperature, offset))


def fit_calibration(fitted: LogitHistogram, shown: LogitHistogram) -> tuple[float, float]:
    """Fit temperature and offset; they are 1 and 0 where those make other patients' probabilities no better.

    Of a few patients one large lesion can decide what is fitted.

    Args:
        fitted: of the patients that they are fitted on.
        shown: of the others.
    """
    temperature, offset = (round(value, 3) for value in fitted.fit_temperature_and_offset())
    before, after = map(expected_calibration_error, (shown.reliability(), shown.reliability(temperature, offset)))
    return (temperature, offset) if after < before else (1.0, 0.0)


def nearest_as_good(dice: np.ndarray, thresholds: Sequence[float]) -> int:
    """Choose, of the thresholds whose mean Dice is within one standard error of the best one's, the nearest to 0.5.

    The standard error is that of the patients' differences to the best threshold. One patient has none: the best then.
    Source of the rule, that the simplest within one standard error is taken: Breiman et al., Classification and
    Regression Trees, 1984, chapter 3; the simplest is here the one that the training's loss has.

    Args:
        dice: of each patient at the thresholds.
        thresholds: of the network's own probability.

    Shapes:
        ``(patients, thresholds)`` -> the threshold's index.
    """
    best = int(dice.mean(axis=0).argmax())
    if len(dice) < 2:
        return best
    lost = dice[:, [best]] - dice
    is_as_good = lost.mean(axis=0) <= lost.std(axis=0, ddof=1) / np.sqrt(len(dice))
    distance = np.abs(np.asarray(thresholds) - 0.5)
    return int(np.where(is_as_good, distance, np.inf).argmin())


def dice_by_minimum(marked: np.ndarray, lesion: np.ndarray, voxel_ml: float) -> list[float]:
    """Compute Dice once the lesions below each of `MINIMUM_ML` are removed; the lesions are found once for all.

    Shapes:
        ``(X, Y, Z)`` bool, both.
    """
    lesions, _ = label_lesions(marked)
    sizes = np.bincount(lesions.ravel())
    hits = np.bincount(lesions.ravel(), weights=lesion.ravel())
    sizes[0] = hits[0] = 0  # the background
    dice = []
    for minimum_ml in MINIMUM_ML:
        kept = sizes * voxel_ml >= minimum_ml
        both, left, true = int(hits[kept].sum()), int(sizes[kept].sum()), int(lesion.sum())
        dice.append(VoxelCounts(both, left - both, true - both, marked.size - left - true + both).dice)
    return dice


def unscaled_threshold(point: OperatingPoint) -> float:
    """Give the point's threshold for probabilities that neither temperature nor offset was applied to."""
    return float(expit((logit(point.threshold) - point.offset) * point.temperature))


def scaled_threshold(probability: float, temperature: float, offset: float) -> float:
    """Give the threshold that marks the same voxels once logits are divided by a temperature and an offset is added."""
    return float(expit(logit(probability) / temperature + offset))


def score_subsets(predictor: SubsetPredictor, cases: Sequence[Case], point: OperatingPoint) -> pd.DataFrame:
    """Score every subset of every patient, on the working grid: a row each."""
    rows = []
    for case in track(cases, "Test phantoms"):
        for subset, probability, truth in predictor.predict(case, SUBSETS):
            mask = clean_mask(probability, unscaled_threshold(point), point.minimum_lesion_ml)
            scores = score_mask(np.asarray(mask[0]), np.asarray(truth[0]), _spacing(truth))
            rows.append(
                {
                    "patient": case.patient,
                    "sequences": "+".join(subset),
                    "dice": scores.dice,
                    "sensitivity": scores.sensitivity,
                    "precision": scores.precision,
                    "lesion_f1": scores.lesion_f1,
                    "true_ml": scores.true_ml,
                    "predicted_ml": scores.predicted_ml,
                }
            )
    return pd.DataFrame(rows)


def subset_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Sum up `score_subsets` for the model card: a row for each subset, with Dice overall and by lesion size.

    A cell holds the mean, its 95 % interval where there are enough patients for one, and the number of patients.
    """
    rows = []
    for subset, part in scores.groupby("sequences", sort=False):
        dice = part["dice"].to_numpy(dtype=float)
        row = {"sequences": subset, "mean Dice": mean_with_interval(dice)}
        row |= {name: mean_with_interval(dice[is_here]) for name, is_here in size_strata(part["true_ml"]).items()}
        rows.append({**row, "lesion-wise F1": f"{part['lesion_f1'].mean():.3f}"})
    return pd.DataFrame(rows)


def subset_scores(scores: pd.DataFrame) -> SubsetScores:
    """Sum up `score_subsets` for the check that flags sequences with which the network finds next to nothing."""
    by_subset = {str(subset): part["dice"] for subset, part in scores.groupby("sequences", sort=False)}
    return SubsetScores(
        {subset: round(float(dice.mean()), 3) for subset, dice in by_subset.items()},
        {subset: len(dice) for subset, dice in by_subset.items()},
    )


def mean_with_interval(dice: np.ndarray) -> str:
    """Write a mean over patients, its 95 % interval where there are enough of them for one, and their number."""
    if not len(dice):
        return ""
    low, high = bootstrap_interval(dice)
    interval = "" if np.isnan(low) else f", {low:.3f} to {high:.3f}"
    return f"{dice.mean():.3f}{interval} ({len(dice)})"


def clean_mask(probability: MetaTensor, threshold: float, minimum_ml: float) -> MetaTensor:
    """Threshold as the bundle does, and remove specks."""
    mask = (probability >= threshold).to(torch.uint8)
    cleaned: MetaTensor = RemoveSmallLesionsd("pred", minimum_ml)({"pred": mask})["pred"]
    return cleaned


def _describe(item: Mapping[str, MetaTensor]) -> dict[str, dict[str, float]]:
    return describe_appearance(item["image"], SEQUENCES)


def _spacing(truth: torch.Tensor) -> tuple[float, ...]:
    return tuple(float(length) for length in truth.pixdim)  # type: ignore[attr-defined]  # a MetaTensor's
