import pandas as pd
import pytest

from workflows import compare_subsets

FIRST = pd.DataFrame(
    {
        "patient": ["1", "2", "1", "2"],
        "sequences": ["dwi", "dwi", "t1", "t1"],
        "dice": [0.5, 0.9, 0.1, 0.1],
        "true_ml": [1.0, 60.0, 1.0, 60.0],
        "lesion_f1": [0.5, 1.0, 0.0, 0.0],
    }
)


def compare(folder, second):
    files = [folder / "first.csv", folder / "second.csv"]
    for file, scores in zip(files, (FIRST, second), strict=True):
        scores.to_csv(file, index=False)
    return compare_subsets.main([str(file) for file in files])


def test_differences_are_of_the_same_patients_whatever_their_order(tmp_path, capsys):
    second = FIRST.assign(dice=[0.4, 0.3, 0.2, 0.1]).iloc[::-1]

    assert compare(tmp_path, second) == 0

    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header == (
        "| sequences | Dice, first minus second | < 5 ml | 5-50 ml | > 50 ml | lesion-wise F1, difference |"
    )
    assert rows == [
        "| dwi | 0.350 (2) | 0.100 (1) |  | 0.600 (1) | 0.000 |",
        "| t1 | -0.050 (2) | -0.100 (1) |  | 0.000 (1) | 0.000 |",
    ]


def test_of_several_pairs_a_patients_difference_is_the_mean(tmp_path, capsys):
    files = {
        "a": FIRST,
        "b": FIRST.assign(dice=[0.4, 0.3, 0.2, 0.1]),
        "c": FIRST.iloc[::-1],
        "d": FIRST.assign(dice=0.1),
    }
    for name, scores in files.items():
        scores.to_csv(tmp_path / name, index=False)

    assert compare_subsets.main([str(tmp_path / name) for name in "abcd"]) == 0

    *_, dwi, t1 = capsys.readouterr().out.splitlines()
    assert dwi == "| dwi | 0.475 (2) | 0.250 (1) |  | 0.700 (1) | 0.000 |"
    assert t1 == "| t1 | -0.025 (2) | -0.050 (1) |  | 0.000 (1) | 0.000 |"
    assert compare_subsets.main([str(tmp_path / name) for name in "abc"]) == 1
    assert "3 files do not make pairs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (FIRST.iloc[:3], "not scored on the same patients with the same sequences"),
        (FIRST.assign(true_ml=[1.0, 60.0, 1.0, 61.0]), "their lesions differ in volume"),
        (FIRST.drop(columns="dice"), "second.csv is no subsets.csv of train_default_model"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, capsys, second, message):
    assert compare(tmp_path, second) == 1
    assert message in capsys.readouterr().err


def test_patient_scored_twice_is_refused(tmp_path, capsys):
    assert compare(tmp_path, pd.concat([FIRST, FIRST])) == 1
    assert "has a patient twice" in capsys.readouterr().err
