import pytest

from islesnet.errors import InputError
from islesnet.stamps import PHANTOM, describe, require_stamps, stamps_in


@pytest.mark.parametrize("stamps", [[], [PHANTOM], [PHANTOM, "RANDOM ENCODER", "LEAKY"]])
def test_what_a_description_says_is_read(stamps):
    assert stamps_in(describe(stamps)) == stamps


def test_description_begins_with_the_stamps_and_says_what_the_file_is_for():
    assert describe([PHANTOM]) == b"PHANTOM, islesnet, research use only"


def test_description_fits_the_field_and_what_was_cut_off_is_no_stamp():
    described = describe(["X" * 90])
    assert len(described) == 79
    assert stamps_in(described) == []


@pytest.mark.parametrize(
    "description", [b"", b"PHANTOM", b"5.0.10:4f3ad9b3", b"TE=91;Time=120530.180", "PHANTÔM, MRI".encode("latin-1")]
)
def test_description_of_others_holds_none(description):
    assert stamps_in(description) == []


@pytest.mark.parametrize("stamps", [PHANTOM, [1], [""], None])
def test_what_is_no_list_of_words_is_refused(stamps):
    require_stamps([])
    require_stamps([PHANTOM, "LEAKY"])

    with pytest.raises(InputError) as caught:
        require_stamps(stamps)

    assert str(caught.value) == f'stamps is {stamps!r}; it must be a list of words, as in --stamps "[PHANTOM]".'
