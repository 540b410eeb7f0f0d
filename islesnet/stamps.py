"""Stamps: words in capitals that keep results from being mistaken, and how a volume's description says them."""

from collections.abc import Sequence

PHANTOM = "PHANTOM"  # the patients are synthetic

_SIGNATURE = "islesnet, research use only"
_LONGEST = 79  # bytes that NIfTI has for a description, and the one that ends it


def describe(stamps: Sequence[str]) -> bytes:
    """Write the description of a NIfTI file that islesnet made, the stamps first: what is too long is cut off."""
    return ", ".join([*stamps, _SIGNATURE]).encode("ascii", errors="replace")[:_LONGEST]


def stamps_in(description: bytes) -> list[str]:
    """Give the stamps that `describe` wrote; none for what others wrote, or what was cut off."""
    stamps, ours, _ = description.decode("ascii", errors="replace").rpartition(f", {_SIGNATURE}")
    return stamps.split(", ") if ours else []
