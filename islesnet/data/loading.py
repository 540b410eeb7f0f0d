"""How a patient's files enter a MONAI pipeline: checked first, then read by the reader that knows the format."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from islesnet.data.case import SEQUENCES, Case
from islesnet.data.checks import require_sound
from islesnet.data.reader import SimpleITKReader

__all__ = ["RequireSound", "SimpleITKReader"]


class RequireSound(Transform):
    """Refuse a patient whose files are unsound, with all that is wrong, before anything is computed from them.

    The first of the preprocessing: in training its verdict is cached with the patient.

    Raises:
        InputError: as `islesnet.data.require_sound`.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Check one patient's files; the paths are handed on."""
        sequences = {name: Path(data[name]) for name in SEQUENCES if name in data}
        label = Path(data["label"]) if "label" in data else None
        require_sound([Case(data["patient"], sequences, label)])
        return dict(data)
