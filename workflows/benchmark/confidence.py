"""Measure what a model's confidences, and the agreement of its flips, tell of its masks on test phantoms.

    python -m workflows.benchmark confidence --phantoms results/default_model/phantoms [--model MODEL] [--output DIR]

Of all pairs of islands, one that touches a lesion and one that does not, the share is counted in which the first has
the higher confidence, and in which it has the larger volume. The mean Dice is shown by how far left-right mirror images
agree.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track
from scipy import stats
from scipy.special import expit, logit

from islesnet.components import label_lesions
from islesnet.data import Case, find_cases
from islesnet.errors import InputError
from islesnet.metrics import VoxelCounts
from islesnet.networks import OperatingPoint, read_operating_point
from islesnet.report import write_csv
from islesnet.stamps import PHANTOM
from islesnet.volumes.file_names import natural_key
from workflows.card_tables import markdown_table
from workflows.command_line import answer, command_line, say_step
from workflows.commands import BUNDLE
from workflows.phantom_cohort import VALIDATION, split
from workflows.subsets import COMMON_SUBSETS, SubsetPredictor, clean_mask, unscaled_threshold

FLIPPED = ("dwi", "flair")
_MEASURES = ("confidence", "volume_ml")
AGREEMENTS = (0.0, 0.7, 0.8, 0.9, 1.0)


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark of confidence."""
    parser = command_line("benchmark confidence", __doc__)
    parser.add_argument(
        "--phantoms", type=Path, required=True, help="of `train_default_model`, whose test part is used"
    )
    parser.add_argument("--model", type=Path, default=BUNDLE / "models" / "model.pt", help="weights")
    parser.add_argument("--output", type=Path, default=Path("results/benchmark/confidence"))
    return answer(parser, measure, words, goes_on=False)


def measure(chosen: argparse.Namespace) -> int:
    """Segment the test phantoms, and print how islands are ranked and what the flips' agreement goes with."""
    cases = split(sorted(find_cases(chosen.phantoms), key=lambda case: natural_key(case.patient)))["test"]
    if not cases:
        raise InputError(f"{chosen.phantoms} holds no test phantoms: those after the first {VALIDATION}")
    point = read_operating_point(chosen.model)
    say_step("Islands, by subset of the sequences")
    islands = find_islands(SubsetPredictor(chosen.model), cases, point)
    write_csv(islands, chosen.output / "islands.csv", [PHANTOM])
    print(markdown_table(rank_islands(islands)))
    say_step("Left-right flips, " + " + ".join(FLIPPED))
    flips = compare_flips(chosen.model, cases, point)
    write_csv(flips, chosen.output / "flips.csv", [PHANTOM])
    print(markdown_table(by_agreement(flips)))
    print(f"Spearman's rank correlation {stats.spearmanr(flips['agreement'], flips['dice']).statistic:.2f}")
    return 0


def find_islands(predictor: SubsetPredictor, cases: Sequence[Case], point: OperatingPoint) -> pd.DataFrame:
    """List the islands of the masks with the common subsets: confidence, volume, and whether it touches a lesion."""
    rows = []
    for case in track(cases, "Test phantoms"):
        for subset, probability, truth in predictor.predict(case, COMMON_SUBSETS):
            mask = clean_mask(probability, unscaled_threshold(point), point.minimum_lesion_ml)
            scaled = expit(logit(np.asarray(probability[0])) / point.temperature + point.offset)
            voxel_ml = float(np.prod(np.asarray(truth.pixdim))) / 1000
            for island in islands_of(np.asarray(mask[0]) > 0, scaled, np.asarray(truth[0]) > 0.5, voxel_ml):
                rows.append({"patient": case.patient, "sequences": "+".join(subset), **island})
    return pd.DataFrame(rows, columns=["patient", "sequences", *_MEASURES, "touches"])


def islands_of(
    mask: np.ndarray, probability: np.ndarray, lesion: np.ndarray, voxel_ml: float
) -> Iterator[dict[str, float | bool]]:
    """Go through the islands of a mask: mean probability, volume, and whether any of its voxels is lesion.

    Shapes:
        ``(X, Y, Z)``, all; mask and lesion bool.
    """
    labels, count = label_lesions(mask)
    for island in range(1, count + 1):
        here = labels == island
        yield {
            "confidence": float(probability[here].mean()),
            "volume_ml": int(here.sum()) * voxel_ml,
            "touches": bool((here & lesion).any()),
        }


def rank_islands(islands: pd.DataFrame) -> pd.DataFrame:
    """Say for each subset how many islands touch a lesion and do not, and how well two measures tell them apart."""
    rows = []
    for subset, part in islands.groupby("sequences", sort=False):
        right, wrong = part[part["touches"]], part[~part["touches"]]
        row = {"sequences": subset, "touch lesion": len(right), "touch none": len(wrong)}
        for name in _MEASURES:
            row[f"ranked by {name}"] = f"{share_of_pairs(right[name].to_numpy(), wrong[name].to_numpy()):.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def share_of_pairs(right: np.ndarray, wrong: np.ndarray) -> float:
    """Compute the share of pairs, one of each, in which the first is higher; ties count half. NaN without a pair.

    It is the area under the ROC curve, and Mann and Whitney's U over the number of pairs.
    """
    if not len(right) or not len(wrong):
        return float("nan")
    return float(stats.mannwhitneyu(right, wrong).statistic) / (len(right) * len(wrong))


def compare_flips(weights: Path, cases: Sequence[Case], point: OperatingPoint) -> pd.DataFrame:
    """Score the mask of the mean over left-right flips, and give their agreement, of every patient with a DWI."""
    threshold = unscaled_threshold(point)
    predictor = SubsetPredictor(weights, {"test_time_flips": [0], "threshold": threshold, "offset": 0.0})
    rows = []
    for case in track([case for case in cases if "dwi" in case.sequences], "Test phantoms"):
        for subset, probability, truth in predictor.predict(case, [FLIPPED]):
            mask = clean_mask(probability, threshold, point.minimum_lesion_ml)
            dice = VoxelCounts.of(np.asarray(mask[0]) > 0, np.asarray(truth[0]) > 0.5).dice
            told = {"sequences": "+".join(subset), "agreement": predictor.agreement, "dice": dice}
            rows.append({"patient": case.patient, **told})
    return pd.DataFrame(rows, columns=["patient", "sequences", "agreement", "dice"])


def by_agreement(flips: pd.DataFrame) -> pd.DataFrame:
    """Sum up `compare_flips`: mean Dice and how many patients, by agreement."""
    names = [f"up to {limit:g}" for limit in AGREEMENTS[1:]]
    limits = pd.cut(flips["agreement"], AGREEMENTS, labels=names, include_lowest=True)
    return pd.DataFrame(
        [
            {"agreement": limit, "phantoms": len(dice), "mean Dice": f"{dice.mean():.2f}"}
            for limit, dice in flips.groupby(limits, observed=True)["dice"]
        ]
    )
