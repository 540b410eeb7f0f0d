"""How the scores hang on the size of the lesion: Bland-Altman of volumes, and Dice against volume."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from matplotlib.transforms import blended_transform_factory

from islesnet.metrics import size_strata
from islesnet.metrics.summary import LARGE_ML, SMALL_ML
from islesnet.report.charts.canvas import BLUE, GREY, INK, LIGHT, SMALL, VERMILION, say_instead, sheet
from islesnet.report.wording import say

_TICKS_ML = (0.1, 1, 10, 100, 1000)
_SMALLEST_ML = 0.01


def draw_bland_altman(scores: pd.DataFrame, path: Path, stamps: Sequence[str] = ()) -> Path:
    """Draw each patient's error of volume against the mean of truth and mask, with its mean and limits of agreement.

    Bland and Altman, Lancet 1986: the limits are the mean error and 1.96 standard deviations to either side, between
    which 95 % of the errors lie where they are normally distributed.

    Args:
        scores: with true_ml and predicted_ml; patients without either are left out.
        path: of the PNG.
        stamps: words in capitals, drawn on top.
    """
    volumes = scores[["true_ml", "predicted_ml"]].astype(float).dropna()
    mean, error = volumes.mean(axis=1), volumes["predicted_ml"] - volumes["true_ml"]
    with sheet(path, 4.2, stamps) as figure:
        axes = figure.subplots()
        axes.set_title("Volume of the mask against the truth")
        axes.set(xlabel="Mean of true and mask's volume (ml)", ylabel="Mask − truth (ml)")
        if volumes.empty:
            say_instead(axes, "No patient has both volumes.")
            return path
        axes.axhline(0, color=GREY, lw=0.8)
        axes.scatter(mean, error, s=26, color=BLUE, alpha=0.75, linewidth=0)
        # Linear to 1 ml, so that a volume of 0 has its place, and logarithmic above.
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xlim(-0.08, max(10.0, 1.4 * float(mean.max())))
        _tick_volumes(axes, (0, *_TICKS_ML[1:]))
        _draw_limits(axes, error)
        figure.legend(loc="outside lower center", ncols=2)
    return path


def draw_dice_against_volume(scores: pd.DataFrame, path: Path, stamps: Sequence[str] = ()) -> Path:
    """Draw every patient's Dice against the true volume, with the bounds of the strata and each one's mean.

    Patients without a lesion stand at the left edge; a lesion that the mask misses altogether is a cross.

    Args:
        scores: with dice, true_ml and predicted_ml; patients without a Dice are left out.
        path: of the PNG.
        stamps: words in capitals, drawn on top.
    """
    known = scores[["dice", "true_ml", "predicted_ml"]].astype(float).dropna()
    with sheet(path, 4.2, stamps) as figure:
        axes = figure.subplots()
        axes.set_title("Dice against the size of the lesion", pad=18)
        axes.set(xlabel="True lesion volume (ml)", ylabel="Dice", ylim=(-0.04, 1.04))
        if known.empty:
            say_instead(axes, "No patient has a Dice.")
            return path
        place = known["true_ml"].clip(lower=_SMALLEST_ML)
        is_missed = (known["true_ml"] > 0) & (known["dice"] == 0)
        has_none = known["true_ml"] == 0
        kinds: tuple[tuple[pd.Series, dict[str, Any], str], ...] = (
            (~is_missed & ~has_none, {"marker": "o", "s": 26, "color": BLUE, "alpha": 0.75, "linewidth": 0}, "patient"),
            (is_missed, {"marker": "x", "s": 34, "color": VERMILION}, "lesion missed"),
            (has_none, {"marker": "D", "s": 26, "facecolor": "none", "edgecolor": INK}, "no lesion (at the left edge)"),
        )
        for chosen, look, label in kinds:
            if chosen.any():
                axes.scatter(
                    place[chosen], known["dice"][chosen], label=f"{label}: {int(chosen.sum())}", zorder=3, **look
                )
        axes.set_xscale("log")
        axes.set_xlim(0.75 * min(0.1, float(place.min())), 1.4 * max(300.0, float(place.max())))
        _tick_volumes(axes, _TICKS_ML)
        _draw_strata(axes, known)
        figure.legend(loc="outside lower center", ncols=3)
    return path


def _draw_limits(axes: Axes, error: pd.Series) -> None:
    bias = float(error.mean())
    axes.axhline(bias, color=VERMILION, lw=1.4, label=f"mean error {say(bias, 1)} ml")
    limits = [bias]
    if len(error) > 1:
        spread = 1.96 * float(error.std(ddof=1))
        limits = [bias - spread, bias + spread]
        _, upper = (axes.axhline(limit, color=VERMILION, lw=1.2, ls="--") for limit in limits)
        upper.set_label(f"limits of agreement {say(limits[0], 1)} and {say(limits[1], 1)} ml")
    # Room for the lines where all errors are alike.
    furthest = max(1.0, *map(abs, limits), float(error.abs().max()))
    axes.set_ylim(-1.15 * furthest, 1.15 * furthest)


def _draw_strata(axes: Axes, known: pd.DataFrame) -> None:
    low, high = axes.get_xlim()
    for bound in (SMALL_ML, LARGE_ML):
        axes.axvline(bound, color=GREY, lw=1.0, ls=":")
    edges = pairwise((low, SMALL_ML, LARGE_ML, high))
    for (left, right), is_here in zip(edges, size_strata(known["true_ml"]).values(), strict=True):
        dice = known["dice"][is_here]
        if dice.empty:
            continue
        mean = float(dice.mean())
        axes.hlines(mean, left, right, color=LIGHT, lw=5, zorder=1)
        above = blended_transform_factory(axes.transData, axes.transAxes)
        axes.text(np.sqrt(left * right), 1.01, f"mean {say(mean)}", transform=above, ha="center", fontsize=SMALL)


def _tick_volumes(axes: Axes, ticks: Sequence[float]) -> None:
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
