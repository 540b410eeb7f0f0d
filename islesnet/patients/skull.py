"""Say of which patients the skull is on, where nothing takes it off."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.transforms import Transform
from monai.utils import ensure_tuple

from islesnet.patients.images import read_image
from islesnet.scanner import is_extracted
from islesnet.volumes import VolumeError

logger = logging.getLogger(__name__)


class WarnOfSkull(Transform):
    """Warn where a patient's reference shows the skull: inference takes it off, an evaluation of plain files does not.

    On synthetic heads a network does worse with the skull on than `islesnet segment` does with the same weights, and
    nothing else tells why the two scores differ.

    Args:
        reference_order: the first present sequence is looked at.
    """

    def __init__(self, reference_order: Sequence[str]) -> None:
        self.reference_order = ensure_tuple(reference_order)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Look at one patient's file, and pass the item on."""
        reference = next((sequence for sequence in self.reference_order if sequence in data), None)
        if reference is not None and "brain" not in data and self._shows_skull(data[reference]):
            logger.warning(
                "%s: the %s shows the skull, which this evaluation leaves on. With --prepare_scans True it is taken "
                "off, as inference and islesnet segment do.",
                data["patient"],
                reference.upper(),
            )
        return dict(data)

    def _shows_skull(self, path: str | Path) -> bool:
        try:
            return not is_extracted(read_image(Path(path)))
        except VolumeError:  # whoever reads it next says so
            return False
