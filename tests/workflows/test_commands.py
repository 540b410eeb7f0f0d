"""How a workflow's command is answered, and what it says where that failed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from islesnet.errors import InputError
from workflows import demo
from workflows.commands import BUNDLE, CommandError, answer, command_line, run, say_failures, shares_of_machine


@pytest.fixture
def parser():
    parser = command_line("wash", "Wash the dishes.\n\n    wash --times 2")
    parser.add_argument("--times", type=int, default=1)
    return parser


def test_work_gets_what_was_asked_for_and_gives_the_exit_code(parser):
    assert answer(parser, lambda arguments: arguments.times, ["--times", "3"]) == 3
    assert answer(parser, lambda arguments: arguments.times, []) == 1


def test_help_is_shown_as_it_was_written(parser):
    assert "usage: wash [-h] [--times TIMES]\n\nWash the dishes.\n\n    wash --times 2\n" in parser.format_help()


def test_what_the_user_can_mend_is_one_sentence_after_the_verb_and_exit_code_1(parser, capsys):
    def work(_):
        try:
            raise InputError("the plate is broken; give a whole one")
        except InputError as error:
            raise RuntimeError("MONAI says something else") from error

    assert answer(parser, work, []) == 1
    assert capsys.readouterr().err == "wash: the plate is broken; give a whole one\n"


def test_a_bug_keeps_its_traceback(parser):
    with pytest.raises(ZeroDivisionError):
        answer(parser, lambda _: 1 // 0, [])


def test_failures_are_named_after_what_to_do_about_them(capsys):
    say_failures("wash", [])
    assert capsys.readouterr().err == ""
    say_failures("wash", ["fold_1/cup: broken", "fold_2/cup: lost"])
    assert capsys.readouterr().err == (
        "wash: not all ended well; the same command goes on where it was.\nfold_1/cup: broken\nfold_2/cup: lost\n"
    )


def test_command_that_fails_is_said_with_its_last_words(tmp_path):
    with pytest.raises(CommandError, match=r"(?s)ended with 3; .*log.txt ends with:\n  too late"):
        run("python", "-c", "import sys; print('too late'); sys.exit(3)", log=tmp_path / "log.txt")


def test_demo_empties_no_folder_but_its_own(tmp_path, capsys):
    (tmp_path / "thesis.tex").touch()

    assert demo.main(["--folder", str(tmp_path)]) == 1

    assert capsys.readouterr().err == (
        f"demo: {tmp_path} is not empty, and not of an earlier demo; name another with --folder\n"
    )
    assert (tmp_path / "thesis.tex").exists()


@pytest.mark.parametrize(
    ("cores", "at_once", "threads"), [(1, None, ["1"]), (2, None, ["1", "1"]), (9, None, ["4", "4"]), (2, 1, ["2"])]
)
def test_on_a_cpu_trainings_at_once_share_the_cores(monkeypatch, cores, at_once, threads):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("workflows.commands.usable_cores", lambda: cores)

    assert shares_of_machine(at_once) == [{"OMP_NUM_THREADS": count} for count in threads]


def test_each_gpu_that_may_be_used_has_one_training(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5,7")

    assert shares_of_machine() == [{"CUDA_VISIBLE_DEVICES": name} for name in ("2", "5", "7")]
    assert shares_of_machine(2) == [{"CUDA_VISIBLE_DEVICES": name} for name in ("2", "5")]


def test_less_than_one_training_at_once_is_refused():
    with pytest.raises(InputError, match="--at-once is 0: 1 or more"):
        shares_of_machine(0)


def test_a_command_sees_its_share(tmp_path):
    run(
        "python",
        "-c",
        "import os; print(os.environ['OMP_NUM_THREADS'])",
        log=tmp_path / "log.txt",
        share={"OMP_NUM_THREADS": "7"},
    )

    assert (tmp_path / "log.txt").read_text() == "7\n"


@pytest.mark.parametrize(("goes_on", "then"), [(True, "goes on where it was"), (False, "begins anew")])
def test_ctrl_c_is_answered_in_one_sentence_without_the_traceback_of_what_was_running(tmp_path, goes_on, then):
    script = tmp_path / "work.py"
    script.write_text(f"""
import signal
from pathlib import Path
from workflows.commands import answer, command_line, run

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

def work(_):
    program = "import pathlib, time; pathlib.Path('begun').touch(); time.sleep(60)"
    run("python", "-c", program, folder=Path({str(tmp_path)!r}))

raise SystemExit(answer(command_line("wash", ""), work, [], goes_on={goes_on}))
""")
    working = subprocess.Popen(
        [sys.executable, script], stderr=subprocess.PIPE, text=True, cwd=BUNDLE.parent, process_group=0
    )
    try:
        while not (tmp_path / "begun").exists():
            assert working.poll() is None
            time.sleep(0.1)
        os.killpg(working.pid, signal.SIGINT)  # as the terminal does
        _, said = working.communicate(timeout=30)
    finally:
        working.kill()

    assert working.returncode == 130
    assert said == f"wash: stopped; the same command {then}\n"


def test_a_request_to_end_ends_what_all_threads_wait_for(tmp_path):
    script = tmp_path / "work.py"
    script.write_text(f"""
from pathlib import Path
from types import SimpleNamespace
from workflows.commands import answer, command_line, run
from workflows.experiment import run_all

def wait(number):
    run("python", "-c", "import pathlib, time; pathlib.Path('begun{{}}').touch(); time.sleep(60)".format(number),
        folder=Path({str(tmp_path)!r}))

experiments = [
    SimpleNamespace(check=lambda: None, run=lambda share, number=number: wait(number)) for number in range(3)
]
raise SystemExit(answer(command_line("wash", ""), lambda _: run_all(experiments, [{{}}, {{}}]) and 0, []))
""")
    working = subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True, cwd=BUNDLE.parent)
    try:
        while not all((tmp_path / f"begun{number}").exists() for number in range(2)):
            assert working.poll() is None
            time.sleep(0.1)
        working.terminate()
        _, said = working.communicate(timeout=30)
    finally:
        working.kill()

    assert working.returncode == 130
    assert said == "wash: stopped; the same command goes on where it was\n"
    assert not (tmp_path / "begun2").exists()
