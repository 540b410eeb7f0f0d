"""From raw scans to co-registered volumes; so far: reading them."""

from islesnet.scanner.patient import Choice, DicomFrame, RawImage, RawPatient
from islesnet.scanner.reading import read_patient

__all__ = ["Choice", "DicomFrame", "RawImage", "RawPatient", "read_patient"]
