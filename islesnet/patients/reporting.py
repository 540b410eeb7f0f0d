"""A patient's last step: report what the mask shows as a page, a table and data, and as DICOM for scans from DICOM."""

import logging
from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ensure_tuple

import islesnet
from islesnet.data import SEQUENCES, stamps_in_file
from islesnet.errors import InputError
from islesnet.files import sha256_of
from islesnet.patients.adc import read_adc
from islesnet.patients.images import read_image
from islesnet.patients.scans import PREPARATION, Preparation
from islesnet.report.patient import (
    PatientFindings,
    PatientVolumes,
    measure_lesions,
    write_dicom_seg,
    write_patient_report,
)
from islesnet.scanner import DicomFrame, have_same_grid, image_of, resample
from islesnet.volumes.levels import image_on_zero

logger = logging.getLogger(__name__)

# A voxel has an ADC where the map has one for this share of it.
LEAST_KNOWN = 0.5


class ReportPatientd(MapTransform):
    """Write a patient's report to ``<output_dir>/<patient>/``: report.html, lesions.csv, patient.json, lesion.dcm.

    Scans are brought to the mask's grid by their headers, in one interpolation. The DICOM segmentation is written where
    the reference came from DICOM and highdicom can make one of it; otherwise a note says why not.

    Args:
        keys: the mask, on the native grid of the reference.
        output_dir: folder of the results.
        weights: file of the network's weights, whose checksum the report names.
        stamps: words in capitals that keep the run from being mistaken; the reference's own are added.
        probability_key: where the probability map is.
        reference_key: the image whose metadata names the native grid.

    Shapes:
        mask and probability ``(1, X, Y, Z)``; the dictionary is handed on unchanged.

    Raises:
        OSError: where a file cannot be written.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        weights: str | Path,
        stamps: Sequence[str] = (),
        probability_key: str = "probability",
        reference_key: str = "reference",
    ) -> None:
        super().__init__(keys)
        self.output_dir = Path(output_dir)
        self.weights = Path(weights)
        self.stamps = ensure_tuple(stamps)
        self.probability_key = probability_key
        self.reference_key = reference_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write one patient's report."""
        preparation = Preparation.from_text(data[PREPARATION])
        affine = np.asarray(data[self.reference_key].meta["original_affine"], dtype=float)
        probability = data[self.probability_key][0].cpu().numpy()
        own = self.output_dir / str(data["patient"])
        for key in self.key_iterator(dict(data)):
            mask = data[key][0].cpu().numpy() > 0.5
            volumes, notes = volumes_on(mask, affine, preparation, probability)
            notes += self._write_dicom(own, mask, affine, preparation)
            trust = data.get("trust", {})
            findings = PatientFindings(
                str(data["patient"]),
                measure_lesions(volumes),
                trust.get("is_trusted"),
                trust.get("reasons", ()),
                (*trust.get("notes", preparation.notes), *notes),
                tuple(dict.fromkeys([*self.stamps, *stamps_in_file(Path(preparation.files[preparation.reference]))])),
                self._versions,
                trust.get("measured", ""),
            )
            moved = [sequence for sequence in preparation.moved if sequence in volumes.drawn]
            write_patient_report(own, findings, volumes, moved)
        return dict(data)

    @cached_property
    def _versions(self) -> dict[str, str]:
        return {"islesnet": islesnet.__version__, "weights (SHA-256)": sha256_of(self.weights)}

    def _write_dicom(self, own: Path, mask: np.ndarray, affine: np.ndarray, preparation: Preparation) -> list[str]:
        if not preparation.dicom:
            return []
        try:
            slices = [DicomFrame(Path(path), frame) for path, frame in preparation.dicom]
            write_dicom_seg(own / "lesion.dcm", mask, affine, slices, own.name)
        except InputError as refusal:
            reason = _without_paths(str(refusal), {path for path, _ in preparation.dicom})
            logger.warning("%s: no DICOM segmentation: %s", own.name, reason)
            return [f"No DICOM segmentation was written: {reason}"]
        except Exception as error:  # whatever a library makes of a header: the mask is still to be written
            if isinstance(error, OSError) and error.filename == str(own / "lesion.dcm"):  # a full disk
                raise
            # In words of our own, for an exception's may repeat the header's.
            logger.warning("%s: no DICOM segmentation: %s", own.name, type(error).__name__)
            logger.debug("Why there is no DICOM segmentation", exc_info=error)
            return ["No DICOM segmentation was written: highdicom could not make one of this series."]
        return []


def volumes_on(
    mask: np.ndarray, affine: np.ndarray, preparation: Preparation, probability: np.ndarray
) -> tuple[PatientVolumes, list[str]]:
    """Gather everything that is known of a patient on the mask's grid.

    Args:
        mask: bool.
        affine: of the mask.
        preparation: names the files.
        probability: of lesion.

    Shapes:
        mask and probability ``(X, Y, Z)``, affine ``(4, 4)``.

    Returns:
        The volumes, and notes on what could not be used.
    """
    grid = image_of(np.zeros(mask.shape, np.uint8), affine)
    files = {name: preparation.files[name] for name in SEQUENCES if name in preparation.files}
    images = {
        name: _array_on(grid, image_on_zero(read_image(Path(path))), outside=np.nan) for name, path in files.items()
    }
    brain = _array_on(grid, read_image(Path(preparation.files["brain"]))) if "brain" in preparation.files else None
    adc = _adc_on(grid, read_adc(Path(preparation.files["adc"]))[0]) if "adc" in preparation.files else None
    notes: list[str] = []
    try:
        volumes = PatientVolumes(
            mask, affine, images, adc=adc, probability=probability, brain=brain, reference=preparation.reference
        )
    except InputError as refusal:
        if adc is None:
            raise
        notes = [f"The ADC map is not used. {refusal}"]
        volumes = PatientVolumes(
            mask, affine, images, probability=probability, brain=brain, reference=preparation.reference
        )
    return volumes, notes


def _without_paths(told: str, files: Collection[str]) -> str:
    """Take the paths of a patient's slices out of a sentence: in an export they may hold the patient's name."""
    for path in sorted(files, key=len, reverse=True):  # the longer first: another may begin it
        told = told.replace(path, "a slice")
    return told


def _array_on(grid: sitk.Image, image: sitk.Image, outside: float = 0.0) -> np.ndarray:
    if not have_same_grid(grid, image):
        image = resample(image, grid, outside=outside)
    array: np.ndarray = sitk.GetArrayFromImage(image).T  # (Z, Y, X) -> (X, Y, Z)
    return array


def _adc_on(grid: sitk.Image, adc: sitk.Image) -> np.ndarray:
    """Bring an ADC map to a grid; what has no value is 0 and is blended into nothing."""
    values, share = _array_on(grid, adc), _array_on(grid, sitk.Cast(adc > 0, sitk.sitkFloat32))
    return np.where(share >= LEAST_KNOWN, values / np.maximum(share, LEAST_KNOWN), 0.0)
