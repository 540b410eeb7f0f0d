"""Whether a probability of 0.7 is right seven times of ten."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from islesnet.metrics import expected_calibration_error
from islesnet.report.charts.canvas import BLUE, GREY, SKY, say_instead, sheet
from islesnet.report.wording import say


def draw_reliability(table: pd.DataFrame, path: Path, stamps: Sequence[str] = ()) -> Path:
    """Draw the share of lesion in each bin of probability, and how many voxels the bin holds.

    Args:
        table: low, high, voxels, mean_probability and lesion_share of each bin.
        path: of the PNG.
        stamps: words in capitals, drawn on top.
    """
    filled = table[table["voxels"] > 0]
    with sheet(path, 5.6, stamps) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.1))
        upper.set_title("Reliability of the probabilities")
        if filled.empty:
            say_instead(upper, "No voxel was counted.")
            say_instead(lower, "")
            return path
        upper.plot([0, 1], [0, 1], color=GREY, ls="--", lw=1.2, label="perfect")
        upper.plot(
            filled["mean_probability"], filled["lesion_share"], color=BLUE, marker="o", ms=5, lw=1.5, label="measured"
        )
        upper.set(ylabel="Share of true lesion", xlim=(-0.02, 1.02), ylim=(-0.04, 1.04))
        upper.legend(
            loc="upper left", title=f"calibration error {say(expected_calibration_error(table), 4)}", alignment="left"
        )
        lower.bar(
            table["low"],
            table["voxels"],
            width=table["high"] - table["low"],
            align="edge",
            color=SKY,
            edgecolor="white",
        )
        lower.set_yscale("log")
        lower.set(
            xlabel="Predicted probability of lesion", ylabel="Voxels", ylim=(0.5, 3 * float(table["voxels"].max()))
        )
        lower.set_yticks(*_powers_of_ten(float(table["voxels"].max())))
        lower.minorticks_off()
    return path


def _powers_of_ten(largest: float) -> tuple[list[float], list[str]]:
    names = {1: "1", 1e3: "1000", 1e6: "1 mill.", 1e9: "1 bill."}
    ticks = [tick for tick in names if tick <= 3 * largest]
    return ticks, [names[tick] for tick in ticks]
