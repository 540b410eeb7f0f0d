"""The commands that a workflow runs, those of the bundle among them: printed, and run as a user types them."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from islesnet.errors import InputError

BUNDLE = Path(__file__).parent.parent / "bundle"
_LAST_LINES = 6  # of a log, quoted where its command failed
_running: set["subprocess.Popen[bytes]"] = set()


class CommandError(InputError):
    """A command that ended with an error.

    Args:
        words: the command.
        code: its exit code, or minus the signal that ended it.
        log: the file with its output; None where the output was on the screen.
    """

    def __init__(self, words: list[str], code: int, log: Path | None) -> None:
        self.was_killed = code == -signal.SIGKILL
        where = "; see above" if log is None else f"; {log} ends with:\n{_last_lines(log)}"
        if self.was_killed:
            where = f" (killed, perhaps for want of memory){where}"
        super().__init__(f"`{shlex.join(words[:8])} ...` ended with {code}{where}")


def run(
    *command: object, folder: Path = BUNDLE.parent, log: Path | None = None, share: Mapping[str, str] | None = None
) -> None:
    """Print a command and run it.

    Args:
        command: a program of this interpreter's environment, and its arguments.
        folder: where it runs.
        log: a file that the program's output is added to; None leaves the output on the screen.
        share: environment variables that give it a part of the machine (`shares_of_machine`); None gives it all of it.

    Raises:
        CommandError: where it ends with an error.
    """
    words = [str(word) for word in command]
    print(f"$ {'cd bundle; ' if folder == BUNDLE else ''}{shlex.join(words)}", flush=True)
    if log is not None:
        print(f"  (progress: {log})", flush=True)
    program = [str(Path(sys.executable).parent / words[0]), *words[1:]]
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    with nullcontext() if log is None else log.open("a") as file:
        errors = None if file is None else subprocess.STDOUT
        with _deaf_to_ctrl_c():
            process = subprocess.Popen(program, cwd=folder, env=_environment(share), stdout=file, stderr=errors)
        code = _wait_for(process)
    if code != 0:
        raise CommandError(words, code, log)


def run_bundle(verb: str, *arguments: object, log: Path | None = None, share: Mapping[str, str] | None = None) -> None:
    """Run `python -m monai.bundle run` with a verb of the bundle, in the bundle's folder; otherwise as `run`."""
    run("python", "-W", "ignore", "-m", "monai.bundle", "run", verb, *arguments, folder=BUNDLE, log=log, share=share)


def options(choices: Mapping[str, object]) -> list[object]:
    """Write choices as words of a command line: ``--name value``."""
    return [word for name, value in choices.items() for word in (f"--{name}", value)]


def stop_commands() -> None:
    """End the commands that other threads wait for."""
    for process in list(_running):
        process.terminate()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let a program that is started here ignore Ctrl-C: the terminal sends it to both, and this process ends the other.

    The program's own answer would be a traceback on the screen. Only the main thread can set handlers; the programs of
    other threads write to logs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _wait_for(process: "subprocess.Popen[bytes]") -> int:
    _running.add(process)
    try:
        return process.wait()
    except BaseException:  # Ctrl-C or a request to end: nobody would wait for the program any more
        process.terminate()
        process.wait()
        raise
    finally:
        _running.discard(process)


def _environment(share: Mapping[str, str] | None) -> Mapping[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path} | dict(share or {})


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])
