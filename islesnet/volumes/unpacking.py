"""Unpack a file in pieces, to the end of what is packed, where its checksum is."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from islesnet.volumes.volume import VolumeError

_CHUNK = 2**20
# A checksum that lies farther behind the last voxel than this is not waited for.
MOST_SURPLUS = 2**30
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


class Stream(Protocol):
    """Whatever is read in order."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""


class ZlibStream:
    """What a zlib or gzip stream unpacks to, read in order.

    Args:
        file: stands where the stream begins.
        length: packed bytes; None where the stream may go on to the end of the file.
    """

    def __init__(self, file: BinaryIO, length: int | None = None) -> None:
        self._file = file
        self._left = length
        self._unpacker = zlib.decompressobj(_ZLIB_OR_GZIP)

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end, after the checksum.

        Raises:
            EOFError: where the packed data ends before the stream does.
            zlib.error: for damaged data or a wrong checksum.
        """
        while not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._read_packed()
            piece = self._unpacker.decompress(packed, size)
            if piece:
                return piece
            if not packed and not self._unpacker.eof:
                raise EOFError("the packed data ends before the end of its stream")
        return b""

    def _read_packed(self) -> bytes:
        packed = self._file.read(_CHUNK if self._left is None else min(_CHUNK, self._left))
        if self._left is not None:
            self._left -= len(packed)
        return packed


def read_until(stream: Stream, content: bytearray, end: int) -> None:
    """Add to the content until it has `end` bytes or the stream ends."""
    while len(content) < end and (piece := stream.read(min(_CHUNK, end - len(content)))):
        content += piece


def goes_on(stream: Stream, most: int = MOST_SURPLUS) -> bool:
    """Tell whether a stream goes on, having read it to its end, where the checksum is, or so many bytes of it."""
    surplus = 0
    while surplus < most and (piece := stream.read(min(_CHUNK, most - surplus))):
        surplus += len(piece)
    return surplus > 0


@contextmanager
def reading_told(path: Path) -> Iterator[None]:
    """Say in plain words what goes wrong while a file is read or unpacked.

    Raises:
        VolumeError: in the place of what the system, gzip or zlib raises.
    """
    try:
        yield
    except EOFError as error:
        raise VolumeError(path, "is cut short: the packed data ends in the middle; copy it again") from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise VolumeError(path, f"is damaged: the packed data cannot be unpacked ({error}); copy it again") from error
    except OSError as error:
        raise VolumeError(path, f"cannot be read ({(error.strerror or str(error)).lower()})") from error
