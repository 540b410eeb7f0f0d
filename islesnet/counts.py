"""A number and what it counts, and the first of many names, in words."""

from collections.abc import Iterable


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, whose plural ends in s: 1 patient, 2 patients."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def first_of(names: Iterable[str], most: int) -> str:
    """List names, those beyond the first so many as a number alone: "a, b and 3 more".

    Args:
        names: in the order in which they are listed.
        most: how many are named, 1 or more.
    """
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
