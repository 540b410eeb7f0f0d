"""What is measured of every lesion of a patient."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import ndimage

from islesnet.report.patient.diameter import longest_axial_diameter
from islesnet.report.patient.midline import MidsagittalPlane, find_midsagittal_plane
from islesnet.report.patient.volumes import PatientVolumes

# A lesion with this share of its volume on one side of the mid-sagittal plane is said to be on that side.
ONE_SIDED = 0.9
# One that crosses it and stays this near is said to be on the midline, otherwise on both sides.
MIDLINE_MM = 10.0
# With less than this share of its mirror image healthy brain, a lesion has nothing to be compared with.
LEAST_MIRRORED = 0.25
# Of the row of a lesion, apart from the sequences' ratios.
LESION_COLUMNS = [
    *("lesion", "volume_ml", "diameter_mm", "side", "first_slice", "last_slice", "largest_slice"),
    *("mean_adc", "confidence"),
]


@dataclass(frozen=True)
class LesionMeasures:
    """One lesion: a component of 26-connected voxels.

    Args:
        number: from 1, the largest first.
        volume_ml: number of voxels times their volume.
        diameter_mm: the longest axial diameter (`longest_axial_diameter`).
        side: of the patient, "left" or "right" with nine tenths of the volume beyond the brain's own mid-sagittal
            plane; else "midline" where all of it is within 10 mm of the plane, or "both".
        first_slice: lowest number of an axial slice that it is in, as the file numbers them from 1.
        last_slice: highest number.
        largest_slice: number of the slice with its largest area.
        intensity_ratios: by sequence, and with "adc" for the ADC where there is one, its mean over the mean of the
            mirrored place, where that is brain outside any lesion; None where less than a quarter of it is, its mean is
            not positive, or the sequence shows nothing of one of the two.
        mean_adc: in 1e-3 mm2/s; None where there is no ADC.
        confidence: mean probability of its voxels; None where there is none.
    """

    number: int
    volume_ml: float
    diameter_mm: float
    side: str
    first_slice: int
    last_slice: int
    largest_slice: int
    intensity_ratios: dict[str, float | None] = field(default_factory=dict)
    mean_adc: float | None = None
    confidence: float | None = None

    def row(self) -> dict[str, Any]:
        """Give everything as one flat row, a column ``<sequence>_ratio`` for each ratio."""
        return {
            "lesion": self.number,
            "volume_ml": self.volume_ml,
            "diameter_mm": self.diameter_mm,
            "side": self.side,
            "first_slice": self.first_slice,
            "last_slice": self.last_slice,
            "largest_slice": self.largest_slice,
            **{f"{sequence}_ratio": ratio for sequence, ratio in self.intensity_ratios.items()},
            "mean_adc": self.mean_adc,
            "confidence": self.confidence,
        }


def measure_lesions(volumes: PatientVolumes, plane: MidsagittalPlane | None = None) -> list[LesionMeasures]:
    """Measure every lesion of the mask, the largest first.

    Args:
        volumes: mask, scans and what else is known, on one grid.
        plane: that parts left from right; None finds it.
    """
    labels, count = volumes.lesions
    if not count:
        return []
    plane = plane or find_midsagittal_plane(volumes)
    boxes = ndimage.find_objects(labels)
    return [_measure(volumes, plane, number, box) for number, box in enumerate(boxes, start=1)]


def _measure(volumes: PatientVolumes, plane: MidsagittalPlane, number: int, box: tuple[slice, ...]) -> LesionMeasures:
    lesion = volumes.lesions[0][box] == number
    voxels = np.argwhere(lesion) + [part.start for part in box]
    points = volumes.to_mm(voxels)
    ends = sorted(volumes.slice_number(index) for index in (box[2].start, box[2].stop - 1))
    return LesionMeasures(
        number=number,
        volume_ml=len(voxels) * volumes.voxel_ml,
        diameter_mm=longest_axial_diameter(lesion, volumes.affine),
        side=_side(plane.distance(points)),
        first_slice=ends[0],
        last_slice=ends[1],
        largest_slice=volumes.slice_number(box[2].start + int(lesion.sum(axis=(0, 1)).argmax())),
        intensity_ratios=_ratios(volumes, voxels, _mirrored(volumes, plane.mirror(points))),
        mean_adc=_mean(volumes.adc, voxels),
        confidence=_mean(volumes.probability, voxels),
    )


def _side(distances: np.ndarray) -> str:
    right = float((distances > 0).mean())
    if right >= ONE_SIDED:
        return "right"
    if right <= 1 - ONE_SIDED:
        return "left"
    return "midline" if np.abs(distances).max() <= MIDLINE_MM else "both"


def _mirrored(volumes: PatientVolumes, points: np.ndarray) -> np.ndarray:
    """Find the voxels nearest to mirrored points that are brain and no lesion, ``(N, 3)`` -> ``(M, 3)``."""
    nearest = np.rint(volumes.to_voxels(points)).astype(int)
    nearest = nearest[((nearest >= 0) & (nearest < volumes.shape)).all(axis=1)]
    index = tuple(nearest.T)
    return nearest[volumes.brain[index] & ~volumes.mask[index]]


def _ratios(volumes: PatientVolumes, lesion: np.ndarray, mirrored: np.ndarray) -> dict[str, float | None]:
    compared = volumes.values | ({} if volumes.adc is None else {"adc": volumes.adc})
    if len(mirrored) < LEAST_MIRRORED * len(lesion):
        return dict.fromkeys(compared)
    return {name: _ratio(_mean(values, lesion), _mean(values, mirrored)) for name, values in compared.items()}


def _ratio(here: float | None, there: float | None) -> float | None:
    return None if here is None or there is None or there <= 0 else here / there


def _mean(volume: np.ndarray | None, voxels: np.ndarray) -> float | None:
    if volume is None:
        return None
    values = volume[tuple(voxels.T)]
    known = values[np.isfinite(values)]
    return float(known.mean(dtype=float)) if known.size else None
