"""Keep what pydicom and decoders say off the terminal: it repeats values of a header, and names no patient or file."""

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

_STANDARD_ERROR = 2  # the file descriptor, which a library in C writes to


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Pass on what pydicom logs at debug level alone, and silence its warnings, which say the same."""
    library = logging.getLogger("pydicom")
    if _AT_DEBUG_LEVEL in library.handlers:  # within another
        yield
        return
    propagates = library.propagate
    library.addHandler(_AT_DEBUG_LEVEL)
    library.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        library.propagate = propagates
        library.removeHandler(_AT_DEBUG_LEVEL)


@contextmanager
def quiet_decoder() -> Iterator[None]:
    """Pass on what a decoder in C writes to standard error at debug level alone."""
    with tempfile.TemporaryFile() as said:
        try:
            terminal = os.dup(_STANDARD_ERROR)
        except OSError:  # closed: nothing can be written to it
            yield
            return
        os.dup2(said.fileno(), _STANDARD_ERROR)
        try:
            yield
        finally:
            os.dup2(terminal, _STANDARD_ERROR)
            os.close(terminal)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                logger.debug("decoder: %s", line)


class _AtDebugLevel(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logger.debug("pydicom: %s", record.getMessage(), exc_info=record.exc_info)


_AT_DEBUG_LEVEL = _AtDebugLevel()
