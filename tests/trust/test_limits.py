import pytest

from islesnet.errors import InputError
from islesnet.trust import TrustLimits


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("minimum_agreement", 1.5, "from 0 to 1"),
        ("maximum_lesion_ml", -1, "of 0 or more"),
        ("minimum_subset_dice", 2, "from 0 to 1"),
    ],
)
def test_limit_out_of_its_bounds_is_refused_by_name(name, value, right):
    with pytest.raises(InputError, match=f"trust_limits::{name} is {value}; it must be a number {right}"):
        TrustLimits(**{name: value})
