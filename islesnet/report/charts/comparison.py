"""Dice of ours beside other methods, as figure 11 of Aboudi 2022 shows it, with our interval and whose data it was."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from islesnet.report.charts.canvas import BLUE, GREY, INK, LIGHT, SKY, SMALL, say_instead, sheet, shorten
from islesnet.report.published import ComparisonRow
from islesnet.report.wording import say

_HATCH = "////"


def draw_comparison_bars(rows: Sequence[ComparisonRow], path: Path, stamps: Sequence[str] = ()) -> Path:
    """Draw a bar for every row, the best on top: ours blue with its interval, scores known to be on other data hatched.

    Args:
        rows: ours and published ones; rows without a Dice are left out.
        path: of the PNG.
        stamps: words in capitals, drawn on top.
    """
    drawn = sorted((row for row in rows if row.dice is not None and not math.isnan(row.dice)), key=_dice)
    with sheet(path, 1.2 + 0.46 * max(len(drawn), 2), stamps) as figure:
        axes = figure.subplots()
        if not drawn:
            say_instead(axes, "There is nothing to compare.")
            return path
        for place, row in enumerate(drawn):
            _draw_bar(axes, place, row)
        axes.set_yticks(range(len(drawn)), [f"{shorten(row.system)}\n{shorten(row.data, 36)}" for row in drawn])
        axes.tick_params(axis="y", length=0, labelsize=SMALL)
        for label, row in zip(axes.get_yticklabels(), drawn, strict=True):
            label.set_fontweight("bold" if row.is_ours else "normal")
        axes.set(xlim=(0, 1.12), xticks=[0, 0.2, 0.4, 0.6, 0.8, 1.0], xlabel="Dice", ylim=(-0.6, len(drawn) - 0.4))
        axes.grid(visible=False, axis="y")
        figure.legend(handles=_legend(drawn), loc="outside lower center", ncols=3)
    return path


def _draw_bar(axes: Axes, place: int, row: ComparisonRow) -> None:
    dice = _dice(row)
    axes.barh(
        place,
        dice,
        height=0.62,
        color=SKY if row.is_ours else LIGHT,
        edgecolor=BLUE if row.is_ours else GREY,
        hatch=_HATCH if row.is_siss is False else None,
    )
    end = dice
    if row.low is not None and row.high is not None:
        axes.hlines(place, row.low, row.high, color=INK, lw=1.6)
        axes.plot([row.low, row.high], [place, place], ls="", marker="|", ms=9, mew=1.6, color=INK)
        end = max(dice, row.high)
    axes.text(end + 0.015, place, say(dice), va="center", fontsize=SMALL)


def _legend(rows: Sequence[ComparisonRow]) -> list[Patch]:
    legend = {
        "scored here": Patch(facecolor=SKY, edgecolor=BLUE) if any(row.is_ours for row in rows) else None,
        "as published": Patch(facecolor=LIGHT, edgecolor=GREY) if not all(row.is_ours for row in rows) else None,
        "other data than SISS": Patch(facecolor="white", edgecolor=GREY, hatch=_HATCH)
        if any(row.is_siss is False for row in rows)
        else None,
    }
    for label, patch in legend.items():
        if patch is not None:
            patch.set_label(label)
    return [patch for patch in legend.values() if patch is not None]


def _dice(row: ComparisonRow) -> float:
    return 0.0 if row.dice is None else row.dice
