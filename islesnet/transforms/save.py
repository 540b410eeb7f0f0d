"""Masks, probabilities and their numbers to files on the native grid of the reference."""

import json
import logging
import shutil
from collections.abc import Hashable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from monai.config import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.transforms import MapTransform
from monai.utils import ensure_tuple

import islesnet
from islesnet.counts import counted
from islesnet.errors import require_switch
from islesnet.files import is_file, sha256_of, whole_file
from islesnet.result_files import MARK, earlier_results, mark
from islesnet.stamps import describe, stamps_in
from islesnet.transforms.describe import describe_lesions
from islesnet.transforms.lesions import voxel_volume_ml

logger = logging.getLogger(__name__)


class SaveLesionsd(MapTransform):
    """Write a patient's ``<patient>_lesion.nii.gz`` and ``<patient>_lesion.json``, and the probability on request.

    The mask is uint8 and has the reference's shape, affine, qform and sform codes; a reference that is no NIfTI
    (.mha, .nrrd) gives both codes 1. Each file appears whole or not at all, the JSON last: where it lies, the
    patient is done. A marked folder ``<patient>`` is marked anew, with the checksums of what else may be corrected
    there.

    The JSON holds the volume in all and each lesion as `describe_lesions` has it; and

    - mask_sha256, by which `islesnet.patients.BeginPatient` knows a mask that somebody corrected;
    - weights_sha256, where the weights are given;
    - trust, where it is in the data: what `islesnet.trust.AssessTrustd` found;
    - made_of, likewise: by it `islesnet.finished.FinishedPatients` knows that the patient is done;
    - made_from, likewise: by it `islesnet.patients.BeginPatient` knows another patient of the same name.

    Args:
        keys: the mask, on the native grid.
        output_dir: folder for all patients.
        weights: file of the network's weights, whose checksum is told; None where nothing is known of it.
        probability_key: where the probability map is, which the lesions' confidence comes from; itself written where
            ``write_probability``.
        reference_key: the image whose metadata names the reference's file.
        write_probability: whether ``<patient>_probability.nii.gz`` (float32, 0..1) is wanted.
        stamps: words in capitals that keep the files from being mistaken, e.g. "LEAKY"; they stand in the NIfTI
            header's description and in the JSON, with those that the reference's file bears itself.

    Shapes:
        mask ``(1, X, Y, Z)``; the dictionary is handed on unchanged.

    Raises:
        ValueError: where mask and reference file differ in shape, so that a preprocessing without its inverse
            cannot put a mask in the wrong place.
        OSError: where a file cannot be written.
    """

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        weights: str | Path | None = None,
        probability_key: str = "probability",
        reference_key: str = "reference",
        write_probability: bool = False,
        stamps: Sequence[str] = (),
    ) -> None:
        super().__init__(keys)
        self.output_dir = Path(output_dir)
        self.weights = None if weights is None else Path(weights)
        self.probability_key = probability_key
        self.reference_key = reference_key
        self.write_probability = require_switch(write_probability, "save_probability")
        self.stamps = ensure_tuple(stamps)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write one patient's files, and log the volume and whether it is to be trusted."""
        patient = data["patient"]
        self._numbers_file(patient).unlink(missing_ok=True)  # until this run's mask is whole
        reference = _native_header(data[self.reference_key])
        stamps = tuple(dict.fromkeys([*self.stamps, *stamps_in(reference.header["descrip"].item())]))
        for key in self.key_iterator(dict(data)):
            mask = data[key][0].cpu().numpy() > 0.5
            probability = data[self.probability_key][0].cpu().numpy()
            _require_shape(f"{patient}_lesion.nii.gz", mask, reference)
            _require_shape(f"{patient}_probability.nii.gz", probability, reference)
            numbers = self._numbers(data, mask, probability, reference.affine, stamps)
            self._write(patient, mask, probability, reference, numbers, stamps)
            # A run that prepared no scans, evaluation's for one, does not vouch for a brain mask that lies there.
            if "preparation" in data and is_file(self.output_dir / str(patient) / MARK):
                mark(self.output_dir / str(patient), is_finished=True)
            shutil.rmtree(earlier_results(self.output_dir, str(patient)), ignore_errors=True)
            logger.info("%s: %s", patient, _in_short(numbers))
        return dict(data)

    def _write(
        self,
        patient: str,
        mask: np.ndarray,
        probability: np.ndarray,
        reference: nibabel.Nifti1Pair,
        numbers: dict[str, Any],
        stamps: Sequence[str],
    ) -> None:
        """Write the files; their numbers get the checksum of the mask's."""
        mask_file = self.output_dir / f"{patient}_lesion.nii.gz"
        probability_file = self.output_dir / f"{patient}_probability.nii.gz"
        # No file gets its name before all are written, and the JSON gets its own last: a mask without it is taken for
        # somebody's own.
        with ExitStack() as files:
            told = files.enter_context(whole_file(self._numbers_file(patient)))
            part = files.enter_context(whole_file(mask_file))
            if self.write_probability:
                probability_part = files.enter_context(whole_file(probability_file))
                _write_nifti(probability_part, probability.astype(np.float32), reference, stamps)
            _write_nifti(part, mask.astype(np.uint8), reference, stamps)
            numbers["mask_sha256"] = sha256_of(part)
            told.write_text(json.dumps(numbers, indent=2) + "\n")

    def _numbers(
        self,
        data: Mapping[Hashable, Any],
        mask: np.ndarray,
        probability: np.ndarray,
        affine: np.ndarray,
        stamps: Sequence[str],
    ) -> dict[str, Any]:
        lesions = describe_lesions(mask, probability, affine)
        numbers = {
            "patient": data["patient"],
            "lesion_volume_ml": round(float(mask.sum()) * voxel_volume_ml(affine), 4),
            "lesion_count": len(lesions),
            "lesions": lesions,
            "reference": Path(data[self.reference_key].meta["filename_or_obj"]).name,
            "islesnet": islesnet.__version__,
        }
        if self._checksum is not None:
            numbers["weights_sha256"] = self._checksum
        for key in ("trust", "made_of", "made_from"):
            if key in data:
                numbers[key] = data[key]
        if stamps:
            numbers["stamps"] = list(stamps)
        return numbers

    @cached_property
    def _checksum(self) -> str | None:
        return None if self.weights is None else sha256_of(self.weights)

    def _numbers_file(self, patient: str) -> Path:
        return self.output_dir / f"{patient}_lesion.json"


def _in_short(numbers: Mapping[str, Any]) -> str:
    """Tell count, volume and check in a line."""
    count, volume_ml = numbers["lesion_count"], numbers["lesion_volume_ml"]
    told = f"{counted(count, 'lesion')}, {volume_ml:.2f} ml"
    in_short = numbers.get("trust", {}).get("in_short")
    return f"{told}; {in_short}" if in_short else told


def _native_header(reference: MetaTensor) -> nibabel.Nifti1Pair:
    """Open the reference's file for its header, or make one from its affine where the format is another."""
    path = str(reference.meta["filename_or_obj"])
    if path.lower().endswith((".nii", ".nii.gz")):
        stored = nibabel.load(path)
        if isinstance(stored, nibabel.Nifti1Pair):  # the base of every NIfTI-1 and NIfTI-2 image
            return stored
    affine = np.asarray(reference.meta["original_affine"], dtype=float)
    shape = tuple(int(size) for size in reference.meta["spatial_shape"])
    image = nibabel.Nifti1Image(np.broadcast_to(np.uint8(0), shape), affine)
    image.set_qform(affine, code=1)
    image.set_sform(affine, code=1)
    return image


def _require_shape(name: str, array: np.ndarray, reference: nibabel.Nifti1Pair) -> None:
    if array.shape != reference.shape[:3]:
        raise ValueError(
            f"{name} would have shape {array.shape}, its reference has {reference.shape[:3]}; "
            "postprocessing must invert the preprocessing before saving."
        )


def _write_nifti(path: Path, array: np.ndarray, reference: nibabel.Nifti1Pair, stamps: Sequence[str]) -> None:
    header = nibabel.Nifti1Header.from_header(reference.header, check=False)  # which would log that NIfTI-2 is longer
    header["sizeof_hdr"] = header.sizeof_hdr
    header.set_data_dtype(array.dtype)
    header["cal_min"], header["cal_max"] = 0, 1
    header["descrip"] = describe(stamps)
    # What a converter noted of the patient stays with the scan.
    header["db_name"], header["aux_file"], header["intent_name"] = b"", b"", b""
    header.extensions.clear()
    image = nibabel.Nifti1Image(array, None, header)
    # The header alone decides: a recomputed quaternion would move the qform in its last digits.
    image.to_filename(path)
