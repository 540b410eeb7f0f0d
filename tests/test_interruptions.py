import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from islesnet.interruptions import interruptions_held_back


@pytest.fixture(autouse=True)
def restored():
    """The signals' handlers, after the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_is_told_at_once_and_raised_at_the_end(number):
    signal.signal(number, signal.default_int_handler)
    told = []
    with pytest.raises(KeyboardInterrupt), interruptions_held_back() as interruptions:
        signal.raise_signal(number)
        signal.raise_signal(number)  # the impatient ask twice
        told += interruptions
    assert [type(interruption) for interruption in told] == [KeyboardInterrupt] * 2
    assert signal.getsignal(number) is signal.default_int_handler


def test_interruption_goes_before_an_error():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), interruptions_held_back():
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("a command failed")


def test_error_without_an_interruption_stays_what_it_is():
    with pytest.raises(RuntimeError, match="too few points"), interruptions_held_back():
        raise RuntimeError("too few points")


def test_handler_that_raises_nothing_interrupts_nothing():
    handled = []
    signal.signal(signal.SIGTERM, lambda number, _: handled.append(number))
    with interruptions_held_back() as interruptions:
        signal.raise_signal(signal.SIGTERM)
        assert handled == [signal.SIGTERM]
    assert interruptions == []


def test_other_threads_than_the_main_one_put_nothing_off():
    def work():
        with interruptions_held_back() as interruptions:
            return interruptions

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(work).result() == []
