"""Open a DICOM header without trusting it, and give every frame of a multi-frame file a header of its own."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from islesnet.scanner.candidate import UnusableError
from islesnet.scanner.dicom.quiet import quiet_pydicom
from islesnet.volumes.volume import MAXIMUM_VOXELS

Header = Any  # pydicom's Dataset

_DEFLATED = "1.2.840.10008.1.2.1.99"
# A head scan in lossless compression is a half to a tenth of its size; a hundredfold is no scan.
_MOST_COMPRESSION = 200
_MOST_FRAMES = 100_000
_KEPT = ("ContrastBolusAgentSequence",)  # of the sequences above all frames


@contextmanager
def distrusted() -> Iterator[None]:
    """Turn whatever error a damaged header causes in pydicom into one in plain words.

    Raises:
        UnusableError: in place of that error, without its message, which may repeat values of the header.
    """
    try:
        with quiet_pydicom():
            yield
    except UnusableError:
        raise
    except OSError as error:
        raise UnusableError(f"cannot be read ({(error.strerror or 'damaged').lower()})") from error
    except Exception as error:
        raise UnusableError("is damaged: its DICOM header cannot be read") from error


def open_header(path: Path, with_pixels: bool = False) -> Header:
    """Read a DICOM file's header, or the whole file.

    Raises:
        UnusableError: for a file that cannot be read as DICOM.
    """
    import pydicom

    with distrusted():
        if _transfer_syntax(path) == _DEFLATED:  # unpacked without bounds by pydicom
            raise UnusableError("is packed as a whole (deflated transfer syntax); unpack it, e.g. with dcmconv +te")
        header = pydicom.dcmread(path, stop_before_pixels=not with_pixels, force=True)
        if "TransferSyntaxUID" not in header.file_meta:  # written without a preamble
            is_implicit = header.original_encoding[0]
            header.file_meta.TransferSyntaxUID = (
                pydicom.uid.ImplicitVRLittleEndian if is_implicit else pydicom.uid.ExplicitVRLittleEndian
            )
        return header


def text(header: Header, keyword: str) -> str:
    """Return a text value; nothing where it is absent or damaged."""
    return " ".join(texts(header, keyword))


def texts(header: Header, keyword: str) -> list[str]:
    """Return the parts of a text with several values."""
    value = _value(header, keyword)
    if value is None:
        return []
    return [str(part) for part in value] if _is_several(value) else [str(value)]


def numbers(header: Header, keyword: str) -> list[float]:
    """Return finite numbers; none where the value is absent or damaged."""
    value = _value(header, keyword)
    parts = value if _is_several(value) else [value]
    try:
        found = [float(part) for part in parts]
    except (TypeError, ValueError):
        return []
    return found if all(math.isfinite(part) for part in found) else []


def number(header: Header, keyword: str) -> float | None:
    """Return the first number; None where it is absent or damaged."""
    found = numbers(header, keyword)
    return found[0] if found else None


def has_items(header: Header, keyword: str) -> bool:
    """Tell whether a sequence is there and not empty."""
    return bool(_value(header, keyword))


def frame_headers(header: Header) -> list[Header]:
    """Return a flat header for each frame: its own functional groups override the shared ones, those the file's values.

    Source: DICOM PS3.3 C.7.6.16, Multi-frame Functional Groups.

    Raises:
        UnusableError: where the groups are missing or fewer than the frames.
    """
    frames = int(number(header, "NumberOfFrames") or 1)
    own = _value(header, "PerFrameFunctionalGroupsSequence")
    if own is None and frames <= 1:
        return [header]
    if own is None:
        raise UnusableError(f"holds {frames} frames but does not say where each lies")
    if not 1 <= frames <= _MOST_FRAMES or len(own) != frames:
        raise UnusableError(f"announces {frames} frames and describes {len(own)}; the file is damaged")
    shared = _value(header, "SharedFunctionalGroupsSequence")
    common = _flat(shared[0]) if shared else {}
    top = {element.tag: element for element in _elements(header) if element.VR != "SQ" or element.keyword in _KEPT}
    return [_dataset({**top, **common, **_flat(item)}) for item in own]


def require_plausible(header: Header, path: Path) -> None:
    """Refuse a header that announces more voxels than a head has or than the file can hold.

    Raises:
        UnusableError: with the numbers.
    """
    rows, columns = (int(number(header, key) or 0) for key in ("Rows", "Columns"))
    frames = int(number(header, "NumberOfFrames") or 1)
    if rows < 1 or columns < 1 or frames < 1:
        raise UnusableError(f"announces {columns} x {rows} voxels in {frames} frames; every number must be at least 1")
    voxels = rows * columns * frames
    if voxels > MAXIMUM_VOXELS:
        raise UnusableError(
            f"announces {columns} x {rows} x {frames} voxels ({voxels:.3g}); no head scan has more than "
            f"{MAXIMUM_VOXELS:.2g}"
        )
    announced = voxels * max(1, int(number(header, "BitsAllocated") or 16) // 8)
    held = path.stat().st_size
    is_packed = _is_compressed(header)
    if announced > held * (_MOST_COMPRESSION if is_packed else 1):
        raise UnusableError(
            f"is cut short or damaged: it announces {columns} x {rows} x {frames} voxels, {announced:,} bytes, "
            f"but the file has {held:,}"
        )


def _transfer_syntax(path: Path) -> str:
    from pydicom.errors import InvalidDicomError
    from pydicom.filereader import read_file_meta_info

    try:
        return str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
    except InvalidDicomError:
        return ""


def _is_compressed(header: Header) -> bool:
    syntax = getattr(header.file_meta, "TransferSyntaxUID", None) if hasattr(header, "file_meta") else None
    return bool(syntax is not None and syntax.is_transfer_syntax and syntax.is_compressed)


def _value(header: Header, keyword: str) -> Any:
    try:
        with quiet_pydicom():
            value = header.get(keyword)
    except Exception:  # a damaged value; each kind fails in its own way
        return None
    return None if value == "" else value


def _is_several(value: Any) -> bool:
    # A person's name can be walked through too, letter by letter.
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _elements(item: Header) -> Iterator[Any]:
    for tag in list(item.keys()):
        try:
            with quiet_pydicom():
                yield item[tag]
        except Exception:  # a damaged element is as good as absent
            continue


def _flat(item: Header, depth: int = 3) -> dict[Any, Any]:
    """Gather the elements of the items inside an item; the first item of a sequence speaks for it."""
    found: dict[Any, Any] = {}
    for element in _elements(item):
        if element.VR != "SQ":
            found[element.tag] = element
        elif depth and element.value and element.keyword not in ("ReferencedImageSequence", "DerivationImageSequence"):
            found = {**_flat(element.value[0], depth - 1), **found}
    return found


def _dataset(elements: dict[Any, Any]) -> Header:
    from pydicom.dataset import Dataset

    return Dataset(elements)
