"""Unpack the voxels of MetaImage and NRRD files, for SimpleITK looks at no checksum and gives damaged ones out."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from islesnet.volumes.unpacking import Stream, ZlibStream, goes_on, read_until, reading_told
from islesnet.volumes.volume import VolumeError

_MOST_HEADER_BYTES = 2**24
_MOST_FILES = 2**14
_NUMBER = re.compile(r"%(\d{0,3})d")
_METAIMAGE_FIELD = re.compile(r"\s*(\w+)\s*[=:]\s*(.*?)\s*$")


@dataclass(frozen=True)
class PackedVoxels:
    """Where a file's packed voxels lie.

    Args:
        files: which hold them, the same number each: the volume's own, or one or more beside it.
        begin: where in each they begin.
        length: packed bytes; None where they may go on to the end of the file.
        is_nrrd: whether it is gzip, in one part or several, as NRRD has it; else zlib, as MetaImage.
        skipped_lines: to be passed over before they are unpacked.
        skipped_bytes: to be passed over when they are.
        is_big_endian: whether the first byte of a number is its largest.
    """

    files: tuple[Path, ...]
    begin: int
    length: int | None = None
    is_nrrd: bool = False
    skipped_lines: int = 0
    skipped_bytes: int = 0
    is_big_endian: bool = False


def find_packed_voxels(path: Path) -> PackedVoxels | None:
    """Say where a MetaImage or NRRD file's packed voxels lie; None where they are not packed.

    Raises:
        VolumeError: for a header that cannot be followed, or a file that is not there.
    """
    with reading_told(path), path.open("rb") as file:
        is_nrrd = file.read(4) == b"NRRD"
        file.seek(0)
        try:
            packed = _of_nrrd(path, file) if is_nrrd else _of_metaimage(path, file)
        except ValueError as error:
            raise VolumeError(path, f"has a header that cannot be followed ({error})") from error
        absent = [] if packed is None else [data.name for data in packed.files if not data.is_file()]
    if absent:
        raise VolumeError(path, f"is incomplete: its voxels lie in {absent[0]}, which is not there; copy that too")
    return packed


def unpack_voxels(path: Path, packed: PackedVoxels, size: int) -> tuple[bytearray, bool]:
    """Unpack voxels, and read on to their checksum.

    Args:
        path: of the volume.
        packed: where its voxels lie.
        size: bytes that its header announces.

    Returns:
        the voxels, and whether the file goes on after the last of them.

    Raises:
        VolumeError: for damaged or too little data.
    """
    content = bytearray()
    has_surplus = False
    for number, data in enumerate(packed.files, start=1):
        with reading_told(path), _unpacked(data, packed) as stream:
            read_until(stream, bytearray(), packed.skipped_bytes)
            read_until(stream, content, size * number // len(packed.files))
            has_surplus |= _goes_on(stream)
    if len(content) < size:
        raise VolumeError(
            path,
            f"is damaged or cut short: it unpacks to {len(content):,} bytes of voxels where its header announces "
            f"{size:,}; copy it again",
        )
    return content, has_surplus


def _goes_on(stream: Stream) -> bool:
    try:
        return goes_on(stream)
    except gzip.BadGzipFile as error:
        if "Not a gzipped file" not in str(error):  # a checksum that is wrong
            raise
        return True  # what follows the packed voxels is not packed


@contextmanager
def _unpacked(data: Path, packed: PackedVoxels) -> Iterator[Stream]:
    with data.open("rb") as file:
        file.seek(packed.begin)
        for _ in range(packed.skipped_lines):
            if not file.readline(_MOST_HEADER_BYTES):
                break
        yield cast(Stream, gzip.GzipFile(fileobj=file)) if packed.is_nrrd else ZlibStream(file, packed.length)


def _of_metaimage(path: Path, file: BinaryIO) -> PackedVoxels | None:
    fields: dict[str, str] = {}
    for line in _lines(file):
        if found := _METAIMAGE_FIELD.match(line):
            fields[found[1]] = found[2]
        if "ElementDataFile" in fields:
            break
    place = fields.get("ElementDataFile", "")
    if not place or fields.get("CompressedData", "")[:1] not in ("T", "t", "1"):
        return None
    if place.startswith("LIST") or "%" in place:
        raise ValueError("packed voxels in several files; save them as one")
    is_local = place.lower() == "local"
    header_size = int(fields.get("HeaderSize", 0))  # from the beginning of the file; -1 and 0 say nothing
    if header_size > _MOST_HEADER_BYTES:
        raise ValueError(f"packed voxels from byte {header_size} on; save them anew")
    size = int(fields.get("CompressedDataSize", 0))
    is_big = fields.get("ElementByteOrderMSB", fields.get("BinaryDataByteOrderMSB", ""))[:1] in ("T", "t", "1")
    return PackedVoxels(
        files=(path if is_local else path.parent / place,),
        begin=header_size if header_size > 0 else file.tell() if is_local else 0,
        length=size if size > 0 else None,
        is_big_endian=is_big,
    )


def _of_nrrd(path: Path, file: BinaryIO) -> PackedVoxels | None:
    fields: dict[str, str] = {}
    lines = _lines(file)
    for line in lines:
        name, _, value = line.partition(": ")
        fields[name.lower().replace(" ", "")] = value.strip()
        if not line.strip() or fields.get("datafile", "").startswith("LIST"):
            break
    if fields.get("encoding", "").lower() not in ("gzip", "gz"):
        return None
    place = fields.get("datafile", "")
    skipped_bytes = int(fields.get("byteskip", 0))
    if not 0 <= skipped_bytes <= _MOST_HEADER_BYTES:  # -1 counts from the end
        raise ValueError(f"packed voxels from {skipped_bytes} unpacked bytes on; save them anew")
    return PackedVoxels(
        files=tuple(path.parent / name for name in _data_files(place, lines)) if place else (path,),
        begin=0 if place else file.tell(),
        is_nrrd=True,
        skipped_lines=int(fields.get("lineskip", 0)),
        skipped_bytes=skipped_bytes,
        is_big_endian=fields.get("endian", "").lower() == "big",
    )


def _data_files(place: str, lines: Iterator[str]) -> list[str]:
    """Name the files of a NRRD's "data file": that one, those on the lines that follow, or a numbered row of them."""
    if place.startswith("LIST"):
        return [line.strip() for line in lines if line.strip()]
    if not _NUMBER.search(place):
        return [place]
    pattern, first, last, step = place.split()[:4]
    row = range(int(first), int(last) + (1 if int(step) > 0 else -1), int(step))
    before, width, after = _NUMBER.split(pattern, maxsplit=1)
    return [f"{before}{number:{width}d}{after}" for number in row[:_MOST_FILES]]


def _lines(file: BinaryIO) -> Iterator[str]:
    while file.tell() < _MOST_HEADER_BYTES and (line := file.readline(_MOST_HEADER_BYTES)):
        yield line.decode("utf-8", "surrogateescape")
