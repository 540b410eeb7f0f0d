"""Make a patient's scans fit for the network: read, registered to one of them, the brain found; prepared ones stay."""

import json
import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from monai.transforms import Transform
from monai.utils import ensure_tuple

from islesnet.data import SEQUENCES, stamps_in_file
from islesnet.errors import InputError, require_switch
from islesnet.files import whole_file
from islesnet.patients.brain import NO_SKULL, WAYS, Brain, find_brain_of
from islesnet.patients.grids import adc_beside, is_on_one_grid
from islesnet.patients.notes import moved_sequences, notes_of, numbers_of
from islesnet.patients.scans import PREPARATION, Preparation
from islesnet.patients.writing import write_image
from islesnet.scanner import ROLES, RawPatient, coregister, correct_bias, image_of, read_patient
from islesnet.volumes import VolumeError, read_volume
from islesnet.volumes.geometry import check_grid
from islesnet.volumes.values import check_values

logger = logging.getLogger(__name__)

_MULTI_FRAME = (
    "No DICOM segmentation was written: the reference is an enhanced multi-frame file, which is not supported."
)


class PrepareScans(Transform):
    """Turn the item of a `RawScans` or an `islesnet.data.Case` into sequences that the preprocessing can load.

    Files on one grid are used where they lie. Others are read, told apart and registered by `islesnet.scanner`, and
    written to ``<output_dir>/<patient>/`` as ``dwi.nii.gz``, ``flair.nii.gz``, ..., each with its own voxels and a
    header that says where it lies to the reference; beside them ``scans.json`` says what was taken for what, and why.
    A reference that is a NIfTI file already is used itself, so that the mask gets its header. The brain is found on
    the reference where that shows the skull, and written as ``brain.nii.gz``.

    The item gets a file a sequence, "brain" where there is one, and "preparation", a `Preparation` as text.

    Args:
        output_dir: folder of the results.
        reference_order: the first present one is the reference.
        brain_mask: auto, hd-bet or template, as for `islesnet.scanner.find_brain`; none leaves the skull on.
        bias_correction: whether the coil's shading is taken out of the sequences (N4).

    Raises:
        InputError: for another ``brain_mask``, or a ``bias_correction`` that is neither True nor False. And patient by
            patient, as `islesnet.scanner.read_patient`, and where the results would fall among the
            patient's scans.
    """

    def __init__(
        self,
        output_dir: str | Path,
        reference_order: Sequence[str],
        brain_mask: str = "auto",
        bias_correction: bool = False,
    ) -> None:
        if brain_mask not in WAYS:
            raise InputError(f"brain_mask is {brain_mask!r}; there are {', '.join(WAYS)}.")
        self.output_dir = Path(output_dir)
        self.reference_order = ensure_tuple(reference_order)
        self.brain_mask = brain_mask
        self.bias_correction = require_switch(bias_correction, "bias_correction")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Prepare one patient."""
        item = dict(data)
        folder = Path(item.pop("folder")) if "folder" in item else None
        files = {role: Path(item.pop(role)) for role in ROLES if role in item}
        given = Path(item.pop("brain")) if "brain" in item else None
        own = self.output_dir / str(item["patient"])
        _require_apart(own, [path for path in (folder, given, *files.values()) if path is not None])
        sequences = [path for role, path in files.items() if role in SEQUENCES]
        if folder is None and sequences and is_on_one_grid(sequences) and not self.bias_correction:
            preparation = self._use(files, given, own)
        else:
            preparation = self._prepare(read_patient(folder, files), given, own)
        used = {role: path for role, path in preparation.files.items() if role != "adc"}
        return item | used | {PREPARATION: preparation.to_text()}

    def _use(self, files: Mapping[str, Path], given: Path | None, own: Path) -> Preparation:
        """Take files that lie on one grid as they are, and look for the brain alone."""
        reference = self._reference(files)
        adc = adc_beside(files["dwi"]) if "dwi" in files else None
        files = ({} if adc is None else {"adc": adc}) | dict(files)
        try:
            volume = read_volume(files[reference])
            is_sound = not any(
                finding.severity == "error" for finding in (*check_grid(volume.header), *check_values(volume.array))
            )
        except VolumeError:
            is_sound = False
        if not is_sound:  # the checks that follow say what is wrong with it
            return Preparation(_as_text(files), reference)
        image = image_of(np.asarray(volume.array, np.float32), volume.affine)
        brain = self._find_brain(image, given, own, stamps_in_file(files[reference]))
        return Preparation(_as_text({**files, **brain.files}), reference, notes=brain.notes, brain=brain.way)

    def _prepare(self, raw: RawPatient, given: Path | None, own: Path) -> Preparation:
        """Register what was read, find the brain, and write the volumes."""
        for choice in raw.choices:
            logger.info("%s: %s: %s, %s", own.name, choice.source, (choice.role or "not used").upper(), choice.why)
        reference = self._reference(raw.images)
        aligned = coregister({role: scan.image for role, scan in raw.images.items() if role != "b0"}, reference)
        original = raw.images[reference].file
        stamps = [] if original is None else stamps_in_file(original)
        brain = self._find_brain(aligned.images[reference], given, own, stamps)
        files = dict(brain.files)
        for role, image in aligned.images.items():
            files[role] = own / f"{role}.nii.gz"
            corrects = self.bias_correction and role in SEQUENCES
            write_image(files[role], correct_bias(image, brain.mask) if corrects else image, stamps)
        if original is not None and original.name.lower().endswith((".nii", ".nii.gz")) and not self.bias_correction:
            files[reference] = original
        slices = raw.images[reference].dicom
        unlaid = (_MULTI_FRAME,) if any(place.frame is not None for place in slices) else ()
        preparation = Preparation(
            _as_text(files),
            reference,
            moved=moved_sequences(aligned.alignments),
            notes=(*raw.notes, *notes_of(aligned.alignments, reference), *brain.notes, *unlaid),
            choices=tuple(choice._asdict() for choice in raw.choices),
            registration={role: numbers_of(alignment) for role, alignment in aligned.alignments.items()},
            brain=brain.way,
            dicom=tuple(str(place.path) for place in slices if place.frame is None),
        )
        with whole_file(own / "scans.json") as part:
            part.write_text(json.dumps(preparation.told(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return preparation

    def _reference(self, images: Mapping[str, Any]) -> str:
        present = [role for role in self.reference_order if role in images]
        if not present:
            raise InputError(f"There is none of the sequences {', '.join(self.reference_order)}.")
        return str(present[0])

    def _find_brain(self, image: sitk.Image, given: Path | None, own: Path, stamps: Sequence[str]) -> Brain:
        path = own / "brain.nii.gz"
        brain = find_brain_of(image, given, self.brain_mask, path)
        if brain.way != NO_SKULL and brain.mask is not None:
            write_image(path, brain.mask, stamps)
        return brain


def _require_apart(own: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write among a patient's scans, where a result could replace one."""
    target = own.resolve()
    if any(path.resolve() == target or target in path.resolve().parents for path in inputs):
        raise InputError(f"The results would be written among the scans, to {own}; choose another folder for them.")


def _as_text(files: Mapping[str, Path]) -> dict[str, str]:
    return {role: str(path) for role, path in files.items()}
