"""Keep what pydicom and decoders say off the terminal: it repeats values of a header, and names no patient or file."""

import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from islesnet.quiet import Shared

logger = logging.getLogger(__name__)

_STANDARD_ERROR = 2  # the file descriptor, which a library in C writes to


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Pass on what pydicom logs at debug level alone, and silence its warnings, which say the same."""
    with _QUIET_LOG.held(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def quiet_decoder() -> AbstractContextManager[None]:
    """Pass on what a decoder in C writes to standard error at debug level alone."""
    return _QUIET_STANDARD_ERROR.held()


class _AtDebugLevel(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logger.debug("pydicom: %s", record.getMessage(), exc_info=record.exc_info)


def _quiet_log() -> Callable[[], None]:
    library, at_debug_level = logging.getLogger("pydicom"), _AtDebugLevel()
    propagates = library.propagate
    library.addHandler(at_debug_level)
    library.propagate = False

    def undo() -> None:
        library.propagate = propagates
        library.removeHandler(at_debug_level)

    return undo


def _quiet_standard_error() -> Callable[[], None]:
    try:
        terminal = os.dup(_STANDARD_ERROR)
    except OSError:  # closed: nothing can be written to it
        return lambda: None
    said = tempfile.TemporaryFile()  # noqa: SIM115  - closed when all is undone
    os.dup2(said.fileno(), _STANDARD_ERROR)

    def undo() -> None:
        os.dup2(terminal, _STANDARD_ERROR)
        os.close(terminal)
        with said:
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                logger.debug("decoder: %s", line)

    return undo


_QUIET_LOG = Shared(_quiet_log)
_QUIET_STANDARD_ERROR = Shared(_quiet_standard_error)
