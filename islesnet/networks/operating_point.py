"""What turns a network's logits into a mask: chosen once for its weights, and kept beside them."""

import json
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path

from islesnet.errors import InputError, require_switch
from islesnet.files import file_beside, write_json
from islesnet.networks.weight_files import require_present


@dataclass(frozen=True)
class OperatingPoint:
    """How a network's logits become a mask; the defaults are for a network that no point was chosen for.

    Args:
        threshold: probability from which a voxel is lesion, once temperature and offset are applied.
        minimum_lesion_ml: smaller lesions are removed.
        temperature: what logits are divided by first.
        offset: what is added to them after that.
        bias_correction: the network is shown sequences without the coils' shading.

    Raises:
        InputError: a value is outside its range.
    """

    threshold: float = 0.5
    minimum_lesion_ml: float = 0.01
    temperature: float = 1.0
    offset: float = 0.0
    bias_correction: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise InputError(f"threshold is {self.threshold}; a probability between 0 and 1 is needed")
        if not 0 <= self.minimum_lesion_ml < float("inf"):
            raise InputError(f"minimum_lesion_ml is {self.minimum_lesion_ml}; it is 0 or more")
        if not 0 < self.temperature < float("inf"):
            raise InputError(f"temperature is {self.temperature}; it is above 0, and 1 leaves probabilities alone")
        if not abs(self.offset) < float("inf"):
            raise InputError(f"offset is {self.offset}; it is a finite number, and 0 leaves probabilities alone")
        require_switch(self.bias_correction, "bias_correction")

    def write(self, path: Path) -> None:
        """Write the point as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "OperatingPoint":
        """Read a point that `write` wrote.

        Raises:
            InputError: the file is damaged, or holds something else.
        """
        try:
            values = json.loads(path.read_text())
            bias_correction = values.pop("bias_correction", False)  # which earlier points have not
            return cls(**{name: float(value) for name, value in values.items()}, bias_correction=bias_correction)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: no operating point can be read from it ({error})") from error


def operating_point_file(weights: str | PathLike[str]) -> Path:
    """Name the file of the operating point that belongs to a network's weights."""
    return file_beside(weights, "operating_point")


def read_operating_point(weights: str | PathLike[str]) -> OperatingPoint:
    """Read what lies beside weights (``model.pt``: ``model_operating_point.json``); without it the defaults.

    Raises:
        InputError: as `OperatingPoint.read`, and where there are no weights: a client that looks in the wrong folder
            would use the right ones with the wrong point.
    """
    path = operating_point_file(weights)
    if path.is_file():
        return OperatingPoint.read(path)
    require_present(weights)
    return OperatingPoint()
