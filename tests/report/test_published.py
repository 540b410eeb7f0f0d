import pytest

from islesnet.report import OTHER_ROWS, PAPER_ROWS, own_row
from tests.report.made_up import cohort, summary


def test_paper_rows_are_those_of_its_tables_in_its_order():
    figures = [(row.system.split(",")[0], row.dice, row.accuracy, row.precision) for row in PAPER_ROWS]
    assert figures == [
        ("Zhang 2018", 0.7913, None, 0.9267),
        ("Liu 2020", 0.57, None, None),
        ("Zhang 2020", 0.5672, None, 0.6545),
        ("Kumar 2020", 0.63, None, 0.74),
        ("Aboudi 2022", 0.6414, 0.9943, 0.9955),
    ]


def test_rows_of_other_data_say_so():
    others = [row for row in (*PAPER_ROWS, *OTHER_ROWS) if not row.is_siss]
    assert [row.system.split(",")[0] for row in others] == ["Zhang 2018", "Zhang 2020", "DeepISLES"]
    assert all("not SISS" in row.data for row in others)
    assert all(row.data.startswith("SISS") for row in (*PAPER_ROWS, *OTHER_ROWS) if row.is_siss)
    assert "lesions, not voxels" in others[0].rule


def test_row_of_the_paper_claims_nothing_of_its_split_that_its_rule_calls_unsaid():
    aboudi = PAPER_ROWS[-1]
    assert "not said whether patients or slices were split" in aboudi.rule
    assert "patients" not in aboudi.data


def test_every_published_row_names_its_rule_and_its_source():
    for row in (*PAPER_ROWS, *OTHER_ROWS):
        assert row.rule
        assert "doi 10." in row.source or "arXiv" in row.source
        assert not row.is_ours
        assert row.dice is not None
        assert 0 < row.dice < 1


def test_own_row_takes_the_mean_over_patients_and_micro_averages_what_the_paper_does():
    row = own_row("ours", summary(cohort()), "four patients", is_siss=True)
    assert row.dice == pytest.approx((0.8 + 0.6 + 0.9 + 0) / 4)
    assert (row.low, row.high) == (0.0, 0.9)
    wrong, missed = 200 + 1000 + 21_000, 200 + 11_000 + 1000 + 200
    assert row.accuracy == row.precision == pytest.approx(1 - (wrong + missed) / 32_000_000)
    assert "mean over 4 patients, 3D, native grid" in row.rule
    assert "lesion class: 0.831" in row.rule
    assert row.is_ours
    assert row.is_siss
    assert row.data == "four patients"


def test_own_row_of_data_that_may_be_siss_or_not_says_so():
    assert own_row("ours", summary(cohort()), "four patients").data == "four patients; whether SISS is not known"
    assert own_row("ours", summary(cohort()), "four patients", is_siss=False).data == "four patients"


def test_row_of_a_summary_without_an_interval_has_none():
    row = own_row("ours", summary(cohort().head(1)), "one patient")
    assert (row.low, row.high) == (None, None)
    assert "mean over 1 patient, 3D" in row.rule
