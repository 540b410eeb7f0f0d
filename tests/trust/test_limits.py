import pytest

from islesnet.errors import InputError
from islesnet.trust import TrustLimits


@pytest.mark.parametrize(
    ("name", "value"),
    [("minimum_agreement", 1.5), ("maximum_lesion_ml", -1), ("minimum_subset_dice", 2)],
)
def test_limit_out_of_its_bounds_is_refused_by_name(name, value):
    with pytest.raises(InputError, match=f"trust_limits::{name} is {value}; it must be from 0"):
        TrustLimits(**{name: value})
