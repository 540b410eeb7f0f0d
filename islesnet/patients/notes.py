"""What a reader is told of motion and registration, in sentences and in numbers."""

from collections.abc import Mapping
from typing import Any

import SimpleITK as sitk  # noqa: N813

from islesnet.scanner import UNCONFIRMED, Alignment, slice_zigzag_mm
from islesnet.sequences import SEQUENCES

# Eleven real sequences and ten synthetic ones of still heads have 0.17 mm at most.
MOST_ZIGZAG_MM = 0.8


def notes_of(alignments: Mapping[str, Alignment], reference: str) -> tuple[str, ...]:
    """Say which sequences were moved to the reference, and which are left out because they could not be."""
    notes = []
    for role, alignment in alignments.items():
        if not alignment.is_trusted:
            notes.append(
                f"{role.upper()} is left out: it could not be registered to {reference.upper()}; {alignment.reason}."
            )
        elif alignment.reason == UNCONFIRMED:
            notes.append(f"{role.upper()} {UNCONFIRMED}: look whether it lies on {reference.upper()}.")
        elif role in moved_sequences(alignments):
            notes.append(f"{role.upper()} was registered to {reference.upper()}: {alignment.reason}.")
    return tuple(notes)


def notes_of_motion(images: Mapping[str, sitk.Image]) -> tuple[str, ...]:
    """Say in which sequences the head moved between the halves of an interleaved scan."""
    zigzags = {role: slice_zigzag_mm(image) for role, image in images.items() if role in SEQUENCES}
    return tuple(
        f"{role.upper()}: every second slice lies {zigzag:.1f} mm beside its neighbours; the head moved meanwhile."
        for role, zigzag in zigzags.items()
        if zigzag is not None and zigzag > MOST_ZIGZAG_MM
    )


def moved_sequences(alignments: Mapping[str, Alignment]) -> tuple[str, ...]:
    """Name the sequences whose headers were turned; an ADC that goes where its DWI goes is not named."""
    of_dwi = alignments.get("dwi")
    return tuple(
        role
        for role, alignment in alignments.items()
        if alignment.is_trusted and alignment.moved_mm > 0 and not (role == "adc" and alignment is of_dwi)
    )


def numbers_of(alignment: Alignment) -> dict[str, Any]:
    """Give a registration as plain data, rounded to its precision."""
    return {
        "used": alignment.is_trusted,
        "moved_mm": round(alignment.moved_mm, 2),
        "rotation_deg": round(alignment.rotation_deg, 2),
        "disagreement_mm": round(alignment.disagreement_mm, 2),
        "normalized_mutual_information": round(alignment.quality, 4),
        "normalized_mutual_information_before": round(alignment.quality_before, 4),
        "reason": alignment.reason,
    }
