import logging
import warnings

import pytest

from islesnet.quiet import Shared, leave_out_decoder_warnings


@pytest.fixture
def restored_logger():
    logger = logging.getLogger("monai.data.nvimgcodec_pydicom_plugin")
    level = logger.level
    yield logger
    logger.setLevel(level)


def test_missing_decoder_is_not_spoken_of_and_other_warnings_are(restored_logger):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        leave_out_decoder_warnings()
        warnings.warn("NvImgCodecPydicomReader: nvImageCodec decoder plugin did not register", stacklevel=1)
        warnings.warn("something else", stacklevel=1)

    assert [str(warning.message) for warning in said] == ["something else"]
    assert not restored_logger.isEnabledFor(logging.WARNING)


def test_state_that_threads_share_is_undone_after_the_last():
    did = []
    shared = Shared(lambda: did.append("made") or (lambda: did.append("undone")))
    first, second = shared.held(), shared.held()

    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    after_the_first = list(did)
    second.__exit__(None, None, None)

    assert after_the_first == ["made"]
    assert did == ["made", "undone"]
