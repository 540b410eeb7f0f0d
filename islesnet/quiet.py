"""Leave out what libraries say that no user can do anything about."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def leave_out_decoder_warnings() -> None:
    """Keep MONAI from saying, of every reader it makes, that a GPU's DICOM decoder is not installed.

    It says so wherever pydicom is, whether a DICOM file is to be read or not. Others decode in its place.
    """
    logging.getLogger("monai.data.nvimgcodec_pydicom_plugin").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="NvImgCodecPydicomReader")


@contextmanager
def itk_warnings_left_out() -> Iterator[None]:
    """Keep ITK from writing to the terminal what its readers find odd in a file; errors are raised all the same."""
    import SimpleITK as sitk  # noqa: N813

    was_shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(was_shown)
