import os

import pytest

from islesnet.volumes.listing import listed_once, shown_in


def names_in(folder):
    return [entry.name for entry in shown_in(folder)]


def test_what_lies_in_a_folder_comes_in_natural_order_without_hidden_and_system_names(tmp_path):
    for name in ("10", "2", ".git", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "scan.nii.gz").touch()

    assert names_in(tmp_path) == ["2", "10", "scan.nii.gz"]


def test_folder_is_listed_once_within_a_search_and_anew_after_it(tmp_path, monkeypatch):
    listed, scan = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scan(path))

    with listed_once():
        with listed_once():
            assert names_in(tmp_path) == []
        (tmp_path / "scan.nii.gz").touch()
        shown_in(tmp_path).append("of the caller")
        assert names_in(tmp_path) == [] and listed == [tmp_path]

    assert names_in(tmp_path) == ["scan.nii.gz"]


def test_nothing_is_kept_after_a_search_that_failed(tmp_path):
    with pytest.raises(ValueError, match="broken"), listed_once():
        shown_in(tmp_path)
        raise ValueError("broken")
    (tmp_path / "scan.nii.gz").touch()
    assert names_in(tmp_path) == ["scan.nii.gz"]


def test_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="nothing"):
        shown_in(tmp_path / "nothing")
