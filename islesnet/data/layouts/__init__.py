"""The ways in which data sets lie on disk, a module each, and how the patients in them are found."""

from islesnet.data.layouts.finding import LAYOUTS, detect_layout, find_cases
from islesnet.data.layouts.folders import cases_in_files

__all__ = ["LAYOUTS", "cases_in_files", "detect_layout", "find_cases"]
