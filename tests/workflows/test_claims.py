"""Folders of a workflow: what they remember, and that one run at a time works in them."""

import subprocess
import sys

import pytest

from islesnet.errors import InputError
from workflows.claims import alone_in, check_claim, claim_folder


def test_differing_choices_are_named_and_nothing_is_written(tmp_path):
    check_claim(tmp_path / "new", "note.json", {"seed": 1})
    assert not (tmp_path / "new").exists()
    claim_folder(tmp_path, "note.json", {"seed": 1, "epochs": 2})
    claim_folder(tmp_path, "note.json", {"seed": 1, "epochs": 2})

    with pytest.raises(InputError, match=r"another choice of epochs, pace \(see .* with --phantoms"):
        claim_folder(tmp_path, "note.json", {"seed": 1, "epochs": 3, "pace": 1}, option="--phantoms")


def test_many_differing_choices_are_counted(tmp_path):
    claim_folder(tmp_path, "note.json", {f"files of {number}": 1 for number in range(9)})

    with pytest.raises(InputError, match="files of 5 and 3 more"):
        claim_folder(tmp_path, "note.json", {f"files of {number}": 2 for number in range(9)})


def test_second_run_in_a_folder_is_refused_until_the_first_one_ends(tmp_path):
    holding = (
        "import sys; from pathlib import Path; from workflows.claims import alone_in\n"
        "with alone_in(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert first.stdout.readline() == b"in\n"

    with pytest.raises(InputError, match="another run is at work"), alone_in(tmp_path):
        pass

    first.kill()  # no clean end
    first.communicate()
    with alone_in(tmp_path):
        pass
