"""How a patient's files enter a MONAI pipeline: checked first, then read by the reader that knows the format."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.transforms import Transform

from islesnet.data.case import Case
from islesnet.data.checks import require_sound
from islesnet.data.reader import VolumeReader
from islesnet.errors import InputError

__all__ = ["RequireSound", "VolumeReader"]


class RequireSound(Transform):
    """Refuse a patient whose files are unsound, with all that is wrong, before anything is computed from them.

    The first of the preprocessing: in training its verdict is cached with the patient.

    Args:
        keys: the files that will be used: sequences, and "label" where the truth is.

    Raises:
        InputError: as `islesnet.data.require_sound`; also where the patient has none of the sequences.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Check one patient's files; the paths are handed on."""
        used = {key: Path(data[key]) for key in self.keys if key in data}
        label = used.pop("label", None)
        if not used:
            raise InputError(f"patient {data.get('patient', '?')!r} has none of the sequences {', '.join(self.keys)}.")
        require_sound([Case(data["patient"], used, label)])
        return dict(data)
