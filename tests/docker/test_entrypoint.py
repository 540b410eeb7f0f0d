"""The entrypoint, with folders of the test's in place of the container's and `islesnet` standing in for itself."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ENTRYPOINT = Path(__file__).parents[2] / "docker" / "entrypoint.sh"


class Container:
    """A root folder with some of /input, /output and /model.pt, and an `islesnet` that says what it was told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entrypoint = root / "entrypoint.sh"
        self.entrypoint.write_text(
            re.sub(r"(?<!\w)(/input|/output|/model\.pt)\b", rf"{root}\1", ENTRYPOINT.read_text())
        )
        command = root / "bin" / "islesnet"
        command.parent.mkdir()
        command.write_text('#!/bin/sh\necho "$@"\nexit 7\n')
        command.chmod(0o755)

    def mount(self, *, patients: int = 1, output: bool = True, weights: bool = True) -> None:
        (self.root / "input").mkdir()
        for number in range(patients):
            (self.root / "input" / str(number)).mkdir()
        if output:
            (self.root / "output").mkdir()
        if weights:
            (self.root / "model.pt").write_bytes(b"weights")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        path = f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", self.entrypoint, *arguments], capture_output=True, text=True, env={"PATH": path}, check=False
        )
        root = str(self.root)
        return done.returncode, done.stdout.replace(root, ""), done.stderr.replace(root, "")


@pytest.fixture
def container(tmp_path):
    return Container(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "segment /input --output /output --model /model.pt"),
        (["--probability"], "segment /input --output /output --model /model.pt --probability"),
        (["--model", "mine.pt"], "segment /input --output /output --model mine.pt"),
        (["--model=mine.pt"], "segment /input --output /output --model=mine.pt"),
        (["--help"], "segment --help"),
        (["islesnet", "doctor", "/input"], "doctor /input"),
    ],
)
def test_options_go_to_segment_and_commands_run_as_they_are(container, arguments, told):
    container.mount()
    # 7 is the stand-in's own exit code: the process is replaced by it.
    assert container.run(*arguments) == (7, f"{told}\n", "")


def test_without_weights_of_ones_own_the_image_s_are_used(container):
    container.mount(weights=False)
    assert container.run() == (7, "segment /input --output /output\n", "")


@pytest.mark.parametrize(
    ("mounted", "said"),
    [
        ({"patients": 0}, "/input is empty"),
        ({"output": False}, "nothing is mounted on /output"),
    ],
)
def test_what_is_not_mounted_is_said_in_one_line(container, mounted, said):
    container.mount(**mounted)
    code, out, err = container.run()
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"islesnet: {said}")


def test_without_any_mount_the_first_to_be_asked_for_is_the_input(container):
    assert container.run()[2].startswith("islesnet: nothing is mounted on /input; add -v ")


def test_folder_in_place_of_the_weights_is_explained(container):
    container.mount(weights=False)
    (container.root / "model.pt").mkdir()
    code, _, err = container.run()
    assert code == 1
    assert err.startswith("islesnet: /model.pt is a folder")
