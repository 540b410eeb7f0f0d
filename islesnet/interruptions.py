"""Ctrl-C and what else signals' handlers raise, held back while a library works that would lose it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def interruptions_held_back() -> Iterator[list[BaseException]]:
    """Put off what handlers of signals raise, such as KeyboardInterrupt, to the end of the ``with``.

    The first of it is raised there, in place of any error. Handlers that raise nothing, and signals that Python does
    not handle, do what they always do. Outside the main thread, where Python handles no signals, nothing is put off.

    Yields:
        What was raised so far. Who works long looks into it, and stops.
    """
    raised: list[BaseException] = []

    def hold_back(handler: Handler) -> Handler:
        def handle(number: int, frame: FrameType | None) -> None:
            try:
                handler(number, frame)
            except BaseException as interruption:
                raised.append(interruption)

        return handle

    is_main = threading.current_thread() is threading.main_thread()
    known = {number: signal.getsignal(number) for number in signal.valid_signals()} if is_main else {}
    handlers = {number: handler for number, handler in known.items() if callable(handler)}
    try:
        for number, handler in handlers.items():
            signal.signal(number, hold_back(handler))
        yield raised
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if raised:
            raise raised[0]
