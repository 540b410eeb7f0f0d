"""From raw scans to co-registered, brain-extracted volumes."""

from islesnet.scanner.adc import in_usual_unit, tell_unit
from islesnet.scanner.brain_mask import FOUND_BY, BrainMask, find_brain, is_extracted
from islesnet.scanner.candidate import UnusableError
from islesnet.scanner.coregistration import UNCONFIRMED, Coregistered, coregister
from islesnet.scanner.dicom import examination_of, is_dicom
from islesnet.scanner.grids import affine_of, have_same_grid, image_of
from islesnet.scanner.motion import slice_zigzag_mm
from islesnet.scanner.patient import ROLES, Choice, DicomFrame, RawImage, RawPatient
from islesnet.scanner.reading import read_patient
from islesnet.scanner.recognition import contradiction_of_name, may_be_sequence, sequence_by_name
from islesnet.scanner.registration import Alignment, align, match
from islesnet.scanner.resampling import mask_on, resample
from islesnet.scanner.volume_files import sequence_of_file

__all__ = [
    "FOUND_BY",
    "ROLES",
    "UNCONFIRMED",
    "Alignment",
    "BrainMask",
    "Choice",
    "Coregistered",
    "DicomFrame",
    "RawImage",
    "RawPatient",
    "UnusableError",
    "affine_of",
    "align",
    "contradiction_of_name",
    "coregister",
    "examination_of",
    "find_brain",
    "have_same_grid",
    "image_of",
    "in_usual_unit",
    "is_dicom",
    "is_extracted",
    "mask_on",
    "match",
    "may_be_sequence",
    "read_patient",
    "resample",
    "sequence_by_name",
    "sequence_of_file",
    "slice_zigzag_mm",
    "tell_unit",
]
