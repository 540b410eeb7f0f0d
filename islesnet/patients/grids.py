"""Whether files lie on one grid."""

from collections.abc import Iterable
from pathlib import Path

from islesnet.volumes import VolumeError, read_header
from islesnet.volumes.geometry import lie_on_one_grid


def is_on_one_grid(files: Iterable[Path]) -> bool:
    """Tell whether files hold one 3D volume each, all with the same voxels; only headers are read."""
    try:
        first, *others = (read_header(path) for path in files)
    except VolumeError:
        return False
    return all(lie_on_one_grid(first, other) for other in others)
