import numpy as np
import pytest

from islesnet.volumes.background import background_of, on_zero

PLACES = np.indices((40, 40, 20)) - np.array([19.5, 19.5, 9.5])[:, None, None, None]
HEAD = np.hypot(PLACES[0], PLACES[1]) < 15
NOISE = np.random.default_rng(0)
RAW = np.where(HEAD, NOISE.normal(400, 80, HEAD.shape), np.abs(NOISE.normal(0, 10, HEAD.shape)))
STRIPPED = np.where(HEAD, RAW, 0.0)
NORMALISED = np.where(HEAD, (RAW - 400) / 80, 0.0)
# Of an inversion recovery that keeps the sign: fluid is far below the 0 of the air around.
SIGNED = np.where(PLACES[0] ** 2 + PLACES[1] ** 2 < 16, -500.0, RAW)


@pytest.mark.parametrize(
    "values", [RAW, RAW.round(), STRIPPED, NORMALISED, SIGNED, HEAD.astype(np.uint8), np.zeros((3, 4, 5))]
)
def test_background_of_a_scan_as_it_comes_is_0(values):
    assert background_of(values) == 0.0


@pytest.mark.parametrize("offset", [-1024.0, -200.0, 1000.0])
@pytest.mark.parametrize("values", [RAW, RAW.round(), RAW.astype(np.float32), STRIPPED])
def test_offset_is_found_with_the_skull_on_and_off(values, offset):
    assert background_of(values + offset) == pytest.approx(offset, abs=1.0)


def test_one_value_around_a_brain_is_its_background_though_half_of_the_brain_is_darker():
    assert background_of(NORMALISED - 5.0) == -5.0


def test_normalised_head_has_the_value_of_the_air():
    values = (RAW - RAW.mean()) / RAW.std()
    assert background_of(values) == pytest.approx(values[~HEAD].mean(), abs=0.1)


def test_tissue_in_the_corners_of_a_narrow_field_of_view_is_no_background():
    narrow = RAW[12:28, 12:28]
    assert background_of(narrow) == 0.0 and on_zero(narrow) is narrow


@pytest.mark.parametrize("shape", [(320, 320, 24), (448, 448, 24), (256, 256, 24), (224, 224, 24)])
def test_every_slice_is_looked_at_whatever_the_matrix(shape):
    values = np.full(shape, -1024.0, np.float32)
    values[80:-80, 80:-80, 3:-3] = 300.0  # the slices at both ends are empty
    assert background_of(values) == background_of(values.T) == -1024.0


@pytest.mark.parametrize("around", [0.0, -5.0])
def test_brain_that_was_normalised_within_itself_is_brighter_than_what_is_around_it(around):
    lifted = on_zero(NORMALISED + around)
    assert set(np.unique(lifted[~HEAD])) == {0.0}
    assert np.mean(lifted[HEAD] < 0) < 0.02
    assert np.corrcoef(lifted[HEAD], RAW[HEAD])[0, 1] == pytest.approx(1.0)


def test_a_few_dark_voxels_of_a_stripped_brain_lift_nothing():
    ringing = STRIPPED.copy()
    ringing[12:14, 15:25, 5:15] = -3.0
    assert on_zero(ringing) is ringing


def test_nothing_has_the_background_0():
    assert background_of(np.zeros((0, 3, 3))) == 0.0
