"""Files of volumes: what their names say of sequence and patient, their grids and values, and what is wrong."""

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
