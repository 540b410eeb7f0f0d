import math

import numpy as np
import pandas as pd
import pytest

from islesnet.metrics import LogitHistogram, Reliability, expected_calibration_error, pool_reliability


def gathered(*pairs):
    reliability = Reliability()
    for probability, truth in pairs:
        reliability.add(np.array(probability), np.array(truth))
    return reliability


def test_hand_checked_table_and_error():
    reliability = gathered(([0.0, 0.04, 0.72, 0.78, 0.75, 0.75], [0, 0, 1, 1, 1, 0]))
    table = reliability.table()
    assert table["voxels"].tolist() == [2, 0, 0, 0, 0, 0, 0, 4, 0, 0]
    assert table["mean_probability"][[0, 7]].tolist() == pytest.approx([0.02, 0.75])
    assert table["lesion_share"][[0, 7]].tolist() == pytest.approx([0.0, 0.75])
    assert expected_calibration_error(reliability.table()) == pytest.approx((2 * 0.02 + 4 * 0.0) / 6)


def test_error_is_the_mean_of_the_bins_gaps_by_their_voxels():
    # Of the 4 voxels in the last bin half are lesion, of the 1 in the first none.
    reliability = gathered(([0.95] * 4 + [0.05], [1, 1, 0, 0, 0]))
    assert expected_calibration_error(reliability.table()) == pytest.approx(0.45 * 4 / 5 + 0.05 / 5)


def test_bins_are_ten_and_equal_with_the_columns_of_reliability_csv():
    table = Reliability().table()
    assert list(table.columns) == ["low", "high", "voxels", "mean_probability", "lesion_share"]
    assert table["low"].tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    assert table["high"].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])


@pytest.mark.parametrize(
    ("probability", "number"), [(0.0, 0), (0.0999, 0), (0.1, 1), (0.5, 5), (0.8999, 8), (0.9, 9), (1.0, 9)]
)
def test_probability_on_an_edge_lies_in_the_bin_above_and_1_in_the_last(probability, number):
    voxels = gathered(([probability], [1])).table()["voxels"]
    assert voxels[number] == voxels.sum() == 1


def test_voxels_that_are_nan_are_left_out():
    reliability = gathered(([0.95, np.nan, np.nan], [1, 1, 0]))
    assert reliability.table()["voxels"].sum() == 1
    assert expected_calibration_error(reliability.table()) == pytest.approx(0.05)


def test_patients_add_up():
    random = np.random.default_rng(0)
    probability, truth = random.random((4, 5, 6)), random.random((4, 5, 6)) < 0.3
    together, apart = gathered((probability, truth)), gathered(*zip(probability, truth, strict=True))
    pd.testing.assert_frame_equal(together.table(), apart.table())
    assert expected_calibration_error(together.table()) == pytest.approx(expected_calibration_error(apart.table()))


def test_tables_add_up_to_that_of_all_their_patients():
    random = np.random.default_rng(0)
    # The second has no voxel below 0.5: its lower bins are empty.
    pairs = [(low + (1 - low) * random.random((5, 6)), random.random((5, 6)) < 0.3) for low in (0.0, 0.5)]
    apart = [gathered(pair).table() for pair in pairs]

    pooled = pool_reliability([apart[0], apart[1].assign(stamp="PHANTOM")])

    pd.testing.assert_frame_equal(pooled, gathered(*pairs).table())


def test_pooled_shares_weigh_by_voxels():
    first = pd.DataFrame(
        {"low": [0.0], "high": [1.0], "voxels": [10], "mean_probability": [0.2], "lesion_share": [0.1]}
    )
    pooled = pool_reliability([first, first.assign(voxels=30, mean_probability=0.6, lesion_share=0.5)])

    assert pooled["voxels"].tolist() == [40]
    assert pooled["mean_probability"].tolist() == pytest.approx([0.5])
    assert pooled["lesion_share"].tolist() == pytest.approx([0.4])


def test_bin_that_is_empty_in_every_table_has_no_share():
    pooled = pool_reliability([gathered(([0.95], [1])).table()] * 2)

    assert pooled["mean_probability"].isna().tolist() == [True] * 9 + [False]


def test_no_table_gives_none():
    assert pool_reliability([]) is None


def test_lesions_drawn_by_their_probability_are_calibrated():
    random = np.random.default_rng(0)
    probability = random.random((50, 50, 40))
    reliability = gathered((probability, random.random(probability.shape) < probability))
    table = reliability.table()
    assert expected_calibration_error(reliability.table()) < 0.01
    assert table["lesion_share"].tolist() == pytest.approx(table["mean_probability"].tolist(), abs=0.02)


def test_overconfident_probabilities_are_found_out():
    random = np.random.default_rng(0)
    truth = random.random((20, 20, 20)) < 0.7
    assert expected_calibration_error(gathered((np.full(truth.shape, 0.99), truth)).table()) == pytest.approx(
        0.29, abs=0.02
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("label", [1, 255, 0.9999999998])
def test_any_number_type_will_do(dtype, label):
    reliability = gathered((np.array([0.25, 1.0], dtype), np.array([0, label], np.float32)))
    assert reliability.table()["lesion_share"][[2, 9]].tolist() == [0.0, 1.0]
    assert reliability.table()["mean_probability"][[2, 9]].tolist() == [0.25, 1.0]


def test_calibration_error_weighs_bins_by_their_voxels():
    table = pd.DataFrame(
        {"voxels": [3, 0, 1], "mean_probability": [0.1, np.nan, 0.9], "lesion_share": [0.0, np.nan, 0.5]}
    )
    assert expected_calibration_error(table) == pytest.approx((3 * 0.1 + 0.4) / 4)
    assert np.isnan(expected_calibration_error(table.assign(voxels=0)))


def test_no_voxel_has_no_error_and_no_share():
    reliability = gathered(([np.nan], [1]))
    assert math.isnan(expected_calibration_error(reliability.table()))
    assert reliability.table()["lesion_share"].isna().all()
    assert reliability.table()["voxels"].tolist() == [0] * 10


def test_maps_are_left_as_they_were():
    probability, truth = np.array([0.2, np.nan]), np.array([1, 0])
    Reliability().add(probability, truth)
    assert np.array_equal(probability, [0.2, np.nan], equal_nan=True)
    assert truth.tolist() == [1, 0]


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"the probabilities have shape \(2, 3\), the truth \(3, 2\)"):
        Reliability().add(np.zeros((2, 3)), np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("values", "reach"), [([-3.5, 8.0], "-3.5 to 8"), ([0.0, 99.0], "0 to 99"), ([0.0, np.inf], "inf")]
)
def test_what_are_no_probabilities_are_refused(values, reach):
    with pytest.raises(ValueError, match=f"the probabilities reach from .*{reach}; 0 to 1 is needed"):
        Reliability().add(np.array(values), np.array([0, 1]))


def drawn(temperature, offset=0.0, voxels=200_000):
    """Logits, and truths drawn by the probabilities that they have at a temperature and an offset."""
    random = np.random.default_rng(0)
    logits = random.normal(-1, 4, voxels)
    return logits, random.random(voxels) < 1 / (1 + np.exp(-logits / temperature - offset))


@pytest.mark.parametrize(
    ("temperature", "offset"), [(0.5, 0.0), (1.0, 0.0), (2.5, 0.0), (1.0, -1.5), (1.8, -1.4), (0.7, 2.0)]
)
def test_fitted_temperature_and_offset_are_those_the_truths_were_drawn_at(temperature, offset):
    histogram = LogitHistogram()
    histogram.add(*drawn(temperature, offset))
    fitted = histogram.fit_temperature_and_offset()
    assert fitted == (pytest.approx(temperature, rel=0.03), pytest.approx(offset, abs=0.06))


def test_fit_stays_within_its_bounds_where_lesion_and_background_are_apart():
    histogram = LogitHistogram()
    histogram.add(np.array([-5.0, -3.0, 3.0, 5.0]), np.array([0, 0, 1, 1]))
    temperature, offset = histogram.fit_temperature_and_offset()
    assert 0.2 <= temperature <= 20 and -10 <= offset <= 10


def test_likelihood_is_that_of_the_voxels_one_by_one():
    logits, truth = drawn(2.0, voxels=500)
    histogram = LogitHistogram()
    histogram.add(logits, truth)
    scaled = logits / 1.7 - 0.8
    right = np.where(truth, 1 / (1 + np.exp(-scaled)), 1 / (1 + np.exp(scaled)))
    assert histogram.negative_log_likelihood(1.7, -0.8) == pytest.approx(-np.log(right).mean(), rel=1e-5)


def test_temperature_and_offset_make_probabilities_reliable():
    logits, truth = drawn(3.0, -1.0)
    histogram = LogitHistogram()
    histogram.add(logits, truth)
    before = expected_calibration_error(gathered((1 / (1 + np.exp(-logits)), truth)).table())
    temperature, offset = histogram.fit_temperature_and_offset()
    after = expected_calibration_error(gathered((1 / (1 + np.exp(-logits / temperature - offset)), truth)).table())
    assert after < 0.01 < 0.1 < before


def test_saved_probabilities_give_the_temperature_and_offset_that_their_logits_give():
    logits, truth = drawn(1.5, -0.5)
    by_logit, by_probability = LogitHistogram(), LogitHistogram()
    by_logit.add(logits, truth)
    by_probability.add_probability((1 / (1 + np.exp(-logits))).astype(np.float32), truth)
    assert by_probability.fit_temperature_and_offset() == pytest.approx(by_logit.fit_temperature_and_offset(), rel=0.02)


def test_logits_of_patients_add_up_and_those_that_are_nan_are_left_out():
    logits, truth = drawn(1.5, voxels=300)
    together, apart = LogitHistogram(), LogitHistogram()
    together.add(logits, truth)
    apart.add(logits[:100], truth[:100])
    apart.add(np.append(logits[100:], np.nan), np.append(truth[100:], True))
    assert apart.negative_log_likelihood(0.7) == pytest.approx(together.negative_log_likelihood(0.7))


def test_certain_probabilities_have_a_finite_likelihood():
    histogram = LogitHistogram()
    histogram.add_probability(np.array([0.0, 1.0, 1.0]), np.array([0, 1, 0]))
    assert histogram.negative_log_likelihood() == pytest.approx(20 / 3, rel=0.01)


def test_truth_of_one_kind_has_no_temperature():
    histogram = LogitHistogram()
    assert math.isnan(histogram.negative_log_likelihood())
    histogram.add(np.zeros(4), np.zeros(4))
    with pytest.raises(ValueError, match="0 voxels of lesion and 4 of background; both are needed"):
        histogram.fit_temperature_and_offset()


def test_histogram_refuses_other_shapes_and_what_are_no_probabilities():
    with pytest.raises(ValueError, match=r"the logits have shape \(2,\), the truth \(3,\)"):
        LogitHistogram().add(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="probabilities are needed, all from 0 to 1"):
        LogitHistogram().add_probability(np.array([0.5, 1.5]), np.array([0, 1]))


def test_histogram_tells_the_reliability_that_the_probabilities_themselves_have():
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=2000) * 4, rng.uniform(size=2000) < 0.3
    histogram, direct = LogitHistogram(), Reliability()
    histogram.add(logits, truth)
    direct.add(1 / (1 + np.exp(-logits / 2 + 0.5)), truth)

    table = histogram.reliability(temperature=2.0, offset=-0.5)

    expected = direct.table()
    np.testing.assert_allclose(table["voxels"], expected["voxels"], atol=3)  # some lie on an edge
    np.testing.assert_allclose(table["mean_probability"], expected["mean_probability"], atol=0.01)
    np.testing.assert_allclose(table["lesion_share"], expected["lesion_share"], atol=0.03)
    assert table["voxels"].sum() == 2000
