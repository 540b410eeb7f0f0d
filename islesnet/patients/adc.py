"""The ADC map that belongs to a DWI: found beside it, read and registered to it; only the report makes use of it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.patients.images import read_image, write_image
from islesnet.patients.notes import notes_of
from islesnet.scanner import Alignment, RawPatient, UnusableError, coregister, in_usual_unit, read_patient, tell_unit
from islesnet.volumes import VolumeError
from islesnet.volumes.file_names import SEQUENCE_WORDS, stem_of, without_words, words_of

ADC_FILE = "adc.nii.gz"


@dataclass(frozen=True)
class PlacedAdc:
    """An ADC map on its DWI.

    Args:
        file: "adc" -> where it is; empty where there is none that could be placed.
        alignments: "adc" -> how it was brought there; empty where it lies there as it is.
        notes: on both.
    """

    file: Mapping[str, Path] = field(default_factory=dict)
    alignments: Mapping[str, Alignment] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_adc(item: Mapping[Hashable, Any]) -> Path | None:
    """Find an ADC map that the item does not name: the file beside its DWI whose name differs in the sequence alone.

    None is looked for where the item has a folder of scans, or names an ADC map itself.
    """
    if "dwi" not in item or "adc" in item or "folder" in item:
        return None
    dwi = Path(item["dwi"])
    wanted = without_words(stem_of(dwi.name) or dwi.name, SEQUENCE_WORDS["dwi"])
    try:
        beside = sorted(dwi.parent.iterdir())
    except OSError:  # a folder that may be passed through, not listed
        return None
    for path in beside:
        stem = stem_of(path.name)
        if stem is not None and "adc" in words_of(stem) and without_words(stem, {"adc"}) == wanted:
            return path
    return None


def read_adc(path: Path) -> tuple[sitk.Image, list[str]]:
    """Read an ADC map in 1e-3 mm2/s, 0 where it has no value.

    Returns:
        The map, and a note where it came in another unit.

    Raises:
        UnusableError: where it cannot be read, or is none.
    """
    try:
        image, unit = in_usual_unit(read_image(path))
    except VolumeError as error:
        raise UnusableError(error.reason) from error
    except InputError as error:  # a grid that no image can have
        raise UnusableError(f"cannot be used: {error}") from error
    return image, tell_unit(path.name, unit)


def without_unusable_adc(files: Mapping[str, Path]) -> tuple[dict[str, Path], list[str]]:
    """Leave out of a patient's files an ADC map that cannot be used, with a note.

    A DICOM series is left to the scanner's reading.
    """
    try:
        if "adc" in files and stem_of(files["adc"].name) is not None:
            read_adc(files["adc"])
    except UnusableError as refusal:
        note = f"{files['adc'].name} (ADC) is left out: it {refusal}."
        return {role: path for role, path in files.items() if role != "adc"}, [note]
    return dict(files), []


def read_with_adc(files: Mapping[str, Path]) -> RawPatient:
    """Read named sequences and an ADC map that nobody named, as `find_adc` found it, and leave it out if need be.

    Args:
        files: role -> file; without "adc" where the map was found to be unusable.

    Raises:
        InputError: as `islesnet.scanner.read_patient`, for the sequences.
    """
    if "adc" not in files:
        return read_patient(None, files)
    try:
        raw = read_patient(None, files)
    except InputError:
        raw = read_patient(None, {role: path for role, path in files.items() if role != "adc"})
        note = f"{files['adc'].name} (ADC) is left out: it cannot be used as an ADC map."
        damaged = () if "adc" in raw.images else ("adc",)
        return replace(raw, notes=[*raw.notes, note], damaged=(*raw.damaged, *damaged))
    beside = "it lies beside the DWI"
    choices = [choice._replace(why=beside) if choice.role == "adc" else choice for choice in raw.choices]
    return replace(raw, choices=choices)


def place_adc(
    path: Path, images: Mapping[str, sitk.Image], reference: str, own: Path, stamps: Sequence[str]
) -> PlacedAdc:
    """Take an ADC map as it is where its voxels are the DWI's; register and write it where they are not.

    Args:
        path: of a map that can be used.
        images: the sequences, on one grid.
        reference: the one to register to where there is no DWI.
        own: the patient's folder, for a map that was moved.
        stamps: words in capitals for its header.
    """
    anchor = "dwi" if "dwi" in images else reference
    adc, notes = read_adc(path)
    found = coregister({anchor: images[anchor], "adc": adc}, anchor)
    alignment = found.alignments["adc"]
    told = (*notes, *notes_of(found.alignments, anchor))
    if alignment.is_trusted and alignment.moved_mm == 0:
        return PlacedAdc({"adc": path}, notes=told)
    if not alignment.is_trusted:
        return PlacedAdc({}, found.alignments, told)
    write_image(own / ADC_FILE, found.images["adc"], stamps)
    return PlacedAdc({"adc": own / ADC_FILE}, found.alignments, told)
