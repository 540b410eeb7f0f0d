import argparse

import pytest

from workflows.benchmark.real_volumes import add_real, why_left_out


@pytest.fixture
def folder_named():
    """Read a command line with the option as a benchmark does."""

    def folder_named(*words):
        parser = argparse.ArgumentParser()
        add_real(parser)
        return parser.parse_args([str(word) for word in words]).real

    return folder_named


def test_folder_is_that_of_the_option_else_that_of_the_environment(folder_named, tmp_path, monkeypatch):
    monkeypatch.setenv("ISLESNET_REAL_DATA", str(tmp_path / "environment"))

    assert folder_named() == tmp_path / "environment"
    assert folder_named("--real", tmp_path / "option") == tmp_path / "option"


@pytest.mark.parametrize("value", [None, ""])
def test_where_no_folder_is_named_the_option_and_the_variable_are(folder_named, value, monkeypatch):
    monkeypatch.delenv("ISLESNET_REAL_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("ISLESNET_REAL_DATA", value)

    said = why_left_out(folder_named())

    assert (
        said
        == "left out: no folder of real volumes is named; --real names one, or ISLESNET_REAL_DATA in the environment"
    )


def test_folder_that_is_not_there_is_said_by_its_name(tmp_path):
    assert why_left_out(tmp_path) is None
    assert f"there is no folder {tmp_path / 'typo'} " in why_left_out(tmp_path / "typo")
