"""Stamps: words in capitals that keep results from being mistaken, and how a volume's description says them."""

from collections.abc import Sequence

from islesnet.errors import InputError

PHANTOM = "PHANTOM"  # the patients are synthetic

_SIGNATURE = "islesnet, research use only"
_LONGEST = 79  # bytes that NIfTI has for a description, and the one that ends it


def describe(stamps: Sequence[str]) -> bytes:
    """Write the description of a NIfTI file that islesnet made, the stamps first: what is too long is cut off."""
    return ", ".join([*stamps, _SIGNATURE]).encode("ascii", errors="replace")[:_LONGEST]


def require_stamps(stamps: object) -> None:
    """Refuse stamps that are no list of words: a single word would be taken for its letters.

    Raises:
        InputError: saying what was given and what would be right.
    """
    words = stamps if isinstance(stamps, list | tuple) else [None]
    if not all(isinstance(word, str) and word for word in words):
        raise InputError(f'stamps is {stamps!r}; it must be a list of words, as in --stamps "[{PHANTOM}]".')


def stamps_in(description: bytes) -> list[str]:
    """Give the stamps that `describe` wrote; none for what others wrote, or what was cut off."""
    stamps, ours, _ = description.decode("ascii", errors="replace").rpartition(f", {_SIGNATURE}")
    return stamps.split(", ") if ours else []
