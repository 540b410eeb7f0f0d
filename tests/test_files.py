import errno
import os
import stat
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from islesnet.errors import InputError
from islesnet.files import as_json, read_json_object, require_writable, whole_file, write_json


def test_file_appears_whole_with_its_folder(tmp_path):
    path = tmp_path / "new" / "folder" / "mask.nii.gz"
    with whole_file(path) as part:
        part.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_temporary_name_lies_beside_hidden_and_ends_alike_so_that_writers_choose_the_same_format(tmp_path):
    with whole_file(tmp_path / "mask.nii.gz") as part:
        assert part.parent == tmp_path
        assert part.name.startswith(".part.")
        assert part.name.endswith(".mask.nii.gz")


def test_earlier_file_is_replaced_only_on_success(tmp_path):
    path = tmp_path / "model.pt"
    path.write_text("earlier")
    with pytest.raises(KeyError), whole_file(path) as part:
        part.write_text("half")
        raise KeyError("stopped in the middle")
    assert path.read_text() == "earlier"
    with whole_file(path) as part:
        part.write_text("later")
        assert path.read_text() == "earlier"
    assert path.read_text() == "later"


@pytest.mark.parametrize("failure", [ValueError("wrong"), KeyboardInterrupt(), OSError(errno.EIO, "I/O error")])
def test_nothing_is_left_after_a_failure(tmp_path, failure):
    with pytest.raises(type(failure)), whole_file(tmp_path / "mask.nii.gz") as part:
        part.write_text("half")
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_other_errors_pass_unchanged(tmp_path):
    failure = ValueError("not about files")
    with pytest.raises(ValueError) as caught, whole_file(tmp_path / "mask.nii.gz"):
        raise failure
    assert caught.value is failure


def test_full_disk_is_said_of_the_file_that_should_have_been(tmp_path):
    path = tmp_path / "mask.nii.gz"
    with pytest.raises(OSError, match="No space left on device") as caught, whole_file(path) as part:
        part.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part))
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(path)
    assert ".part." not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_missing_permission_is_said_of_the_file_that_should_have_been(tmp_path, monkeypatch):
    def refuse(**options):
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere/.part.abc")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)  # root may write anywhere
    with pytest.raises(PermissionError, match="Permission denied") as caught, whole_file(tmp_path / "mask.nii.gz"):
        pytest.fail("there is nothing to write to")
    assert caught.value.filename == str(tmp_path / "mask.nii.gz")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_refused_by_the_operating_system(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError), whole_file(tmp_path / "mask.nii.gz"):
        pytest.fail("there is nothing to write to")
    with pytest.raises(InputError, match="Permission denied"):
        require_writable(tmp_path)


def test_file_in_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OSError) as caught, whole_file(tmp_path / "taken" / "mask.nii.gz"):
        pytest.fail("there is nothing to write to")
    assert caught.value.filename == str(tmp_path / "taken" / "mask.nii.gz")


def test_result_is_readable_by_whom_the_folder_s_owner_lets(tmp_path):
    before = os.umask(0o022)
    try:
        with whole_file(tmp_path / "mask.nii.gz") as part:
            part.write_text("whole")
        assert os.umask(0o022) == 0o022, "the process keeps its own mask"
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "mask.nii.gz").stat().st_mode) == 0o644


def test_require_writable_makes_the_folder_and_leaves_it_empty(tmp_path):
    require_writable(str(tmp_path / "out" / "deeper"))
    require_writable(tmp_path / "out" / "deeper")
    assert list((tmp_path / "out" / "deeper").iterdir()) == []


def test_require_writable_refuses_a_file_by_name(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match=r"Cannot write to the folder .*out: File exists\. Choose another"):
        require_writable(tmp_path / "out")


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_require_writable_says_the_operating_systems_reason(tmp_path, monkeypatch, reason):
    def refuse(dir: Path):
        raise OSError(reason, os.strerror(reason), str(dir))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(InputError, match=os.strerror(reason)) as caught:
        require_writable(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_full_disk_that_torch_met_is_said_as_such(tmp_path, monkeypatch):
    monkeypatch.setattr("islesnet.files.shutil.disk_usage", lambda _: SimpleNamespace(free=0))

    with pytest.raises(OSError, match="No space left on device") as caught, whole_file(tmp_path / "model.pt"):
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598")

    assert caught.value.filename == str(tmp_path / "model.pt")


def test_other_errors_of_the_writer_are_left_as_they_are(tmp_path):
    with pytest.raises(RuntimeError, match="a bug"), whole_file(tmp_path / "model.pt"):
        raise RuntimeError("a bug")


def test_json_object_is_written_indented_with_a_line_end_and_read_again(tmp_path):
    path = tmp_path / "new" / "numbers.json"
    write_json(path, {"name": "Zoë", "sizes": [1]})
    assert path.read_bytes() == b'{\n  "name": "Zo\\u00eb",\n  "sizes": [\n    1\n  ]\n}\n'
    assert read_json_object(path) == {"name": "Zoë", "sizes": [1]}


def test_json_keeps_letters_as_utf_8_where_asked(tmp_path):
    path = tmp_path / "numbers.json"
    write_json(path, {"name": "Zoë"}, ensure_ascii=False)
    assert path.read_bytes() == '{\n  "name": "Zoë"\n}\n'.encode()
    assert read_json_object(path) == {"name": "Zoë"}


@pytest.mark.parametrize("content", [b"", b'{"half": ', b"[1, 2]", b'"word"', b'{"name": "\xff"}', b"[" * 200_000])
def test_what_is_no_json_object_is_read_as_an_empty_one(tmp_path, content):
    path = tmp_path / "numbers.json"
    path.write_bytes(content)
    assert read_json_object(path) == {}


def test_absent_file_or_folder_is_read_as_an_empty_json_object(tmp_path):
    assert read_json_object(tmp_path / "absent.json") == {}
    assert read_json_object(tmp_path) == {}


def test_object_is_given_as_json_gives_it_back():
    told = as_json({"patch": (32, 32), "folder": Path("a"), "rate": float("inf"), "start": None})

    assert told == {"patch": [32, 32], "folder": "a", "rate": float("inf"), "start": None}
