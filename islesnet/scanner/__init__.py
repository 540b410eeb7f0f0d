"""From raw scans to co-registered, brain-extracted volumes."""

from islesnet.scanner.bias_field import correct_bias
from islesnet.scanner.brain_mask import BrainMask, find_brain, is_extracted
from islesnet.scanner.coregistration import Coregistered, coregister
from islesnet.scanner.grids import affine_of, image_of
from islesnet.scanner.patient import Choice, DicomFrame, RawImage, RawPatient
from islesnet.scanner.reading import read_patient
from islesnet.scanner.registration import Alignment, align
from islesnet.scanner.resampling import mask_on, resample, straight_grid

__all__ = [
    "Alignment",
    "BrainMask",
    "Choice",
    "Coregistered",
    "DicomFrame",
    "RawImage",
    "RawPatient",
    "affine_of",
    "align",
    "coregister",
    "correct_bias",
    "find_brain",
    "image_of",
    "is_extracted",
    "mask_on",
    "read_patient",
    "resample",
    "straight_grid",
]
