import math

import pandas as pd
import pytest

from islesnet.report.wording import SCORES, doubt_interval, say, say_coverage, say_interval, say_quartiles


@pytest.mark.parametrize(
    ("value", "decimals", "said"),
    [
        (0.64142, 3, "0.641"),
        (-4.25, 1, "−4.2"),
        (-0.0004, 3, "0.000"),
        (12, 0, "12"),
        (None, 3, "–"),
        (math.nan, 3, "–"),
        (pd.NA, 3, "–"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, "−∞"),
    ],
)
def test_number_is_written_with_its_decimals_a_true_minus_and_a_dash_for_none(value, decimals, said):
    assert say(value, decimals) == said


def test_interval_that_is_not_known_is_a_dash():
    assert say_interval({"low": 0.5512, "high": 0.72, "patients": 28}) == "0.551 to 0.720"
    assert say_interval({"low": None, "high": None, "patients": 3}) == "–"
    assert say_interval({}) == "–"


def test_quartiles_of_three_patients_and_fewer_are_not_told():
    quartiles = {"q1": 0.5512, "q3": 0.72}
    assert say_quartiles(quartiles | {"patients": 4}, 2) == "0.55 to 0.72"
    assert say_quartiles(quartiles | {"patients": 3}) == "–"


def test_interval_of_fewer_than_twenty_patients_is_doubted():
    assert "fewer than 20 patients is too narrow" in doubt_interval(19)
    assert "fewer than 6 have none" in doubt_interval(3)
    assert doubt_interval(20) == ""


def test_systems_with_fewer_than_all_patients_are_named_with_how_many_they_have():
    everyone = ["1", "2", "3"]
    assert say_coverage({"ours": everyone, "other": ["3", "1", "2"]}) == ""
    told = say_coverage({"ours": everyone, "threshold": ["1"], "other": ["2", "3"]})
    assert told == "Not every system was scored on all patients: threshold on 1 of 3, other on 2 of 3."


def test_dice_has_three_decimals_millilitres_two_and_millimetres_one():
    assert SCORES["dice"].say(0.5) == "0.500"
    assert (SCORES["true_ml"].say(17.2), SCORES["true_ml"].heading) == ("17.20", "True volume (ml)")
    assert (SCORES["hd95_mm"].say(4.25), SCORES["hd95_mm"].heading) == ("4.2", "HD95 (mm)")
