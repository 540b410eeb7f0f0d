"""Ischemic stroke lesion segmentation on DWI, T1, T2 and FLAIR.

Importing the package loads neither torch nor MONAI; its parts do.
"""

__version__ = "0.1.0"
# Since this day the same files and settings give the same volumes and masks. What was made before is made again.
RESULTS_SINCE = "2026-11-29"
