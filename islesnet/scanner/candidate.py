"""One volume that may be a sequence: what is known of it, and how to read it when it is chosen."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.scanner.facts import Facts
from islesnet.scanner.patient import DicomFrame, Image

_SAME_GRID_MM = 0.1


class UnusableError(Exception):
    """A series or file that cannot be used, and why; the reading goes on without it unless the user named it."""


@dataclass(frozen=True)
class Grid:
    """Where a volume lies, as SimpleITK has it (left-posterior-superior).

    Args:
        shape: voxels along the three axes.
        spacing: in mm.
        origin: centre of the first voxel in mm.
        direction: columns are the axes' directions.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: NDArray[np.float64]

    def put_on(self, image: Image) -> Image:
        """Give an image this geometry."""
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection([float(value) for value in self.direction.ravel()])
        return image

    def is_same(self, other: "Grid") -> bool:
        """Tell whether two volumes have the same voxels, to a tenth of a millimetre."""
        if self.shape != other.shape:
            return False
        return float(np.abs(self._corners() - other._corners()).max()) <= _SAME_GRID_MM

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel."""
        return float(np.prod(self.spacing))

    @property
    def extents(self) -> tuple[float, float, float]:
        """Lengths of the field of view in mm."""
        x, y, z = (length * size for length, size in zip(self.shape, self.spacing, strict=True))
        return x, y, z

    def _corners(self) -> NDArray[Any]:
        far = self.direction * (np.array(self.spacing) * (np.array(self.shape) - 1))
        return np.column_stack([np.zeros(3), far]) + np.array(self.origin)[:, None]


@dataclass(frozen=True)
class Scaling:
    """How a volume's values, as a viewer displays them, come from the signal; other vendors display the signal itself.

    Philips gives every image a rescale slope and a scale slope: signal = displayed / (rescale slope x scale slope).
    Source: Chenevert et al., Transl Oncol 7:65 (2014).

    Args:
        divisors: of each slice, where both slopes are known; empty elsewhere.
        slopes: Philips' rescale slope of each slice, where the scale slope is missing; empty elsewhere.
    """

    divisors: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()

    @property
    def is_uneven(self) -> bool:
        """Whether slices are known to be displayed with different scalings, so that the volume would have steps."""
        return len(set(self.divisors)) > 1

    def why_not_with(self, other: "Scaling") -> str:
        """Say why the signal cannot be compared with that of a volume of as many slices; nothing where it can."""
        if bool(self.divisors) == bool(other.divisors) and self.slopes == other.slopes:
            return ""
        return (
            "Philips scaled them differently, and the private tag (2005,100E) that undoes it is missing; export them "
            "again with private tags"
        )

    def signal_of(self, image: Image) -> Image:
        """Return the signal of a volume that was read as it is displayed."""
        import SimpleITK as sitk  # noqa: N813

        if not self.divisors:
            return image
        values = sitk.GetArrayFromImage(image) / np.array(self.divisors, np.float32)[:, None, None]
        signal: Image = sitk.GetImageFromArray(values)
        signal.CopyInformation(image)
        return signal


@dataclass(frozen=True)
class Candidate:
    """One volume before its voxels are read.

    Args:
        source: how messages name it.
        series: key of the series; volumes of one were acquired together.
        study: key of the examination.
        facts: what its header and name say.
        grid: where it lies; None where its geometry cannot be used.
        load: read it as an image of float32, as it is displayed, and say what was repaired.
        frames: its slices in DICOM.
        file: the file, where it is not DICOM and holds this volume alone.
        fault: why it cannot be used; empty where it can.
        notes: what a reader should know if it is used.
        scaling: how its values come from the signal.
    """

    source: str
    series: str
    study: str
    facts: Facts
    grid: Grid | None
    load: Callable[[], tuple[Image, list[str]]]
    frames: tuple[DicomFrame, ...] = ()
    file: Path | None = None
    fault: str = ""
    notes: tuple[str, ...] = ()
    scaling: Scaling = Scaling()
