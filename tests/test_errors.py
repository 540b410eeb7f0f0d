import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from islesnet.errors import FailedPatientsError, InputError, input_error_behind, require_numbers, require_paths


def run(body):
    """Run a few lines in a process that says its errors plainly."""
    lines = ["from islesnet.errors import InputError, say_errors_plainly", "say_errors_plainly()", *body]
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60)


def test_wrapped_input_error_is_one_line_without_a_traceback():
    ended = run(
        [
            "try:",
            "    try:",
            "        raise InputError(\"patient 'p7': flair.nii.gz is empty\")",
            "    except InputError as error:",
            "        raise RuntimeError('applying transform Compose') from error",
            "except RuntimeError as error:",
            "    raise RuntimeError('cannot evaluate \"$@evaluator.run()\"') from error",
        ]
    )
    assert ended.returncode == 1
    assert ended.stderr == "islesnet: patient 'p7': flair.nii.gz is empty\n"
    assert ended.stdout == ""


def test_refused_file_is_one_line_with_its_name():
    ended = run(["open('/nowhere/dwi.nii.gz')"])
    assert ended.returncode == 1
    assert ended.stderr == "islesnet: /nowhere/dwi.nii.gz: no such file or directory\n"


TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2"}


@pytest.mark.parametrize(
    ("told", "is_said_at_once"),
    [
        ({"RANK": "0", **TORCHRUN}, True),
        ({"RANK": "1", **TORCHRUN}, False),
        ({"RANK": "1", "WORLD_SIZE": "2"}, False),
        ({"RANK": "1"}, True),
        ({"RANK": "1", "WORLD_SIZE": "1"}, True),
    ],
)
def test_of_several_processes_the_first_says_what_stops_them_before_the_others_do(told, is_said_at_once, monkeypatch):
    for name in ("RANK", *TORCHRUN):
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    waiting = ["from islesnet import errors", "errors.time.sleep = lambda seconds: print(f'waits {seconds:g} s')"]

    ended = run([*waiting, "raise InputError('mend me')"])

    assert ended.stdout == ("" if is_said_at_once else "waits 5 s\n")
    assert ended.stderr == "islesnet: mend me\n"


def test_other_exception_keeps_its_traceback():
    ended = run(["def broken():", "    raise KeyError('a bug')", "broken()"])
    assert ended.returncode == 1
    assert "Traceback (most recent call last)" in ended.stderr
    assert "in broken" in ended.stderr
    assert ended.stderr.endswith("KeyError: 'a bug'\n")


def test_importing_alone_leaves_pythons_own_hook():
    code = "import sys, islesnet, islesnet.errors; sys.exit(sys.excepthook is not sys.__excepthook__)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


def chain(*errors):
    """Raise the errors one from another, the last one outermost, and return it."""
    outer = errors[0]
    for error in errors[1:]:
        error.__cause__ = outer
        outer = error
    return outer


def test_input_error_is_found_however_deep():
    cause = InputError("mend me")
    assert input_error_behind(cause) is cause
    assert input_error_behind(chain(cause, RuntimeError("1"), ValueError("2"), RuntimeError("3"))) is cause


def test_input_error_is_found_where_it_was_being_handled():
    cause = InputError("mend me")
    with pytest.raises(RuntimeError) as caught:
        try:
            raise cause
        except InputError:
            raise RuntimeError("wrapped without saying so")  # noqa: B904
    assert input_error_behind(caught.value) is cause


def test_file_refused_by_the_operating_system_is_the_users_and_other_os_errors_are_not():
    refused = FileNotFoundError(2, "No such file or directory", "dwi.nii.gz")
    assert input_error_behind(chain(refused, RuntimeError("loading"))) is refused
    assert input_error_behind(OSError("nothing about a file")) is None


def test_bugs_and_nothing_have_no_input_error_behind_them():
    assert input_error_behind(chain(KeyError("bug"), RuntimeError("wrapped"))) is None
    assert input_error_behind(None) is None


def test_failed_patients_come_through_a_pool_of_processes():
    error = pickle.loads(pickle.dumps(FailedPatientsError("1 of 2 patients failed", ["anna"])))
    assert (str(error), error.patients) == ("1 of 2 patients failed", {"anna"})


@pytest.mark.parametrize(
    ("value", "bounds", "right"),
    [
        ("1", {}, "a number."),
        (True, {}, "a number."),
        (None, {}, "a number."),
        ([1], {}, "a number."),
        (float("nan"), {}, "a number."),
        (0.5, {"minimum": 1}, "a number of 1 or more."),
        (0.5, {"maximum": 0.2}, "a number of 0.2 or less."),
        (2, {"minimum": 0, "maximum": 1}, "a number from 0 to 1."),
        (2.0, {"is_whole": True}, "a whole number."),
        (2, {"counts": [3]}, '3 numbers, as in --option "[a, b, c]".'),
        ([2, 2], {"counts": [1, 3]}, 'a number or 3 numbers, as in --option "[a, b, c]".'),
        ([2, "2"], {"counts": [2], "minimum": 1}, '2 numbers of 1 or more, as in --option "[a, b]".'),
    ],
)
def test_what_is_no_such_number_is_refused_with_what_would_be_right(value, bounds, right):
    with pytest.raises(InputError) as caught:
        require_numbers({"option": value}, **bounds)

    assert str(caught.value) == f"option is {value!r}; it must be {right}"


def test_numbers_are_taken_as_python_and_numpy_have_them():
    require_numbers({"a": 0, "b": 0.5, "c": np.float32(0.5), "d": float("inf"), "off": False}, minimum=0)
    require_numbers({"a": 3, "b": np.int64(3)}, minimum=3, maximum=3, is_whole=True)
    require_numbers({"a": (1, 2, 3), "b": np.ones(3), "c": 1}, counts=[1, 3])


def test_paths_are_text_or_path_and_a_number_is_refused_by_name():
    require_paths({"output_dir": "out", "checkpoint": Path("model.pt")})

    with pytest.raises(InputError, match=r"^output_dir is 2024; it must be a path, .* --output_dir \./2024\.$"):
        require_paths({"dataset_dir": ".", "output_dir": 2024})


def test_an_empty_path_is_refused_and_a_dot_is_legal():
    require_paths({"dataset_dir": ".", "output_dir": Path()})

    with pytest.raises(InputError, match=r"^output_dir is empty .* --output_dir \.$"):
        require_paths({"dataset_dir": ".", "output_dir": ""})
