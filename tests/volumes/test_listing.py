import pytest

from islesnet.volumes.listing import shown_in


def names_in(folder):
    return [entry.name for entry in shown_in(folder)]


def test_what_lies_in_a_folder_comes_in_natural_order_without_hidden_and_system_names(tmp_path):
    for name in ("10", "2", ".git", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "scan.nii.gz").touch()

    assert names_in(tmp_path) == ["2", "10", "scan.nii.gz"]


def test_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="nothing"):
        shown_in(tmp_path / "nothing")
