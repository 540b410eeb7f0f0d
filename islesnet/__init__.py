"""Ischemic stroke lesion segmentation on DWI, T1, T2 and FLAIR.

Importing the package loads neither torch nor MONAI; its parts do.
"""

__version__ = "0.1.0"
