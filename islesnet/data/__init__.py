"""From a folder to cases, checked and split: layouts, datalists, splits and checks.

Importing this loads neither torch nor MONAI nor SimpleITK; MONAI's reader lives in `islesnet.data.reader`.
"""

from islesnet.data.case import Case, check_patient_name, name_of_patient
from islesnet.data.checks import Problem, check_cases, require_sound, require_sound_datalist
from islesnet.data.datalist import (
    cases_in_datalist,
    make_way_for_datalist,
    read_datalist,
    stamps_of,
    write_datalist,
)
from islesnet.data.file_stamps import stamps_in_file, stamps_in_files
from islesnet.data.folds import deal_folds, fold_sections
from islesnet.data.layouts import LAYOUTS, cases_in_files, detect_layout, find_cases
from islesnet.data.mask_pairs import MaskPair, find_by_patient, pair_masks
from islesnet.data.siss import are_of_siss
from islesnet.data.slices import slice_thickness_mm, write_slice_split
from islesnet.data.splits import lesion_volume_ml, split_cases
from islesnet.sequences import REFERENCE_ORDER, SEQUENCES
from islesnet.volumes.volume import Header, Volume, VolumeError, read_header, read_volume

__all__ = [
    "LAYOUTS",
    "REFERENCE_ORDER",
    "SEQUENCES",
    "Case",
    "Header",
    "MaskPair",
    "Problem",
    "Volume",
    "VolumeError",
    "are_of_siss",
    "cases_in_datalist",
    "cases_in_files",
    "check_cases",
    "check_patient_name",
    "deal_folds",
    "detect_layout",
    "find_by_patient",
    "find_cases",
    "fold_sections",
    "lesion_volume_ml",
    "make_way_for_datalist",
    "name_of_patient",
    "pair_masks",
    "read_datalist",
    "read_header",
    "read_volume",
    "require_sound",
    "require_sound_datalist",
    "slice_thickness_mm",
    "split_cases",
    "stamps_in_file",
    "stamps_in_files",
    "stamps_of",
    "write_datalist",
    "write_slice_split",
]
