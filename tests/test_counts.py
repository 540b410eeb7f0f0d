import pytest

from islesnet.counts import counted, first_of


@pytest.mark.parametrize(("number", "told"), [(0, "0 patients"), (1, "1 patient"), (2, "2 patients")])
def test_one_is_singular(number, told):
    assert counted(number, "patient") == told


@pytest.mark.parametrize(
    ("names", "told"), [([], ""), (["a"], "a"), (["b", "a"], "b, a"), (["a", "b", "c", "d", "e"], "a, b and 3 more")]
)
def test_names_beyond_the_first_are_a_number(names, told):
    assert first_of(iter(names), most=2) == told
