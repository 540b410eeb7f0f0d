"""One thing that was found about a patient's scans or mask."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A finding, in two lengths.

    Args:
        topic: a word or two for a table's cell.
        sentence: with the numbers, and what would be right.
    """

    topic: str
    sentence: str
