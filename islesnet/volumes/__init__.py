"""Files of volumes before they are anybody's: what their names say, their grids, their values, and what is wrong."""

from islesnet.volumes.volume import (
    Header,
    Volume,
    VolumeError,
    VolumeStack,
    read_header,
    read_volume,
    read_volume_stack,
)

__all__ = ["Header", "Volume", "VolumeError", "VolumeStack", "read_header", "read_volume", "read_volume_stack"]
