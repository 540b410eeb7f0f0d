import pytest

from islesnet.counts import counted


@pytest.mark.parametrize(("number", "told"), [(0, "0 patients"), (1, "1 patient"), (2, "2 patients")])
def test_one_is_singular(number, told):
    assert counted(number, "patient") == told
