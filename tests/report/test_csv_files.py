import pandas as pd

from islesnet.report import read_scores, write_csv


def test_table_is_written_whole_with_its_stamps_last(tmp_path):
    frame = pd.DataFrame({"patient": ["a,b", 'c"d'], "dice": [0.1234567890123, None]})
    write_csv(frame, tmp_path / "new" / "table.csv", ("PHANTOM", "LEAKY"))
    back = pd.read_csv(tmp_path / "new" / "table.csv")
    assert list(back) == ["patient", "dice", "stamp"]
    assert back["stamp"].tolist() == ["PHANTOM LEAKY"] * 2
    pd.testing.assert_frame_equal(back[["patient", "dice"]], frame, check_dtype=False)
    assert list(frame) == ["patient", "dice"]


def test_text_that_a_spreadsheet_would_evaluate_is_written_as_text_and_numbers_stay(tmp_path):
    patients = ["=cmd|' /C calc'!A0", "@SUM(A1)", "+1", "-x", "-", "anna"]
    write_csv(pd.DataFrame({"patient": patients, "change": [-1.5] * 6}), tmp_path / "table.csv")
    back = pd.read_csv(tmp_path / "table.csv", dtype={"patient": str})
    assert back["patient"].tolist() == ["'=cmd|' /C calc'!A0", "'@SUM(A1)", "'+1", "'-x", "-", "anna"]
    assert back["change"].tolist() == [-1.5] * 6


def test_table_without_stamps_has_no_such_column(tmp_path):
    write_csv(pd.DataFrame({"dice": [1.0]}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == "dice\n1.0\n"


def test_patients_keep_their_names_whatever_they_are_called(tmp_path):
    patients = ["NA", "007", "null", "+1", "-x", "=2", "@anna", "-", "o'hara"]
    write_csv(pd.DataFrame({"patient": patients, "dice": [0.5, None, *[1.0] * 7]}), tmp_path / "scores.csv")

    scores = read_scores(tmp_path / "scores.csv")

    assert scores["patient"].tolist() == patients
    assert scores["dice"].isna().tolist() == [False, True, *[False] * 7]
