"""Leave out what libraries say that no user can do anything about."""

import logging
import warnings


def leave_out_decoder_warnings() -> None:
    """Keep MONAI from saying, of every reader it makes, that a GPU's DICOM decoder is not installed.

    It says so wherever pydicom is, whether a DICOM file is to be read or not. Others decode in its place.
    """
    logging.getLogger("monai.data.nvimgcodec_pydicom_plugin").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="NvImgCodecPydicomReader")
