import pandas as pd

from workflows.benchmark.skull import WAYS, compare


def test_ways_are_compared_patient_by_patient_whatever_their_order():
    dice = {"stripped": [0.5, 0.7], "brain found": [0.4, 0.7], "skull on": [0.1, 0.2]}
    scores = pd.DataFrame(
        {"patient": patient, "way": way, "dice": dice[way][number], "true_ml": 10.0, "predicted_ml": 10.0 + number}
        for way in reversed(WAYS)
        for number, patient in enumerate("ab")
    )

    table = compare(scores.sample(frac=1, random_state=0)).set_index("way")

    assert list(table.index) == ["stripped", "brain found", "skull on"]
    assert table["mean Dice"].tolist() == ["0.600 (2)", "0.550 (2)", "0.150 (2)"]
    assert table["difference to stripped"].tolist() == ["–", "-0.050 (2)", "-0.450 (2)"]
    assert set(table["mean mask, ml"]) == {"10.5"}


def test_interval_comes_with_six_patients():
    scores = pd.DataFrame(
        {"patient": str(number), "way": way, "dice": number / 10 - shift, "true_ml": 1.0, "predicted_ml": 1.0}
        for shift, way in zip((0, 0.1, 0.2), WAYS, strict=True)
        for number in range(3, 9)
    )

    cell = compare(scores).set_index("way").loc["skull on", "difference to stripped"]

    assert cell == "-0.200, -0.200 to -0.200 (6)"
