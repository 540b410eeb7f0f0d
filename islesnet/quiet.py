"""Leave out what libraries say that no user can do anything about."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock


def leave_out_decoder_warnings() -> None:
    """Keep MONAI from saying, of every reader it makes, that a GPU's DICOM decoder is not installed.

    It says so wherever pydicom is, whether a DICOM file is to be read or not. Others decode in its place.
    """
    logging.getLogger("monai.data.nvimgcodec_pydicom_plugin").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="NvImgCodecPydicomReader")


def itk_warnings_left_out() -> AbstractContextManager[None]:
    """Keep ITK from writing to the terminal what its readers find odd in a file; errors are raised all the same."""
    return _SILENT_ITK.held()


class Shared:
    """A state of the whole process that threads may ask for at once: made by the first, undone after the last.

    Args:
        make: makes it, and gives what undoes it.
    """

    def __init__(self, make: Callable[[], Callable[[], None]]) -> None:
        self._make = make
        self._undo: Callable[[], None] | None = None
        self._inside = 0
        self._lock = Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the state for as long as the ``with`` lasts."""
        with self._lock:
            if self._undo is None:
                self._undo = self._make()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    undo, self._undo = self._undo, None
                    undo()


def _silence_itk() -> Callable[[], None]:
    import SimpleITK as sitk  # noqa: N813

    was_shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return lambda: sitk.ProcessObject.SetGlobalWarningDisplay(was_shown)


_SILENT_ITK = Shared(_silence_itk)
