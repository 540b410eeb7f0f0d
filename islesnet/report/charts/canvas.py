"""The sheet that every chart and montage is drawn on."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from matplotlib.layout_engine import ConstrainedLayoutEngine

from islesnet.files import whole_file

# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK, GREY, LIGHT = "#1b1f24", "#6b7280", "#d5dae0"
ALARM = "#8a1c1c"
# For lines beside each other; dashes differ too.
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, INK)
DASHES = ("-", "--", "-.", ":")
# A page shows a picture at 358 (phone) to 540 pixels (laptop); the type is sized for both.
WIDTH_INCHES = 5.6
DOTS_PER_INCH = 200
SMALL = 9.0

_STAMP_INCHES = 0.32
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.titlelocation": "left",
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a patient may be called $x$
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
    "hatch.linewidth": 0.8,
}


@contextmanager
def sheet(path: Path, height: float, stamps: Sequence[str]) -> Iterator[FigureBase]:
    """Give a figure to draw on; where that succeeds it is stamped and written as a PNG.

    The reader's own matplotlib settings neither change it nor are changed.

    Args:
        path: of the PNG.
        height: in inches, without the strip of the stamps.
        stamps: words in capitals, in a strip along the top.
    """
    strip = _STAMP_INCHES if stamps else 0.0
    # A name in a script that the font lacks is drawn as boxes; the page beside the picture has it right.
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.01)
        figure = Figure(figsize=(WIDTH_INCHES, height + strip), dpi=DOTS_PER_INCH, layout=layout)
        FigureCanvasAgg(figure)
        if stamps:
            top, body = figure.subfigures(2, 1, height_ratios=(strip, height), squeeze=False)[:, 0]
            top.set_facecolor(ALARM)
            top.text(0.5, 0.5, "  ·  ".join(stamps), color="white", weight="bold", ha="center", va="center_baseline")
            yield body
        else:
            yield figure
        with whole_file(path) as part:
            figure.savefig(part, format="png", metadata={"Software": None})


def say_instead(axes: Axes, text: str) -> None:
    """Write why there is nothing to draw, in the middle of empty axes."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)


def shorten(name: str, length: int = 28) -> str:
    """Shorten a name that would not fit, in the middle, where names differ least; white space becomes one blank."""
    name = " ".join(name.split())
    if len(name) <= length:
        return name
    tail = (length - 1) // 2
    return f"{name[: length - 1 - tail]}…{name[-tail:]}"
