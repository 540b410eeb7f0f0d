"""Charts as PNG files: headless, the same for the same numbers, told apart without colour."""

from islesnet.report.charts.comparison import draw_comparison_bars
from islesnet.report.charts.reliability import draw_reliability
from islesnet.report.charts.split import draw_split
from islesnet.report.charts.training import draw_training_curves
from islesnet.report.charts.volumes import draw_bland_altman, draw_dice_against_volume

__all__ = [
    "draw_bland_altman",
    "draw_comparison_bars",
    "draw_dice_against_volume",
    "draw_reliability",
    "draw_split",
    "draw_training_curves",
]
