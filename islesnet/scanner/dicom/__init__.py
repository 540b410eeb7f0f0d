"""DICOM as a PACS exports it: any file names, any folders, one file a slice or many frames in one file."""

from islesnet.scanner.dicom.frames import Frame, examination_of, is_dicom, read_frames
from islesnet.scanner.dicom.headers import frame_headers, open_header
from islesnet.scanner.dicom.stacks import candidates_in_series, series_name

__all__ = [
    "Frame",
    "candidates_in_series",
    "examination_of",
    "frame_headers",
    "is_dicom",
    "open_header",
    "read_frames",
    "series_name",
]
