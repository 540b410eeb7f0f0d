"""Commands: how a workflow's own is answered, and those of the bundle, printed and run as a user types them."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from islesnet.errors import InputError, in_words, input_error_behind
from islesnet.processes import usable_cores

BUNDLE = Path(__file__).parent.parent / "bundle"
_running: set["subprocess.Popen[bytes]"] = set()


def command_line(verb: str, about: str | None) -> argparse.ArgumentParser:
    """Begin the command line of a workflow.

    Args:
        verb: its name.
        about: its help, as it is to be shown.
    """
    return argparse.ArgumentParser(verb, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def answer(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    words: Sequence[str] | None = None,
    goes_on: bool = True,
) -> int:
    """Do what a command line asks for; what is the user's to mend is said in one sentence, without a traceback.

    Args:
        parser: of the command line.
        work: takes what was asked for and gives the exit code.
        words: the command line; None takes that of this process.
        goes_on: whether the same command goes on where it was stopped, or begins anew; which of them is then said.

    Stopped, by Ctrl-C or a request to end, it ends its commands too.

    Returns:
        The exit code.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        return work(parser.parse_args(words))
    except KeyboardInterrupt:
        sys.stderr.write(
            f"{parser.prog}: stopped; the same command {'goes on where it was' if goes_on else 'begins anew'}\n"
        )
        return 130
    except Exception as error:
        cause = input_error_behind(error)
        if cause is None:
            raise
        sys.stderr.write(f"{parser.prog}: {in_words(cause)}\n")
        return 1


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def say_failures(verb: str, failures: Sequence[str]) -> None:
    """Say which parts of a resumable workflow failed, where any did."""
    if failures:
        sys.stderr.write(f"{verb}: not all ended well; the same command goes on where it was.\n")
        sys.stderr.write("\n".join(failures) + "\n")


def say(title: str) -> None:
    """Print a step's title."""
    print(f"\n== {title}", flush=True)


def run(
    *command: object, folder: Path = BUNDLE.parent, log: Path | None = None, share: Mapping[str, str] | None = None
) -> None:
    """Print a command and run it.

    Args:
        command: the program, of this interpreter's environment, and its arguments.
        folder: where it runs.
        log: a file that takes what the program says, after what it holds already; None leaves it on the screen.
        share: environment variables that give it a part of the machine (`shares_of_machine`); None gives it all.

    Raises:
        CommandError: where it ends with an error.
    """
    words = [str(word) for word in command]
    print(f"$ {'cd bundle; ' if folder == BUNDLE else ''}{shlex.join(words)}", flush=True)
    if log is not None:
        print(f"  (how far it is: {log})", flush=True)
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


def stop_commands() -> None:
    """End the commands that other threads wait for."""
    for process in list(_running):
        process.terminate()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let a program that is started here leave Ctrl-C, which the terminal sends to both, to this process that ends it.

    Its own answer would be a traceback. Only the main thread sets handlers; what other threads run writes to logs.
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
    except BaseException:  # Ctrl-C, or a request to end: nobody would wait for it any more
        process.terminate()
        process.wait()
        raise
    finally:
        _running.discard(process)


def run_bundle(verb: str, *arguments: object, log: Path | None = None, share: Mapping[str, str] | None = None) -> None:
    """Run the bundle in its folder, as `python -m monai.bundle run`; otherwise as `run`."""
    run("python", "-W", "ignore", "-m", "monai.bundle", "run", verb, *arguments, folder=BUNDLE, log=log, share=share)


def add_at_once(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how many trainings are at work at once."""
    parser.add_argument(
        "--at-once", type=int, help="trainings at once (default: one a GPU, or two on a CPU, which share its cores)"
    )


def shares_of_machine(at_once: int | None = None) -> list[Mapping[str, str]]:
    """Divide the machine among so many commands at once: a GPU each or, where there is none, the cores.

    On two cores, two trainings with one each get more done than one after the other with both (workflows/README.md).

    Args:
        at_once: how many, where there are GPUs at most one on each; None is all GPUs, or two on a CPU.

    Returns:
        environment variables for each command.

    Raises:
        InputError: for less than one.
    """
    if at_once is not None and at_once < 1:
        raise InputError(f"--at-once is {at_once}: 1 or more")
    devices = _visible_devices()
    if devices:
        return [{"CUDA_VISIBLE_DEVICES": device} for device in devices[:at_once]]
    cores = usable_cores()
    count = min(2, cores) if at_once is None else at_once
    return [{"OMP_NUM_THREADS": str(max(1, cores // count))}] * count


def _visible_devices() -> list[str]:
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()
    return named.split(",")[:count] if named else [str(number) for number in range(count)]


def options(choices: Mapping[str, object]) -> list[object]:
    """Write choices as a command line has them: --name value."""
    return [word for name, value in choices.items() for word in (f"--{name}", value)]


class CommandError(InputError):
    """A command that ended with an error.

    Args:
        words: the command.
        code: what it ended with.
        log: the file that holds what it said, where it was not on the screen.
    """

    def __init__(self, words: list[str], code: int, log: Path | None) -> None:
        self.was_killed = code == -signal.SIGKILL
        where = "; see above" if log is None else f"; {log} ends with:\n{_last_lines(log)}"
        if self.was_killed:
            where = f" (killed, perhaps for want of memory){where}"
        super().__init__(f"`{shlex.join(words[:8])} ...` ended with {code}{where}")


def _last_lines(log: Path, count: int = 6) -> str:
    return "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-count:])


def _environment(share: Mapping[str, str] | None) -> Mapping[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path} | dict(share or {})
