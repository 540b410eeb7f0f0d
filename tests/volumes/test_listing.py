import os
import tracemalloc
from contextlib import nullcontext

import pytest

from islesnet.volumes import listing
from islesnet.volumes.listing import can_be_listed, listed_once, shown_in


def test_what_lies_in_a_folder_comes_in_natural_order_without_hidden_and_system_names(tmp_path):
    for name in ("10", "2", ".git", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "scan.nii.gz").touch()

    assert shown_in(tmp_path) == ["2/", "10/", "scan.nii.gz"]


@pytest.mark.parametrize("is_kept", [False, True])
def test_slash_tells_folders_and_links_to_them_from_files(is_kept, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for name, target in {"link": "folder", "lost": "nothing", "loop": "loop"}.items():
        (tmp_path / name).symlink_to(target)

    with listed_once() if is_kept else nullcontext():
        shown, empty = (shown_in(folder) for folder in (tmp_path, tmp_path / "empty"))

    assert empty == []
    assert shown == ["empty/", "file", "folder/", "link/", "loop", "lost"]


def test_what_is_kept_of_a_search_takes_little_memory(tmp_path):
    for number in range(2000):
        (tmp_path / f"IM{number:06d}.dcm").touch()

    with listed_once():
        tracemalloc.start()
        shown_in(tmp_path)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert kept < 40 * 2000  # a name has 12 characters; an os.DirEntry took 220 bytes


def test_folder_that_can_be_opened_is_read_to_its_first_entry(tmp_path, monkeypatch):
    listed = []
    monkeypatch.setattr(listing, "_list", lambda folder: listed.append(folder) or [])

    assert can_be_listed(tmp_path) and listed == []
    with listed_once():
        assert can_be_listed(tmp_path) and can_be_listed(tmp_path)
    assert listed == [tmp_path]
    assert not can_be_listed(tmp_path / "nothing")


def test_folder_is_listed_once_within_a_search_and_anew_after_it(tmp_path, monkeypatch):
    listed, scan = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scan(path))

    with listed_once():
        with listed_once():
            assert shown_in(tmp_path) == []
        (tmp_path / "scan.nii.gz").touch()
        shown_in(tmp_path).append("of the caller")
        assert shown_in(tmp_path) == [] and listed == [tmp_path]

    assert shown_in(tmp_path) == ["scan.nii.gz"]


def test_nothing_is_kept_after_a_search_that_failed(tmp_path):
    with pytest.raises(ValueError, match="broken"), listed_once():
        shown_in(tmp_path)
        raise ValueError("broken")
    (tmp_path / "scan.nii.gz").touch()
    assert shown_in(tmp_path) == ["scan.nii.gz"]


def test_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="nothing"):
        shown_in(tmp_path / "nothing")
