"""Accuracy, loss and Dice over the epochs, as figure 10 of Aboudi 2022 shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from islesnet.report.charts.canvas import CYCLE, DASHES, SMALL, say_instead, sheet, shorten

_PANELS = {
    "val_accuracy": "Accuracy on the validation patients",
    "loss": "Training loss",
    "val_mean_dice": "Mean Dice on the validation patients",
}
_PANEL_INCHES = 2.1
# So many lines a legend still names; more are folds of one kind, drawn thin with their mean.
_NAMED = len(CYCLE)


def draw_training_curves(histories: Mapping[str, pd.DataFrame], path: Path, stamps: Sequence[str] = ()) -> Path:
    """Draw the curves of one or several trainings, a panel for each of accuracy, loss and Dice that any of them has.

    Args:
        histories: by name, as `read_history` gives them: rows are epochs.
        path: of the PNG.
        stamps: words in capitals, drawn on top.
    """
    columns = [column for column in _PANELS if any(_curve(history, column).size for history in histories.values())]
    with sheet(path, _PANEL_INCHES * max(len(columns), 1) + 0.5, stamps) as figure:
        panels = figure.subplots(max(len(columns), 1), 1, sharex=True, squeeze=False)[:, 0]
        if not columns:
            say_instead(panels[0], "No curve was recorded.")
            return path
        for axes, column in zip(panels, columns, strict=True):
            _draw_panel(axes, {name: _curve(history, column) for name, history in histories.items()})
            axes.set_title(_PANELS[column])
        panels[-1].set_xlabel("Epoch")
        epochs = [epoch for history in histories.values() for epoch in history.index]
        panels[-1].set_xlim(min(epochs) - 0.6, max(epochs) + 0.6)
        panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        handles, labels = panels[0].get_legend_handles_labels()
        if len(labels) > 1:
            figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3), fontsize=SMALL)
    return path


def _draw_panel(axes: Axes, curves: Mapping[str, pd.Series]) -> None:
    are_named = len(curves) <= _NAMED
    for number, (name, curve) in enumerate(curves.items()):
        colour, dashes = (CYCLE[number % len(CYCLE)], DASHES[number % len(DASHES)]) if are_named else (CYCLE[0], "-")
        label = shorten(name) if are_named else ("each training" if number == 0 else None)
        width, opacity = (1.5, 1.0) if are_named else (0.7, 0.45)
        # One epoch alone has no line.
        marker = "o" if curve.size == 1 else None
        axes.plot(curve.index, curve, color=colour, ls=dashes, lw=width, alpha=opacity, marker=marker, label=label)
    if not are_named:
        mean = pd.concat(list(curves.values()), axis=1).mean(axis=1)
        axes.plot(mean.index, mean, color=CYCLE[1], lw=2.0, label="their mean")


def _curve(history: pd.DataFrame, column: str) -> pd.Series:
    return history[column].dropna() if column in history else pd.Series(dtype=float)
