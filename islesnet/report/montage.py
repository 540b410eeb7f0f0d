"""One patient at a glance: the sequences, the truth, the mask."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import FigureBase
from matplotlib.lines import Line2D

from islesnet.report.charts.canvas import GREY, ORANGE, SKY, SMALL, WIDTH_INCHES, sheet
from islesnet.report.pictures import HEAD_LEVEL, grey_slice, largest_slice, to_screen
from islesnet.sequences import DISPLAY_NAMES, REFERENCE_ORDER, SEQUENCES

# Told apart with every kind of colour blindness, and both bright on grey.
TRUTH_COLOUR, MASK_COLOUR = SKY, ORANGE

_COLUMNS = 3
_PANEL_INCHES = 0.98 * WIDTH_INCHES / _COLUMNS
_MARGIN_VOXELS = 4
# Outlines run along the voxels' edges only where a voxel is several pixels.
_MAGNIFY = 4


def draw_patient(
    images: Mapping[str, np.ndarray],
    truth: np.ndarray | None,
    prediction: np.ndarray,
    path: Path,
    title: str,
    stamps: Sequence[str] = (),
    ground: str | None = None,
) -> Path:
    """Draw the slice with the largest truth: the sequences, the truth and the mask over one of them.

    Radiological convention for RAS volumes: the patient's right on the left, anterior up. A sequence that the patient
    lacks is an empty panel that says so. A mask that marks nothing in that slice is shown in its own largest, whose
    number stands in the panel.

    Args:
        images: volumes by sequence ("dwi", "t1", "t2", "flair", any subset), on one RAS grid.
        truth: mask, lesion where > 0.5, or None where it is unknown.
        prediction: mask, likewise.
        path: of the PNG.
        title: of the picture, e.g. patient, Dice and volumes, in one or two lines.
        stamps: words in capitals, drawn on top.
        ground: the one sequence that the mask was made from: it alone is drawn, with the outlines on it. None draws
            all four, the outlines on the first present of DWI, FLAIR, T2, T1.

    Shapes:
        volumes and masks ``(X, Y, Z)``.
    """
    names = list(SEQUENCES) if ground is None else [ground]
    images = {name: images[name] for name in names if name in images}
    lesion = None if truth is None else truth > 0.5
    mask = prediction > 0.5
    known = [marks for marks in (lesion, mask) if marks is not None]
    index = largest_slice(*known)
    mask_index = index if mask[..., index].any() or not mask.any() else largest_slice(mask)
    box = _head_box(images, known, {index, mask_index})
    rows = (len(names) + 2) // _COLUMNS
    with sheet(path, _height(box, rows), stamps) as figure:
        *panels, of_truth, of_mask = _lay_out(figure, title, index, rows)
        _draw_sequences(panels, images, names, index, box)
        _draw_ground(of_mask, images, mask_index, box, "Mask")
        _fill(of_mask, mask[..., mask_index], MASK_COLOUR, box)
        if lesion is None:
            _draw_absent(of_truth, "Truth unknown", box)
        else:
            _draw_ground(of_truth, images, index, box, "Truth")
            _fill(of_truth, lesion[..., index], TRUTH_COLOUR, box)
            _outline(of_mask, lesion[..., mask_index], TRUTH_COLOUR, box)
            _outline(of_mask, mask[..., mask_index], MASK_COLOUR, box)
        if mask_index != index:
            _write(of_mask, f"slice {mask_index + 1}", 0.02, 0.02, ha="left", va="bottom")
        lines = [Line2D([], [], color=TRUTH_COLOUR, label="truth"), Line2D([], [], color=MASK_COLOUR, label="mask")]
        figure.legend(handles=lines, loc="outside lower right", ncols=2)
    return path


def draw_sequences(
    images: Mapping[str, np.ndarray], truth: np.ndarray, path: Path, title: str, stamps: Sequence[str] = ()
) -> Path:
    """Draw one slice of the four sequences and its mask, as figure 2 of Aboudi 2022 shows them.

    Args:
        images: volumes by sequence, on one RAS grid.
        truth: mask, lesion where > 0.5.
        path: of the PNG.
        title: of the picture.
        stamps: words in capitals, drawn on top.

    Shapes:
        volumes and mask ``(X, Y, Z)``.
    """
    lesion = truth > 0.5
    index = largest_slice(lesion)
    box = _head_box(images, [lesion], {index})
    with sheet(path, _height(box, rows=2), stamps) as figure:
        panels = _lay_out(figure, title, index, rows=2)
        _draw_sequences(panels, images, list(SEQUENCES), index, box)
        _draw_slice(panels[4], lesion.astype(np.float32), index, box, "Mask", is_scaled=True)
        _draw_ground(panels[5], images, index, box, "Mask's outline")
        _outline(panels[5], lesion[..., index], TRUTH_COLOUR, box)
    return path


def _lay_out(figure: FigureBase, title: str, index: int, rows: int) -> list[Axes]:
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    figure.supxlabel(
        f"axial slice {index + 1}; R, L: the patient's right, left", x=0.01, ha="left", fontsize=SMALL, color=GREY
    )
    return list(figure.subplots(rows, _COLUMNS).ravel())


def _draw_sequences(
    panels: Sequence[Axes],
    images: Mapping[str, np.ndarray],
    names: Sequence[str],
    index: int,
    box: tuple[slice, slice],
) -> None:
    for axes, name in zip(panels, names, strict=False):
        if name in images:
            _draw_slice(axes, images[name], index, box, DISPLAY_NAMES[name])
        else:
            _draw_absent(axes, f"{DISPLAY_NAMES[name]} absent", box)


def _draw_slice(
    axes: Axes, volume: np.ndarray, index: int, box: tuple[slice, slice], name: str, is_scaled: bool = False
) -> None:
    plane = volume[..., index] if is_scaled else grey_slice(volume, index)
    axes.imshow(to_screen(plane[box]), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    _name_panel(axes, name)
    for letter, side, align in (("R", 0.02, "left"), ("L", 0.98, "right")):
        _write(axes, letter, side, 0.98, ha=align, va="top")


def _write(axes: Axes, text: str, across: float, up: float, **alignment: Any) -> None:
    axes.text(across, up, text, transform=axes.transAxes, color="white", fontsize=SMALL, **alignment)


def _draw_absent(axes: Axes, text: str, box: tuple[slice, slice]) -> None:
    columns, rows = (part.stop - part.start for part in box)
    axes.set_box_aspect(rows / columns)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.set_facecolor("#f3f4f6")
    _name_panel(axes, "")


def _name_panel(axes: Axes, name: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(name, fontsize=SMALL + 0.5, pad=3)


def _fill(axes: Axes, marks: np.ndarray, colour: str, box: tuple[slice, slice]) -> None:
    screen = to_screen(marks[box])
    axes.imshow(np.where(screen, 1.0, np.nan), cmap=ListedColormap([colour]), alpha=0.35, interpolation="nearest")
    _outline(axes, marks, colour, box)


def _outline(axes: Axes, marks: np.ndarray, colour: str, box: tuple[slice, slice]) -> None:
    screen = np.pad(to_screen(marks[box], _MAGNIFY), 1)
    if not screen.any():
        return
    rows, columns = ((np.arange(size) - 0.5) / _MAGNIFY - 0.5 for size in screen.shape)
    axes.contour(columns, rows, screen, levels=[0.5], colors=[colour], linewidths=1.1)


def _draw_ground(axes: Axes, images: Mapping[str, np.ndarray], index: int, box: tuple[slice, slice], name: str) -> None:
    sequence = next((sequence for sequence in REFERENCE_ORDER if sequence in images), None)
    if sequence is not None:
        _draw_slice(axes, images[sequence], index, box, f"{name} on {DISPLAY_NAMES[sequence]}")
        return
    columns, rows = (part.stop - part.start for part in box)
    axes.imshow(np.zeros((rows, columns)), cmap="gray", vmin=0, vmax=1)
    _name_panel(axes, name)


def _head_box(
    images: Mapping[str, np.ndarray], masks: Sequence[np.ndarray], indices: Collection[int]
) -> tuple[slice, slice]:
    """Find the part of the slices that holds the head and every mark, so that it fills its panel."""
    width, depth = masks[0].shape[:2]
    shown = np.zeros((width, depth), dtype=bool)
    for sequence in (sequence for sequence in SEQUENCES if sequence in images):
        for index in indices:
            shown |= grey_slice(images[sequence], index) > HEAD_LEVEL
    if not shown.any():
        return slice(0, width), slice(0, depth)
    for marks in masks:
        for index in indices:
            shown |= marks[..., index]
    return _span(shown, axis=0), _span(shown, axis=1)


def _span(shown: np.ndarray, axis: int) -> slice:
    places = np.argwhere(shown)[:, axis]
    first, last = int(places.min()), int(places.max())
    return slice(max(first - _MARGIN_VOXELS, 0), min(last + 1 + _MARGIN_VOXELS, shown.shape[axis]))


def _height(box: tuple[slice, slice], rows: int) -> float:
    width, depth = (part.stop - part.start for part in box)
    return rows * (_PANEL_INCHES * depth / width + 0.24) + 0.72
