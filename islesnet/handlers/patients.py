"""Who is in a batch."""

from collections.abc import Mapping, Sequence
from typing import Any


def patient_names(batch: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Name the patients of a decollated batch as `monai.handlers.MetricsSaver` asks for them.

    MONAI would take a file's name, which many patients share.
    """
    return [{"filename_or_obj": item["patient"]} for item in batch]
