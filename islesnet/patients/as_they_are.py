"""Files that are used as they are: read, and what a reader should know of their headers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.scanner import image_of
from islesnet.sequences import SEQUENCES
from islesnet.volumes import VolumeError, read_header, read_volume
from islesnet.volumes.geometry import check_grid, is_side_doubtful
from islesnet.volumes.values import check_values
from islesnet.volumes.volume import MOST_VOLUMES


class NotFiniteError(VolumeError):
    """A volume some of whose voxels are NaN or infinite, and which can be used once they are replaced."""


def read_sound(path: Path) -> sitk.Image:
    """Read a volume, and refuse one whose grid or values are wrong.

    Raises:
        NotFiniteError: where only some voxels are NaN or infinite.
        VolumeError: where anything else is wrong.
    """
    volume = read_volume(path)
    array = np.asarray(volume.array, np.float32)
    finite = np.isfinite(array)
    for finding in (*check_grid(volume.header), *check_values(array[finite] if finite.any() else array)):
        if finding.severity == "error":
            raise VolumeError(path, f"cannot be used: {finding.message}")
    if not finite.all():
        raise NotFiniteError(path, "holds voxels that are NaN or infinite")
    return image_of(array, volume.affine)


def notes_of_headers(files: Mapping[str, Path]) -> tuple[str, ...]:
    """Say what is doubtful in the headers of sequences."""
    findings = ((path, check_grid(read_header(path))) for role, path in files.items() if role in SEQUENCES)
    return tuple(f"{path.name}: {finding.message}." for path, found in findings for finding in found)


def doubtful_sides(files: Mapping[str, Path]) -> tuple[str, ...]:
    """Name the sequences whose headers leave open which side is left; DICOM never does."""
    return tuple(
        role for role, path in files.items() if role in SEQUENCES and is_side_doubtful(read_header(path, MOST_VOLUMES))
    )
