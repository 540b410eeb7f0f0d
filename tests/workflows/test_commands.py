"""How commands are run and ended, and what is said where one fails."""

import os
import signal
import subprocess
import sys
import time

import pytest

from workflows.commands import BUNDLE, CommandError, run


def test_command_that_fails_is_said_with_its_last_words(tmp_path):
    with pytest.raises(CommandError, match=r"(?s)ended with 3; .*log.txt ends with:\n  too late"):
        run("python", "-c", "import sys; print('too late'); sys.exit(3)", log=tmp_path / "log.txt")


def test_a_command_sees_its_share(tmp_path):
    run(
        "python",
        "-c",
        "import os; print(os.environ['OMP_NUM_THREADS'])",
        log=tmp_path / "log.txt",
        share={"OMP_NUM_THREADS": "7"},
    )

    assert (tmp_path / "log.txt").read_text() == "7\n"


@pytest.mark.parametrize(("goes_on", "then"), [(True, "goes on from there"), (False, "begins anew")])
def test_ctrl_c_is_answered_in_one_sentence_without_the_traceback_of_what_was_running(tmp_path, goes_on, then):
    script = tmp_path / "work.py"
    script.write_text(f"""
import signal
from pathlib import Path
from workflows.command_line import answer, command_line
from workflows.commands import run

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
from workflows.command_line import answer, command_line
from workflows.commands import run
from workflows.experiment import run_all

def wait(number):
    run("python", "-c", "import pathlib, time; pathlib.Path('begun{{}}').touch(); time.sleep(60)".format(number),
        folder=Path({str(tmp_path)!r}))

experiments = [
    SimpleNamespace(is_done=False, check=lambda: None, run=lambda share, number=number: wait(number))
    for number in range(3)
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
    assert said == "wash: stopped; the same command goes on from there\n"
    assert not (tmp_path / "begun2").exists()
