"""The slices of a patient that a report shows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.report.page import Panel
from islesnet.report.patient.panels import Plane, draw_plane, enlarge
from islesnet.report.patient.volumes import PatientVolumes
from islesnet.report.pictures import scale_to_window, to_screen
from islesnet.sequences import DISPLAY_NAMES

KEY_WIDTH, MONTAGE_WIDTH = 340, 200
MOST_MONTAGE_SLICES = 36
MARGIN_MM = 6.0
# Of the brain mask's height: near the skull base, where a mask is worst, midway, and near the vertex.
BRAIN_SLICES = (0.1, 0.5, 0.9)
# Edges of the reference: wide enough to leave noise and small vessels away, and the stronger part of them.
EDGE_MM, STRONG_EDGES = 2.5, 0.55

# Names of a plane, its axes, and the letters of its left and right ends.
_PLANES = {"axial": ((0, 1), ("R", "L")), "coronal": ((0, 2), ("R", "L")), "sagittal": ((1, 2), ("A", "P"))}


class PatientSlices:
    """Draws slices of a patient's volumes, every one cut to the same box around the head.

    Args:
        volumes: what is drawn.
    """

    def __init__(self, volumes: PatientVolumes) -> None:
        self.volumes = volumes
        self.box = _head_box(volumes)

    def of_lesion(self, number: int) -> list[Panel]:
        """Draw the slice with the largest area of a lesion: the reference bare, then all that there is, outlined."""
        lesion = self.volumes.lesions[0] == number
        index = int(lesion.sum(axis=(0, 1)).argmax())
        marks = [lesion[..., index], self.volumes.mask[..., index] & ~lesion[..., index]]
        where = f"slice {self.volumes.slice_number(index)}"
        bare, name = self._axial(self.volumes.reference, index), say_sequence(self.volumes.reference)
        panels = [Panel(draw_plane(bare, KEY_WIDTH), f"{name}, no outline", f"{name}, {where}, without outlines")]
        for sequence in self.volumes.drawn:
            png = draw_plane(self._axial(sequence, index, marks), KEY_WIDTH)
            name = say_sequence(sequence)
            panels.append(Panel(png, name, f"{name}, {where}, lesion {number} outlined"))
        return panels

    def of_middle(self) -> list[Panel]:
        """Draw all that there is in the slice with the most brain."""
        index = int(self.volumes.brain.sum(axis=(0, 1)).argmax())
        where = f"slice {self.volumes.slice_number(index)}"
        return [
            Panel(draw_plane(self._axial(name, index), KEY_WIDTH), f"{say_sequence(name)}, {where}", say_sequence(name))
            for name in self.volumes.drawn
        ]

    def montage(self) -> list[Panel]:
        """Draw the slices with lesion on the reference, from the feet up; evenly spread where they are too many."""
        panels, name = [], say_sequence(self.volumes.reference)
        for index in self.montage_slices():
            png = draw_plane(self._axial(self.volumes.reference, index, [self.volumes.mask[..., index]]), MONTAGE_WIDTH)
            number = str(self.volumes.slice_number(index))
            panels.append(Panel(png, number, f"{name}, slice {number}, lesions outlined"))
        return panels

    def montage_slices(self) -> list[int]:
        """Choose the slices of the montage."""
        marked = np.flatnonzero(self.volumes.mask.any(axis=(0, 1)))
        if len(marked) > MOST_MONTAGE_SLICES:
            marked = marked[np.rint(np.linspace(0, len(marked) - 1, MOST_MONTAGE_SLICES)).astype(int)]
        return [int(index) for index in marked]

    def registration(self, sequence: str) -> list[Panel]:
        """Draw the reference's edges over a sequence that was moved to it, in three planes through its middle."""
        panels = []
        for plane in _PLANES:
            ground, reference = (self._middle(name, plane) for name in (sequence, self.volumes.reference))
            edges = _edges(reference, reference.screen_shape(KEY_WIDTH))
            panels.append(
                Panel(
                    draw_plane(ground, KEY_WIDTH, edges),
                    f"{say_sequence(sequence)}, {plane}",
                    f"Edges of {say_sequence(self.volumes.reference)} over {say_sequence(sequence)}, {plane}",
                )
            )
        return panels

    def brain(self) -> list[Panel]:
        """Draw the outline of the brain mask on the reference: low, midway and high, and in the other middle planes."""
        panels, name = [], say_sequence(self.volumes.reference)
        for index in self.brain_slices():
            brain = self.volumes.brain[..., index]
            png = draw_plane(self._axial(self.volumes.reference, index, [np.zeros_like(brain), brain]), KEY_WIDTH)
            where = f"slice {self.volumes.slice_number(index)}"
            panels.append(Panel(png, f"{name}, {where}", f"Brain mask on {name}, axial, {where}"))
        for plane in ("coronal", "sagittal"):
            ground = self._middle(self.volumes.reference, plane)
            brain = self._through_middle(self.volumes.brain, plane)
            outlined = replace(ground, marks=[np.zeros_like(brain), brain])
            panels.append(Panel(draw_plane(outlined, KEY_WIDTH), f"{name}, {plane}", f"Brain mask on {name}, {plane}"))
        return panels

    def brain_slices(self) -> list[int]:
        """Choose a low, a middle and a high slice of the brain mask; fewer where it has fewer."""
        slices = np.flatnonzero(self.volumes.brain.any(axis=(0, 1)))
        if not slices.size:
            return []
        places = np.rint(np.array(BRAIN_SLICES) * (len(slices) - 1)).astype(int)
        return [int(index) for index in np.unique(slices[places])]

    def _axial(self, sequence: str, index: int, marks: Sequence[np.ndarray] = ()) -> Plane:
        across, front, _ = self.box
        grey = scale_to_window(self.volumes.drawn[sequence][across, front, index], self.volumes.windows[sequence])
        return Plane(grey, self.volumes.spacing[:2], marks=[mark[across, front] for mark in marks])

    def _middle(self, sequence: str, plane: str) -> Plane:
        (across, up), ends = _PLANES[plane]
        values, spacing = self._through_middle(self.volumes.drawn[sequence], plane), self.volumes.spacing
        return Plane(scale_to_window(values, self.volumes.windows[sequence]), (spacing[across], spacing[up]), ends)

    def _through_middle(self, volume: np.ndarray, plane: str) -> np.ndarray:
        (across, up), _ = _PLANES[plane]
        (through,) = {0, 1, 2} - {across, up}
        middle = (self.box[through].start + self.box[through].stop) // 2
        return np.take(volume[_wide(self.box, through)], middle, axis=through)


def say_sequence(name: str) -> str:
    """Write a sequence's name as it is read."""
    return DISPLAY_NAMES.get(name, name)


def _edges(plane: Plane, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Find edges as thin lines on the screen: zero crossings of the Laplacian of Gaussian where the gradient is strong.

    Marr and Hildreth, Proc R Soc Lond B 207, 1980, 187-217.
    """
    screen = enlarge(to_screen(plane.grey), shape)
    width_mm = plane.grey.shape[0] * plane.pixel_mm[0]
    sigma = EDGE_MM * shape[1] / width_mm
    positive = ndimage.gaussian_laplace(screen, sigma) > 0
    crossing = positive & ~ndimage.binary_erosion(positive, border_value=1)
    strength = ndimage.gaussian_gradient_magnitude(screen, sigma)
    at_edges = strength[crossing]
    if at_edges.size:
        crossing &= strength > np.quantile(at_edges, STRONG_EDGES)
    return np.asarray(ndimage.binary_dilation(crossing, structure=np.ones((2, 2), dtype=bool)))


def _head_box(volumes: PatientVolumes) -> tuple[slice, slice, slice]:
    shown = volumes.head | volumes.mask
    if not shown.any():
        return slice(0, volumes.shape[0]), slice(0, volumes.shape[1]), slice(0, volumes.shape[2])
    (box,) = ndimage.find_objects(shown.astype(np.uint8))
    margins = [round(MARGIN_MM / length) for length in volumes.spacing]
    x, y, z = (
        slice(max(part.start - margin, 0), min(part.stop + margin, size))
        for part, margin, size in zip(box, margins, volumes.shape, strict=True)
    )
    return x, y, z


def _wide(box: tuple[slice, slice, slice], through: int) -> tuple[slice, ...]:
    """Leave one axis of a box uncut."""
    return tuple(slice(None) if axis == through else part for axis, part in enumerate(box))
