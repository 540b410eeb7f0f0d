"""Everything known of a patient on the mask's grid, turned so that a slice is axial and left is left."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from numpy.typing import NDArray

from islesnet.components import fill_slices, label_lesions
from islesnet.errors import InputError
from islesnet.report.pictures import HEAD_LEVEL, grey_window, scale_to_window
from islesnet.sequences import REFERENCE_ORDER

# The median of ADC over a brain is about 0.8e-3 mm2/s; the other units in use are a thousand times off.
PLAUSIBLE_ADC = (0.2, 4.0)
# Drawn black and white, in 1e-3 mm2/s: tissue at 0.8 is a dark grey and an acute infarct darker, as in clinics.
ADC_WINDOW = (0.0, 2.0)


class PatientVolumes:
    """A patient's mask and scans on one grid, their axes turned to run nearest to right, anterior, superior.

    Nothing is resampled: a plane along the third axis is a slice of the grid as it was, the one nearest to axial.

    Args:
        mask: lesion where > 0.5.
        affine: voxel index to mm, RAS+, of any axis order and obliquity.
        images: by sequence, in the order in which they are shown; values as the scanner gave them, not normalised, and
            NaN beyond the field of view.
        adc: apparent diffusion coefficient in 1e-3 mm2/s; 0 where it is not known.
        probability: of lesion, 0..1.
        brain: brain where > 0.5; where it is None, whatever is not dark counts.
        reference: the sequence to draw the montage on; None for the first present of DWI, FLAIR, T2, T1.

    Shapes:
        all ``(X, Y, Z)``, in the order of the file; the attributes of the same names are turned. ``values`` are the
        images as given, ``images`` for the eye: 0 in place of NaN.

    Raises:
        InputError: there is no sequence, a volume lies on another grid, the reference is not among the sequences,
            the affine is singular, or the ADC has another unit.
    """

    def __init__(
        self,
        mask: np.ndarray,
        affine: np.ndarray,
        images: Mapping[str, np.ndarray],
        *,
        adc: np.ndarray | None = None,
        probability: np.ndarray | None = None,
        brain: np.ndarray | None = None,
        reference: str | None = None,
    ) -> None:
        given = {"adc": adc, "probability": probability, "brain": brain}
        _check(mask, affine, {**images, **{name: volume for name, volume in given.items() if volume is not None}})
        self.reference = _choose_reference(images, reference)
        self._turn = io_orientation(affine)
        self._stored_shape = mask.shape
        self.affine: NDArray[np.float64] = np.asarray(affine, dtype=float) @ inv_ornt_aff(self._turn, mask.shape)
        self.mask: NDArray[np.bool_] = self._turned(mask) > 0.5
        self.values = {name: self._turned(image) for name, image in images.items()}
        self.images = {name: np.nan_to_num(image, nan=0.0) for name, image in self.values.items()}
        # Where the map has no value it holds 0; no tissue has.
        self.adc = None if adc is None else self._turned(np.where(adc > 0, adc, np.nan).astype(np.float32))
        self.probability = None if probability is None else self._turned(probability)
        self._given_brain = None if brain is None else self._turned(brain) > 0.5
        self._check_adc()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels to the right, to the front and up."""
        return self.mask.shape

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm along the three axes."""
        x, y, z = (float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))
        return x, y, z

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel; that of a sheared one too."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000

    @cached_property
    def lesions(self) -> tuple[np.ndarray, int]:
        """Lesions numbered from the largest, 26-connected, and how many they are."""
        labels, count = label_lesions(self.mask)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        numbers = np.zeros(count + 1, dtype=labels.dtype)
        numbers[1 + np.argsort(-sizes, kind="stable")] = np.arange(1, count + 1)
        return numbers[labels], count

    @cached_property
    def drawn(self) -> dict[str, np.ndarray]:
        """What is shown of a slice: every sequence in its order, and the ADC, where there is one, after the DWI."""
        if self.adc is None:
            return self.images
        names = list(self.images)
        names.insert(names.index("dwi") + 1 if "dwi" in names else len(names), "adc")
        return {name: self.images[name] if name in self.images else np.nan_to_num(self.adc) for name in names}

    @cached_property
    def windows(self) -> dict[str, tuple[float, float]]:
        """The values that are drawn black and white; fat around a known brain may be whiter still."""
        windows = {name: grey_window(image) for name, image in self.images.items()}
        if self._given_brain is not None and self._given_brain.any():
            inside = self._given_brain
            windows = {name: (low, grey_window(self.images[name][inside])[1]) for name, (low, _) in windows.items()}
        return windows | {"adc": ADC_WINDOW}

    @cached_property
    def head(self) -> NDArray[np.bool_]:
        """What is not dark in some sequence, holes in the axial slices filled."""
        head = np.zeros(self.shape, dtype=bool)
        for name, image in self.images.items():
            head |= scale_to_window(image, self.windows[name]) > HEAD_LEVEL
        return fill_slices(head, axis=2)

    @property
    def has_brain_mask(self) -> bool:
        """Whether a brain mask was given."""
        return self._given_brain is not None

    @property
    def brain(self) -> NDArray[np.bool_]:
        """The brain mask, or the head where none was given."""
        return self.head if self._given_brain is None else self._given_brain

    def slice_number(self, index: int) -> int:
        """Number an axial slice as the file stores it, from 1."""
        axis = int(np.flatnonzero(self._turn[:, 0] == 2)[0])
        return index + 1 if self._turn[axis, 1] > 0 else int(self._stored_shape[axis]) - index

    def to_mm(self, voxels: np.ndarray) -> NDArray[np.float64]:
        """Turn indices into the turned arrays ``(N, 3)`` into mm."""
        return np.asarray(voxels @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_voxels(self, points: np.ndarray) -> NDArray[np.float64]:
        """Turn mm ``(N, 3)`` into fractional indices into the turned arrays."""
        return np.asarray(np.linalg.solve(self.affine[:3, :3], (points - self.affine[:3, 3]).T).T)

    def _turned(self, volume: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(apply_orientation(volume, self._turn))

    def _check_adc(self) -> None:
        if self.adc is None:
            return
        inside = self.adc[self.brain & (self.adc > 0)]
        median = float(np.median(inside)) if inside.size else 0.0
        if inside.size and not PLAUSIBLE_ADC[0] <= median <= PLAUSIBLE_ADC[1]:
            raise InputError(
                f"The ADC's median in the brain is {median:.3g}; in 1e-3 mm2/s it is about 0.8. Scale it to that unit."
            )


def _check(mask: np.ndarray, affine: np.ndarray, volumes: Mapping[str, np.ndarray]) -> None:
    if mask.ndim != 3 or 0 in mask.shape:
        raise InputError(f"The mask has the shape {mask.shape}; a volume of three axes is expected.")
    for name, volume in volumes.items():
        if volume.shape != mask.shape:
            raise InputError(
                f"{name!r} has the shape {volume.shape} and the mask {mask.shape}; resample it to the mask's grid."
            )
    if np.shape(affine) != (4, 4) or not np.isfinite(affine).all() or not abs(np.linalg.det(affine[:3, :3])) > 1e-9:
        raise InputError("The affine does not place the voxels: it must be 4 x 4, finite and invertible.")


def _choose_reference(images: Mapping[str, np.ndarray], reference: str | None) -> str:
    if not images:
        raise InputError("There is no sequence to report on; give at least one on the mask's grid.")
    if reference is not None and reference not in images:
        raise InputError(f"The reference {reference!r} is not among the sequences: {', '.join(images)}.")
    return reference or next((name for name in REFERENCE_ORDER if name in images), next(iter(images)))
