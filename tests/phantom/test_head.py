import numpy as np
import pytest

from islesnet.phantom.head import load_head, share_out_head


def test_layers_follow_one_another_from_fluid_to_scalp():
    outside_mm = np.array([0.0, 2.5, 4.5, 7.0, 10.0], dtype=np.float32)

    shares = share_out_head(outside_mm, np.zeros(5, dtype=np.float32))

    np.testing.assert_allclose(shares["csf"], [1, 0, 0, 0, 0])
    np.testing.assert_allclose(shares["bone"], [0, 1, 0.65, 1, 0.25], atol=1e-6)
    np.testing.assert_allclose(shares["fat"], [0, 0, 0.35, 0, 0.75], atol=1e-6)


def test_brain_has_none_of_the_layers():
    shares = share_out_head(np.array([-5, 1, 9], dtype=np.float32), np.ones(3, dtype=np.float32))

    assert not any(share.any() for share in shares.values())


def test_distance_outside_the_head_is_in_mm():
    # Above the vertex, where the cover is nearly flat, 10 mm up are 10 mm further out.
    places = np.array([[0, -20, 85], [0, -20, 95]], dtype=np.float32).T

    low, high = load_head().sample("outside", places)

    assert high - low == pytest.approx(10, abs=1)
    assert load_head().sample("outside", np.array([[0], [-20], [20]], dtype=np.float32))[0] < -30
