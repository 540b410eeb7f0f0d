"""Prepare a patient's scans for the network: read, register, find the brain; or use them as they are."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813
import torch
from monai.transforms import Transform
from monai.utils import ensure_tuple

from islesnet.data import SEQUENCES, stamps_in_file
from islesnet.errors import InputError
from islesnet.files import NO_TARGET, write_json
from islesnet.patients.adc import PlacedAdc, find_adc, place_adc, read_with_adc, without_unusable_adc
from islesnet.patients.as_they_are import NotFiniteError, doubtful_sides, notes_of_headers, read_sound
from islesnet.patients.brain import WAYS, Brain, find_brain_of
from islesnet.patients.grids import is_on_one_grid
from islesnet.patients.images import require_different, write_image
from islesnet.patients.notes import moved_sequences, notes_of, notes_of_motion, numbers_of
from islesnet.patients.scans import PREPARATION, Preparation
from islesnet.result_files import BRAIN_FILE, SCANS_FILE
from islesnet.scanner import (
    ROLES,
    RawPatient,
    contradiction_of_name,
    coregister,
    match,
    read_patient,
)
from islesnet.volumes import VolumeError
from islesnet.volumes.file_names import stem_of

logger = logging.getLogger(__name__)

# The keys of an item that a request is read from; what was prepared takes their place.
_ASKED = ("folder", *ROLES, "brain", "one_patient", "lost")
_USED = "; used as it is"
_LOST = f"{{}} is left out: its file is {NO_TARGET}."
_MOSAIC = "No DICOM segmentation was written: the reference's slices are tiled into one picture (Siemens mosaic)."


class PrepareScans(Transform):
    """Turn the item of a `RawScans` or an `islesnet.data.Case` into sequences that the preprocessing can load.

    Files that lie on one grid and match there are used as they are. Others are read, told apart and registered by
    `islesnet.scanner`, and written to ``<output_dir>/<patient>/`` as ``dwi.nii.gz``, ``flair.nii.gz``, ..., each with
    its own voxels and a header that says where it lies to the reference; beside them ``scans.json`` says what was
    taken for what, and why. A reference that is a NIfTI file already is used itself, so that the mask gets its header.
    The brain is found on the reference where that shows the skull, and written as ``brain.nii.gz``.

    The item gets a file a sequence, "brain" where there is one, and "preparation", a `Preparation` as text. What an
    earlier run left is not looked at: `BeginPatient` comes first.

    Args:
        output_dir: folder of the results.
        reference_order: the first present one is the reference.
        brain_mask: auto, hd-bet or template, as for `islesnet.scanner.find_brain`; none leaves the skull on.
        device: that HD-BET computes on.

    Raises:
        InputError: for another ``brain_mask``. And patient by patient, as `islesnet.scanner.read_patient`.
    """

    def __init__(
        self,
        output_dir: str | Path,
        reference_order: Sequence[str],
        brain_mask: str = "auto",
        device: torch.device | str = "cpu",
    ) -> None:
        if brain_mask not in WAYS:
            raise InputError(f"brain_mask is {brain_mask!r}; there are {', '.join(WAYS)}.")
        self.output_dir = Path(output_dir)
        self.reference_order = ensure_tuple(reference_order)
        self.brain_mask = brain_mask
        self.device = str(device)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Prepare one patient."""
        request, own = _Request.of(data), self.output_dir / str(data["patient"])
        lost = tuple(_LOST.format(role.upper()) for role in request.lost)
        if lost and request.folder is None and not request.files:
            raise InputError(" ".join(lost))
        preparation = self._use_or_prepare(request, find_adc(data), own)
        preparation = replace(
            preparation, notes=(*lost, *preparation.notes), damaged=(*preparation.damaged, *request.lost)
        )
        kept = {key: value for key, value in data.items() if key not in _ASKED}
        used = {role: path for role, path in preparation.files.items() if role != "adc"}
        return kept | used | {PREPARATION: preparation.to_text()}

    def _use_or_prepare(self, request: "_Request", found_adc: Path | None, own: Path) -> Preparation:
        """Use the files as they are where that can be done, and read and register them where it cannot."""
        files = dict(request.files) if found_adc is None else {**request.files, "adc": found_adc}
        doubts: list[str] = []
        if request.folder is None:
            files, doubts = without_unusable_adc(files)
            used = self._use(files, request.brain, own, doubts) if self._are_prepared(files) else None
            if used is not None:
                return used
        raw = read_patient(request.folder, files, request.one_patient) if found_adc is None else read_with_adc(files)
        damaged = ("adc",) if doubts and "adc" not in raw.images else ()
        raw = replace(raw, notes=[*raw.notes, *doubts], damaged=(*raw.damaged, *damaged))
        return self._prepare(raw, request.brain, own)

    def _are_prepared(self, files: Mapping[str, Path]) -> bool:
        """Tell whether there is nothing to do but to look: no ADC to compute, one grid."""
        sequences = [path for role, path in files.items() if role in SEQUENCES]
        lacks_adc = "b0" in files and "adc" not in files
        return bool(sequences) and not lacks_adc and is_on_one_grid(sequences)

    def _use(
        self, files: Mapping[str, Path], given: Path | None, own: Path, doubts: Sequence[str]
    ) -> Preparation | None:
        """Take files that lie on one grid as they are, and look for the brain alone; None where they do not match."""
        reference = self._reference(files)
        try:
            images = {role: read_sound(path) for role, path in files.items() if role in SEQUENCES}
        except NotFiniteError:  # the scanner's reading puts something there
            return None
        except VolumeError:  # the checks that follow say what is wrong with it
            return Preparation(_as_text(files), reference)
        require_different(images)
        if not all(match(images[reference], image) for role, image in images.items() if role != reference):
            return None
        contradictions = _contradictions(files, own.name)
        for role, path in files.items():
            logger.info("%s: %s is the %s%s", own.name, path.name, role.upper(), _USED if role in SEQUENCES else "")
        for sentence in (*contradictions, *doubts):
            logger.warning("%s: %s", own.name, sentence)
        stamps = stamps_in_file(files[reference])
        brain = self._find_brain(images, reference, given, own, stamps)
        sequences = {role: path for role, path in files.items() if role != "adc"}
        adc = place_adc(files["adc"], images, reference, own, stamps) if "adc" in files else PlacedAdc()
        return Preparation(
            _as_text({**sequences, **adc.file, **_brain_file(brain, own)}),
            reference,
            moved=moved_sequences(adc.alignments),
            notes=(
                *contradictions,
                *notes_of_headers(files),
                *doubts,
                *adc.notes,
                *self._notes_of_reference(reference),
                *notes_of_motion(images),
                *brain.notes,
            ),
            damaged=("adc",) if doubts else (),
            doubtful_sides=doubtful_sides(files),
            registration={role: numbers_of(alignment) for role, alignment in adc.alignments.items()},
            brain=brain.way,
        )

    def _prepare(self, raw: RawPatient, given: Path | None, own: Path) -> Preparation:
        """Register what was read, find the brain, and write the volumes."""
        for choice in raw.choices:
            logger.info("%s: %s: %s, %s", own.name, choice.source, (choice.role or "not used").upper(), choice.why)
        reference = self._reference(raw.images)
        require_different({role: scan.image for role, scan in raw.images.items() if role in SEQUENCES})
        aligned = coregister({role: scan.image for role, scan in raw.images.items() if role != "b0"}, reference)
        original, origin = raw.images[reference].file, raw.images[reference].origin
        stamps = [] if origin is None else stamps_in_file(origin)
        brain = self._find_brain(aligned.images, reference, given, own, stamps)
        files = _brain_file(brain, own)
        files |= {role: own / f"{role}.nii.gz" for role in aligned.images}
        if original is not None and original.name.lower().endswith((".nii", ".nii.gz")):
            files[reference] = original
        slices = raw.images[reference].dicom
        is_tiled = any(place.tile is not None for place in slices)
        preparation = Preparation(
            _as_text(files),
            reference,
            moved=moved_sequences(aligned.alignments),
            notes=(
                *raw.notes,
                *self._notes_of_reference(reference),
                *notes_of_motion(aligned.images),
                *notes_of(aligned.alignments, reference),
                *brain.notes,
                *([_MOSAIC] if is_tiled else []),
            ),
            damaged=raw.damaged,
            doubtful_sides=doubtful_sides(
                {role: origin for role in aligned.images if (origin := raw.images[role].origin) is not None}
            ),
            choices=tuple(choice._asdict() for choice in raw.choices),
            registration={role: numbers_of(alignment) for role, alignment in aligned.alignments.items()},
            brain=brain.way,
            dicom=() if is_tiled else tuple((str(place.path), place.frame) for place in slices),
        )
        # Before the volumes, which are known by it as a run's.
        write_json(own / SCANS_FILE, preparation.told(), ensure_ascii=False)
        for role, image in aligned.images.items():
            write_image(own / f"{role}.nii.gz", image, stamps)
        return preparation

    def _reference(self, images: Mapping[str, Any]) -> str:
        present = [role for role in self.reference_order if role in images]
        if not present:
            raise InputError(f"There is none of the sequences {', '.join(self.reference_order)}.")
        return str(present[0])

    def _notes_of_reference(self, reference: str) -> tuple[str, ...]:
        absent = self.reference_order[: self.reference_order.index(reference)]
        said = " and no ".join(role.upper() for role in absent)
        return (f"The mask lies on the grid of {reference.upper()}, as there is no {said}.",) if absent else ()

    def _find_brain(
        self,
        images: Mapping[str, sitk.Image],
        reference: str,
        given: Path | None,
        own: Path,
        stamps: Sequence[str],
    ) -> Brain:
        others = [image for role, image in images.items() if role in SEQUENCES and role != reference]
        brain = find_brain_of(images[reference], others, given, self.brain_mask, self.device)
        if brain.mask is not None:
            write_image(own / BRAIN_FILE, brain.mask, stamps)
        return brain


@dataclass(frozen=True)
class _Request:
    """What a patient's item asks to be prepared; the fields are as in `RawScans`, ``files`` as its ``named``."""

    folder: Path | None
    files: Mapping[str, Path]
    brain: Path | None
    one_patient: bool
    lost: tuple[str, ...]

    @classmethod
    def of(cls, item: Mapping[Hashable, Any]) -> "_Request":
        """Read it from an item, as `RawScans.item` or `islesnet.data.Case.item` gives it."""
        return cls(
            folder=Path(item["folder"]) if "folder" in item else None,
            files={role: Path(item[role]) for role in ROLES if role in item},
            brain=Path(item["brain"]) if "brain" in item else None,
            one_patient=bool(item.get("one_patient", "")),
            lost=tuple(str(item.get("lost", "")).split()),
        )


def _contradictions(files: Mapping[str, Path], patient: str) -> tuple[str, ...]:
    """Say which files are given as one sequence and named as another."""
    told = (contradiction_of_name(role, stem_of(path.name) or "", path.name, patient) for role, path in files.items())
    return tuple(sentence for sentence in told if sentence)


def _brain_file(brain: Brain, own: Path) -> dict[str, Path]:
    return {} if brain.mask is None else {"brain": own / BRAIN_FILE}


def _as_text(files: Mapping[str, Path]) -> dict[str, str]:
    return {role: str(path) for role, path in files.items()}
