"""Diffusion weighting in a DICOM header, standard and as the vendors have it.

Sources: DICOM PS3.3 C.8.13.5.9; NA-MIC's "DICOM for DWI and DTI"; the vendor notes of dcm2niix (rordenlab/dcm2niix).
"""

import math
import re
import struct
from typing import Any

from islesnet.scanner.dicom.headers import Header, number, numbers, text
from islesnet.scanner.dicom.quiet import quiet_pydicom
from islesnet.scanner.facts import TRACE_TYPES

_HIGHEST = 20_000.0  # s/mm2
_GE_MARK = 100_000  # GE adds 1e9 to the b-value of some products
_SIEMENS_SEQUENCE = re.compile(r"b(\d{1,5})(t|#\d+)?$")  # *ep_b1000t is a trace, ep_b1000#2 the second direction
_CANON_COMMENT = re.compile(r"b=(\d+(?:\.\d+)?)\(")

# Creator of the private block, its group and element, and how a value of unknown representation is stored.
_PRIVATE = (
    ("SIEMENS MR HEADER", 0x0019, 0x0C, ""),
    ("GEMS_PARM_01", 0x0043, 0x39, ""),
    ("Philips Imaging DD 001", 0x2001, 0x03, "f"),
    ("Image Private Header", 0x0065, 0x09, "d"),  # United Imaging
)


def b_value_of(header: Header) -> float | None:
    """Return the b-value in s/mm2; None where nothing says it."""
    standard = number(header, "DiffusionBValue")
    private = [_private(header, *place) for place in _PRIVATE]
    found = [standard, *private, *_of_csa(header, "B_value"), *_in_text(header)]
    return next((value for value in found if value is not None and 0 <= value <= _HIGHEST), None)


def direction_of(header: Header) -> tuple[float, ...] | None:
    """Return the direction of the diffusion gradient; None where nothing says it, or there is none."""
    found = numbers(header, "DiffusionGradientOrientation")
    if not found:
        # Siemens FD; GE three numbers apart
        found = _all_private(header, "SIEMENS MR HEADER", 0x0019, 0x0E, "d")
    if not found:
        apart = [_private(header, "GEMS_ACQU_01", 0x0019, element, "") for element in (0xBB, 0xBC, 0xBD)]
        found = [value for value in apart if value is not None] or _of_csa(header, "DiffusionGradientDirection")
    is_direction = len(found) == 3 and math.hypot(*found) > 0.1
    return tuple(round(value, 3) for value in found) if is_direction else None


def is_trace(header: Header, image_type: tuple[str, ...]) -> bool | None:
    """Tell whether the image is a mean over directions; None where nothing says it."""
    said = text(header, "DiffusionDirectionality").upper() or _text_of(header, "SIEMENS MR HEADER", 0x0019, 0x0D)
    if TRACE_TYPES & set(image_type) or said == "ISOTROPIC":
        return True
    if said in ("DIRECTIONAL", "BMATRIX"):
        return False
    if philips := _text_of(header, "Philips Imaging DD 001", 0x2001, 0x04):
        return philips.startswith("I") if philips[0] in "IPMSO" else None
    if match := _SIEMENS_SEQUENCE.search(text(header, "SequenceName").strip()):
        return {"t": True, "#": False}.get((match[2] or " ")[0])
    return None


def _in_text(header: Header) -> list[float | None]:
    name = _SIEMENS_SEQUENCE.search(text(header, "SequenceName").strip())
    comment = _CANON_COMMENT.match(text(header, "ImageComments").strip())
    return [float(match[1]) if match else None for match in (name, comment)]


def _private(header: Header, creator: str, group: int, element: int, stored: str) -> float | None:
    found = _all_private(header, creator, group, element, stored)
    if not found:
        return None
    return found[0] % _GE_MARK if creator == "GEMS_PARM_01" else found[0]


def _all_private(header: Header, creator: str, group: int, element: int, stored: str) -> list[float]:
    value = _private_value(header, creator, group, element)
    if isinstance(value, bytes):  # the representation was lost on the way (UN)
        size = struct.calcsize(f"<{stored}") if stored else 0
        if size and value and len(value) % size == 0:
            return list(struct.unpack(f"<{len(value) // size}{stored}", value))
        value = value.decode("ascii", errors="replace").strip("\0 ").split("\\")
    parts = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
    try:
        found = [float(part) for part in parts[:3]]
    except (TypeError, ValueError, OverflowError):
        # Parts that are not numbers may follow GE's first one, which is the b-value.
        return _first_number(parts)
    return found if all(math.isfinite(part) for part in found) else []


def _first_number(parts: Any) -> list[float]:
    try:
        return [float(parts[0])]
    except (TypeError, ValueError, IndexError, OverflowError):
        return []


def _text_of(header: Header, creator: str, group: int, element: int) -> str:
    value = _private_value(header, creator, group, element)
    if isinstance(value, bytes):
        value = value.decode("ascii", errors="replace")
    return value.strip("\0 ").upper() if isinstance(value, str) else ""


def _private_value(header: Header, creator: str, group: int, element: int) -> Any:
    try:
        with quiet_pydicom():
            return header.private_block(group, creator)[element].value
    except Exception:  # absent, or damaged in any way
        return None


def _of_csa(header: Header, name: str) -> list[float]:
    """Read numbers of Siemens' CSA header, of software before VE11; none where it does not have them."""
    if _private_value(header, "SIEMENS CSA HEADER", 0x0029, 0x10) is None:
        return []
    from nibabel.nicom import csareader

    try:
        with quiet_pydicom():
            items = csareader.get_csa_header(header, "image")["tags"][name]["items"]
            found = [float(item) for item in items]
    except Exception:  # nibabel's reader trusts the header's lengths
        return []
    return found if all(math.isfinite(value) for value in found) else []
