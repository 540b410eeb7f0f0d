import math

import numpy as np
import pytest

from islesnet.metrics import bootstrap_interval


def test_hand_checked_interval_of_six_patients():
    # The number of ones in a draw is binomial: none in 33 % of the draws, four or more in 0.9 %, three or more in 6 %.
    assert bootstrap_interval(np.array([1.0, 0, 0, 0, 0, 0])) == (0.0, pytest.approx(3 / 6))


def test_hand_checked_interval_of_zeros_and_ones():
    # The mean of 100 draws from as many zeros as ones is binomial: 95 % of them lie within 0.40 and 0.60.
    low, high = bootstrap_interval(np.repeat([0.0, 1.0], 50))
    assert low == pytest.approx(0.40, abs=0.011)
    assert high == pytest.approx(0.60, abs=0.011)


def test_interval_of_a_normal_mean_covers_it_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        low, high = bootstrap_interval(random.normal(0.6, 0.2, size=30))
        covered += low <= 0.6 <= high
    # 95 %, of which a percentile interval of 30 patients falls short by one or two; 300 repeats know it to 2.5 %.
    assert 0.90 <= covered / 300 <= 0.975


def test_interval_is_that_of_plain_resampling():
    values = np.random.default_rng(0).beta(4, 2, size=40)
    random = np.random.default_rng(1)
    means = [random.choice(values, size=40).mean() for _ in range(10_000)]
    low, high = np.percentile(means, [2.5, 97.5])
    assert bootstrap_interval(values) == pytest.approx((low, high), abs=0.003)


def test_interval_narrows_with_the_root_of_the_patients():
    random = np.random.default_rng(0)
    few, many = (np.ptp(bootstrap_interval(random.normal(size=size))) for size in (50, 800))
    assert few / many == pytest.approx(4, rel=0.3)


def test_order_changes_no_digit():
    values = np.random.default_rng(0).random(31)
    assert bootstrap_interval(values) == bootstrap_interval(values[::-1])


def test_values_are_left_as_they_were():
    values = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    bootstrap_interval(values)
    assert values.tolist() == [3.0, 1.0, 2.0, 6.0, 5.0, 4.0]


@pytest.mark.filterwarnings("error")
def test_equal_values_give_an_interval_of_no_width():
    assert bootstrap_interval(np.full(6, 0.5)) == (0.5, 0.5)


@pytest.mark.parametrize("patients", range(6))
def test_fewer_than_six_patients_have_no_interval(patients):
    assert all(math.isnan(bound) for bound in bootstrap_interval(np.random.default_rng(0).random(patients)))


def test_sessions_of_one_person_are_drawn_together():
    people, sessions = np.random.default_rng(0).random(12), 4
    values = np.repeat(people, sessions)
    names = [f"sub-{person}_ses-{session}" for person in range(len(people)) for session in range(sessions)]

    assert bootstrap_interval(values, patients=names) == pytest.approx(bootstrap_interval(people))
    assert np.ptp(bootstrap_interval(values)) < 0.6 * np.ptp(bootstrap_interval(values, patients=names))


def test_many_sessions_of_few_people_have_no_interval():
    names = [f"sub-{person}_ses-{session}" for person in range(5) for session in range(9)]

    assert all(math.isnan(bound) for bound in bootstrap_interval(np.arange(45.0), patients=names))
