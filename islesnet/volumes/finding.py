"""What one check says, before the names of the patient and the file are added."""

from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]


class Finding(NamedTuple):
    """A message and how bad it is."""

    severity: Severity
    message: str


def error(message: str) -> Finding:
    """Say that a case cannot be used as it is."""
    return Finding("error", message)


def warning(message: str) -> Finding:
    """Say that a case can be used, but that a person should look at it."""
    return Finding("warning", message)
