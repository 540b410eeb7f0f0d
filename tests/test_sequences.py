import pytest

from islesnet.errors import InputError
from islesnet.sequences import require_sequences


@pytest.mark.parametrize("given", [["flair"], ("t1", "dwi"), ["dwi", "t1", "t2", "flair"]])
def test_different_known_sequences_are_taken_in_any_order(given):
    require_sequences({"sequences": given})


@pytest.mark.parametrize("given", ["dwi", [], ["dwi", "pd"], ["dwi", "dwi"], [["dwi"]], 4, None])
def test_what_is_no_list_of_different_sequences_is_refused_by_name(given):
    with pytest.raises(InputError) as caught:
        require_sequences({"reference_order": given})

    assert str(caught.value) == (
        f"reference_order is {given!r}; it must be a list of different ones among dwi, t1, t2, flair, "
        'as in --reference_order "[dwi, flair]".'
    )
