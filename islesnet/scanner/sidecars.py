"""Read what converters leave beside a NIfTI: dcm2niix's .json and FSL's .bval."""

import json
import math
from pathlib import Path
from typing import Any

from islesnet.scanner.facts import TRACE_TYPES, Facts, words_of_series

_MOST_BYTES = 2**20
_DESCRIPTIONS = ("SeriesDescription", "ProtocolName", "Manufacturer")


def facts_beside(path: Path, words: tuple[str, ...], folder_words: tuple[str, ...]) -> Facts:
    """Read dcm2niix's sidecar; without one, or where it is damaged, only the names speak.

    Only the fields named here are looked at: a sidecar may hold the patient's name.
    """
    said = _read_json(path)
    kind = said.get("ImageType")
    kinds = tuple(str(part).upper() for part in kind[:20]) if isinstance(kind, list) else ()
    scanning = _text(said, "ScanningSequence").upper().replace("_", "\\").split("\\")
    return Facts(
        words=words + words_of_series(*(_text(said, key) for key in _DESCRIPTIONS)),
        folder_words=folder_words,
        image_type=kinds,
        scanning=frozenset(scanning) - {""},
        echo_time_ms=_number(said, "EchoTime", 1000.0),  # BIDS has seconds
        repetition_time_ms=_number(said, "RepetitionTime", 1000.0),
        inversion_time_ms=_number(said, "InversionTime", 1000.0),
        has_contrast_medium=bool(_text(said, "ContrastBolusIngredient")),
        b_value=_number(said, "DiffusionBValue", 1.0),
        is_trace=True if TRACE_TYPES & set(kinds) else None,
    )


def read_b_values(path: Path) -> list[float] | None:
    """Read FSL's b-values in s/mm2; None where there is no such file.

    Raises:
        ValueError: where it holds anything but b-values.
    """
    try:
        content = _read(path)
    except OSError:
        return None
    values = [float(word) for word in content.split()]
    if not values or not all(math.isfinite(value) and value >= 0 for value in values):
        raise ValueError(f"{path.name} holds no b-values")
    return values


def _read_json(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(_read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _read(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_MOST_BYTES).decode("utf-8", errors="replace")


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _number(said: dict[str, Any], key: str, factor: float) -> float | None:
    value = said.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value * factor
