"""One plane of a volume as a small picture: grey, outlined, in true proportions, its sides marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from islesnet.report.charts.canvas import ORANGE, SKY
from islesnet.report.pictures import to_screen

# Orange marks the lesion that is meant, blue any other; both are bright on grey, for every kind of colour blindness.
COLOURS = (ORANGE, SKY)
# A picture has 256 colours: the marks' and, below them, greys.
_GREYS = 256 - len(COLOURS)
_OUTLINE_PIXELS = 2
_LETTER_SHARE, _LEAST_LETTER_PIXELS = 0.075, 13
_LETTER_FILE = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"


@dataclass(frozen=True)
class Plane:
    """One plane of a volume as it is looked at.

    Args:
        grey: 0..1, growing to the patient's right (or front) and then up; drawn from the right (or front) to the left.
        pixel_mm: lengths of a pixel along the two axes.
        ends: letters of the picture's left and right ends.
        marks: what is outlined, in the order of `COLOURS`.

    Shapes:
        grey and marks ``(A, B)``.
    """

    grey: np.ndarray
    pixel_mm: tuple[float, float]
    ends: tuple[str, str] = ("R", "L")
    marks: Sequence[np.ndarray] = ()

    def screen_shape(self, width: int) -> tuple[int, int]:
        """Rows and columns of the picture for a width, so that a mm is as long down as across."""
        across, up = (size * length for size, length in zip(self.grey.shape, self.pixel_mm, strict=True))
        return max(round(width * up / across), 1), width


def draw_plane(plane: Plane, width: int, lines: NDArray[np.bool_] | None = None) -> bytes:
    """Draw a plane as a PNG, every voxel a block of its true proportions, outlines just outside of what they mark.

    Radiological convention: the patient's right on the left, or the front on the left; up is up.

    Args:
        plane: what is drawn.
        width: of the picture in pixels.
        lines: pixels of the picture, ``plane.screen_shape(width)``, that are drawn in the first colour.
    """
    rows, columns = plane.screen_shape(width)
    picture = Image.fromarray(np.uint8(np.rint(enlarge(to_screen(plane.grey), (rows, columns)) * (_GREYS - 1))))
    _write_ends(picture, plane.ends)
    pixels = np.array(picture)
    for colour, mark in reversed(list(enumerate(plane.marks))):
        screen = np.pad(enlarge(to_screen(mark), (rows, columns)), _OUTLINE_PIXELS)
        outline = ndimage.binary_dilation(screen, iterations=_OUTLINE_PIXELS) & ~screen
        pixels[outline[_OUTLINE_PIXELS:-_OUTLINE_PIXELS, _OUTLINE_PIXELS:-_OUTLINE_PIXELS]] = _GREYS + colour
    if lines is not None:
        pixels[lines] = _GREYS
    return _encode(pixels)


def enlarge(screen: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Repeat pixels to fill a shape; the nearest is taken, so nothing is blurred."""
    places = [(np.arange(size) + 0.5) * old / size for size, old in zip(shape, screen.shape, strict=True)]
    return screen[np.ix_(*(place.astype(int) for place in places))]


def _write_ends(picture: Image.Image, ends: tuple[str, str]) -> None:
    size = max(round(_LETTER_SHARE * picture.width), _LEAST_LETTER_PIXELS)
    font, draw, margin = ImageFont.truetype(str(_LETTER_FILE), size), ImageDraw.Draw(picture), size // 4
    places = ((margin, "la"), (picture.width - margin, "ra"))
    for letter, (column, anchor) in zip(ends, places, strict=True):
        draw.text((column, margin), letter, fill=_GREYS - 1, font=font, anchor=anchor, stroke_width=2, stroke_fill=0)


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    greys = np.repeat(np.linspace(0, 255, _GREYS), 3)
    colours = [255 * part for colour in COLOURS for part in to_rgb(colour)]
    picture = Image.fromarray(pixels)
    picture.putpalette([round(part) for part in (*greys, *colours)])
    file = BytesIO()
    picture.save(file, format="png", optimize=True)
    return file.getvalue()
