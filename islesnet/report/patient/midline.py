"""The brain's own mid-sagittal plane, and the mirror across it."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from islesnet.report.patient.volumes import PatientVolumes
from islesnet.report.pictures import scale_to_window

Points = NDArray[np.float64]

# Coarse enough to be quick, fine enough for a plane to a millimetre: it is fitted to the whole brain.
LATTICE_MM = 5.0
MARGIN_MM = 5.0
# A lattice point with a larger share of lesion around it is left out.
LESION_SHARE = 0.05
_TURNS = np.radians([-20.0, -10.0, 0.0, 10.0, 20.0])
_SHIFTS_MM = (-6.0, 0.0, 6.0)
_SIMPLEX = np.array([(0, 0, 0), (np.radians(5), 0, 0), (0, np.radians(5), 0), (0, 0, 4.0)])
_FARTHEST = np.array([np.radians(35.0), np.radians(35.0), 25.0])


@dataclass(frozen=True)
class MidsagittalPlane:
    """A plane that parts left from right.

    Args:
        normal: unit vector towards the patient's right, in RAS+ mm.
        offset_mm: distance of the plane from the origin along it.
    """

    normal: tuple[float, float, float]
    offset_mm: float

    def distance(self, points: Points) -> Points:
        """Signed distance in mm, positive on the patient's right, ``(N, 3)`` -> ``(N,)``."""
        return np.asarray(points @ np.array(self.normal) - self.offset_mm)

    def mirror(self, points: Points) -> Points:
        """Mirror points in mm, ``(N, 3)`` -> ``(N, 3)``."""
        return np.asarray(points - 2 * self.distance(points)[:, None] * np.array(self.normal))


def find_midsagittal_plane(volumes: PatientVolumes) -> MidsagittalPlane:
    """Find the plane across which the brain looks most alike, lesions left out.

    The plane of the highest cross-correlation between image and mirror image (Ardekani et al., IEEE Trans Med Imaging
    16(6), 1997, 947-952), of all sequences together, each clipped to its window. It is searched within
    35 degrees of the scanner's sagittal plane and 25 mm of the brain's centre.
    """
    symmetry = _Symmetry(volumes)
    starts = [np.array(pose) for pose in itertools.product(_TURNS, _TURNS, _SHIFTS_MM)]
    best = max(starts, key=lambda pose: symmetry.of(pose, stride=2))
    # Steps in radians and mm; scipy's own would be far too small about 0.
    options: Any = {"initial_simplex": best + _SIMPLEX, "xatol": 0.02, "fatol": 1e-5, "maxfev": 120}
    found = optimize.minimize(
        symmetry.lack,
        best,
        method="Nelder-Mead",
        bounds=optimize.Bounds(-_FARTHEST, _FARTHEST),
        options=options,
    )
    normal = _normal(*found.x[:2])
    x, y, z = (float(part) for part in normal)
    return MidsagittalPlane((x, y, z), float(normal @ symmetry.centre + found.x[2]))


class _Symmetry:
    """How much a brain looks like its mirror image, lesions left out, for any plane near its middle."""

    def __init__(self, volumes: PatientVolumes) -> None:
        self.lattice, self.shape = _lattice(volumes)
        self.image = _sample(volumes, _appearance(volumes), self.lattice)
        self.is_healthy = _sample(volumes, volumes.mask, self.lattice) < LESION_SHARE
        inside = self.lattice[self.image > 0]
        self.centre = (inside if len(inside) else self.lattice).mean(axis=0)

    def of(self, pose: np.ndarray, stride: int = 1) -> float:
        """Correlate image and mirror image.

        Args:
            pose: turn about the vertical and tilt about the front-back axis, in radians, and shift in mm.
            stride: of the lattice's points that are compared, along each axis.
        """
        normal = _normal(pose[0], pose[1])
        sparse = self._grid(np.arange(self.lattice.shape[0]))[::stride, ::stride, ::stride].ravel()
        points = self.lattice[sparse]
        distance = (points - self.centre) @ normal - pose[2]
        mirrored = ((points - 2 * distance[:, None] * normal - self.lattice[0]) / LATTICE_MM).T
        across = ndimage.map_coordinates(self._grid(self.image), mirrored, order=1)
        healthy = ndimage.map_coordinates(self._grid(self.is_healthy).astype(np.uint8), mirrored, order=0, cval=1)
        compared = self.is_healthy[sparse] & (healthy > 0)
        return _correlation(self.image[sparse][compared], across[compared]) if compared.any() else 0.0

    def lack(self, pose: np.ndarray) -> float:
        """Give the quantity to be minimised."""
        return -self.of(pose)

    def _grid(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(self.shape)


def _normal(turn: float, tilt: float) -> Points:
    return np.array([np.cos(turn) * np.cos(tilt), np.sin(turn) * np.cos(tilt), np.sin(tilt)])


def _appearance(volumes: PatientVolumes) -> np.ndarray:
    """Mean of the sequences, each 0..1 by its window, and of the brain mask; 0 outside the brain."""
    parts = [scale_to_window(image, volumes.windows[name]) for name, image in volumes.images.items()]
    return np.asarray((np.mean(parts, axis=0) + 0.5) * volumes.brain, dtype=np.float32)


def _lattice(volumes: PatientVolumes) -> tuple[Points, tuple[int, ...]]:
    """Lay a lattice along the scanner's axes over the brain and a margin."""
    inside = volumes.brain if volumes.brain.any() else np.ones(volumes.shape, dtype=bool)
    (box,) = ndimage.find_objects(inside.astype(np.uint8))
    ends = [(part.start - 0.5, part.stop - 0.5) for part in box]
    corners = volumes.to_mm(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3))
    low, high = corners.min(axis=0) - MARGIN_MM, corners.max(axis=0) + MARGIN_MM
    axes = [np.arange(start, stop + LATTICE_MM, LATTICE_MM) for start, stop in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return points.reshape(-1, 3), points.shape[:3]


def _sample(volumes: PatientVolumes, values: np.ndarray, lattice: Points) -> NDArray[np.float32]:
    """Sample at the lattice, after averaging what is finer than it."""
    sizes = [max(round(LATTICE_MM / length), 1) for length in volumes.spacing]
    smooth = ndimage.uniform_filter(values.astype(np.float32), sizes, mode="constant")
    return np.asarray(ndimage.map_coordinates(smooth, volumes.to_voxels(lattice).T, order=1, mode="constant"))


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else 0.0
