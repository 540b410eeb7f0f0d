"""A number and what it counts, in words."""


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, whose plural ends in s: 1 patient, 2 patients."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
