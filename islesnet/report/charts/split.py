"""How the patients and their lesions are split, as figure 3 of Aboudi 2022 shows it, with the volumes it leaves out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from islesnet.report.charts.canvas import CYCLE, GREY, INK, SMALL, say_instead, sheet, shorten
from islesnet.report.wording import say

_SECTION_INCHES = 0.75


def draw_split(volumes_by_section: Mapping[str, Sequence[float]], path: Path, stamps: Sequence[str] = ()) -> Path:
    """Draw how many patients each section holds, and the lesion volume of each of them.

    Args:
        volumes_by_section: lesion volumes in ml by section, a patient each; NaN where the truth is unknown.
        path: of the PNG.
        stamps: words in capitals, drawn on top.
    """
    patients = sum(map(len, volumes_by_section.values()))
    with sheet(path, 1.1 + _SECTION_INCHES * max(len(volumes_by_section), 1), stamps) as figure:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.6))
        left.set_title("Patients")
        right.set_title("Lesion volumes")
        if not patients:
            say_instead(left, "none")
            say_instead(right, "none")
            return path
        places = range(len(volumes_by_section))
        for place, (colour, volumes) in enumerate(_coloured(volumes_by_section)):
            left.barh(place, len(volumes), height=0.55, color=colour)
            share = f"{len(volumes)} ({100 * len(volumes) / patients:.0f} %)"
            left.text(len(volumes) + 0.02 * patients, place, share, va="center", fontsize=SMALL)
            _draw_volumes(right, place, np.asarray(volumes, dtype=float), colour)
        left.set_yticks(places, [shorten(section, 16) for section in volumes_by_section])
        left.tick_params(axis="y", length=0)
        left.set(
            xlim=(0, 1.55 * max(map(len, volumes_by_section.values()))), ylim=(len(volumes_by_section) - 0.4, -0.6)
        )
        left.set_xticks([])
        left.grid(visible=False)
        right.tick_params(axis="y", length=0)
        right.set_xscale("log")
        right.set(xlim=(0.05, 500), xticks=[0.1, 1, 10, 100], xlabel="ml; line: median")
        right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        right.xaxis.set_minor_locator(NullLocator())
        right.grid(visible=False, axis="y")
    return path


def _coloured(volumes_by_section: Mapping[str, Sequence[float]]) -> list[tuple[str, Sequence[float]]]:
    return [(CYCLE[number % len(CYCLE)], volumes) for number, volumes in enumerate(volumes_by_section.values())]


def _draw_volumes(axes: Axes, place: int, volumes: np.ndarray, colour: str) -> None:
    known = volumes[~np.isnan(volumes)]
    if not known.size:
        return
    # Spread by rank, the same at every drawing, so that equal volumes do not hide each other.
    spread = 0.34 * ((np.arange(known.size) * 0.618) % 1.0 - 0.5)
    axes.scatter(np.sort(known).clip(0.06, None), place + spread, s=14, color=colour, alpha=0.8, linewidth=0)
    median = float(np.median(known))
    axes.vlines(max(median, 0.06), place - 0.3, place + 0.3, color=INK, lw=1.6)
    axes.text(
        max(median, 0.06), place - 0.33, f"{say(median, 1)} ml", fontsize=SMALL, ha="center", va="bottom", color=GREY
    )
