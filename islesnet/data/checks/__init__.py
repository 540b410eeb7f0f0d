"""Check cases before anything is trained on them or segmented."""

from islesnet.data.checks.cases import check_cases, require_sound, require_sound_datalist
from islesnet.data.checks.problem import Problem

__all__ = ["Problem", "check_cases", "require_sound", "require_sound_datalist"]
