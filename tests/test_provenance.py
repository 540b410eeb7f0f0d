import ast
import getpass
import hashlib
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from monai.bundle import ConfigWorkflow

import islesnet
from islesnet.provenance import commands_in, config_as_run, write_provenance

MAIN = "/somewhere/site-packages/monai/bundle/__main__.py"


def written(folder, **known):
    return json.loads(write_provenance(folder, began=time.time() - 2, **known).read_text())


def test_versions_and_machine_are_those_of_this_process(tmp_path):
    told = written(tmp_path)

    assert told["versions"]["islesnet"] == islesnet.__version__
    assert told["versions"]["python"] == platform.python_version()
    assert told["versions"]["torch"] == torch.__version__
    assert {"monai", "pytorch-ignite", "numpy", "scipy", "pandas", "nibabel", "SimpleITK"} <= set(told["versions"])
    assert all(told["versions"].values())
    assert told["machine"]["threads"] == torch.get_num_threads()
    assert told["machine"]["cores"] >= 1
    assert told["machine"]["processor"]
    assert told["machine"]["devices"] == [
        torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
    ]


def test_time_is_in_utc_and_the_duration_in_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_000_000_060.04)
    told = json.loads(write_provenance(tmp_path, began=1_000_000_000.0).read_text())
    assert told["started"] == "2001-09-09T01:46:40+00:00"
    assert told["duration_s"] == 60.0


def test_what_the_caller_knows_is_written(tmp_path):
    known = {
        "config": {"epochs": 3, "spacing": [1.0, 1.0, 1.0], "bundle_root": Path("bundle")},
        "seeds": {"folds": 7},
        "split": {"training": ["sub-1"], "test": ["sub-2"]},
        "stamps": ("PHANTOM", "LEAKY"),
    }
    told = written(tmp_path, **known)
    assert told["config"] == {"epochs": 3, "spacing": [1.0, 1.0, 1.0], "bundle_root": "bundle"}
    assert (told["seeds"], told["split"], told["stamps"]) == (known["seeds"], known["split"], ["PHANTOM", "LEAKY"])
    assert told["finished"] is True


def test_nothing_known_is_said_as_nothing(tmp_path):
    told = written(tmp_path)
    assert (told["config"], told["seeds"], told["split"], told["datalist"]) == (None, None, None, None)
    assert (told["weights"], told["stamps"]) == ([], [])


def test_commands_of_a_folder_are_those_before_and_the_last_one(tmp_path):
    assert commands_in(tmp_path) == []
    first = written(tmp_path, finished=False, config={"epochs": 2})
    (of_first,) = commands_in(tmp_path)
    kept = ("started", "duration_s", "finished", "command", "versions", "machine", "device")
    assert of_first == {name: first[name] for name in kept}
    assert first["earlier"] == []

    second = written(tmp_path, earlier=commands_in(tmp_path), config={"epochs": 4})

    assert (second["earlier"], second["config"]) == ([of_first], {"epochs": 4})
    assert [command["finished"] for command in commands_in(tmp_path)] == [False, True]


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"'])
def test_folder_whose_provenance_cannot_be_read_has_no_commands(tmp_path, text):
    (tmp_path / "provenance.json").write_text(text)
    assert commands_in(tmp_path) == []


def test_weights_and_datalist_are_named_with_their_checksum(tmp_path):
    model, datalist = tmp_path / "model.pt", tmp_path / "datalist.json"
    model.write_bytes(b"weights")
    datalist.write_bytes(b"{}")

    told = written(tmp_path, weights=[model, tmp_path / "absent.pt"], datalist=datalist)

    assert told["weights"] == [
        {"file": str(model), "sha256": hashlib.sha256(b"weights").hexdigest()},
        {"file": str(tmp_path / "absent.pt"), "sha256": None},
    ]
    assert told["datalist"] == {"file": str(datalist), "sha256": hashlib.sha256(b"{}").hexdigest()}
    assert written(tmp_path, datalist=[datalist, datalist])["datalist"] == [told["datalist"]] * 2


def test_command_line_is_one_that_a_shell_reads_again(tmp_path, monkeypatch):
    command = ["python", "-m", "monai.bundle", "run", "--sequences", "['dwi', 't1']"]
    monkeypatch.setattr(sys, "orig_argv", command)
    assert shlex.split(written(tmp_path)["command"]) == command


def test_home_folder_is_not_named(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/jane.doe"))
    monkeypatch.setattr(sys, "orig_argv", ["python", "/home/jane.doe/run.py", "/home/jane.doe-2/data"])
    told = written(tmp_path, weights=["/home/jane.doe/model.pt"], config={"root": "/home/jane.doe"})
    assert told["command"] == "python ~/run.py /home/jane.doe-2/data"
    assert told["weights"][0]["file"] == "~/model.pt"
    assert told["config"] == {"root": "~"}


def test_environment_user_and_host_are_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setattr(sys, "orig_argv", ["python"])
    text = write_provenance(tmp_path, began=time.time()).read_text()
    assert "hunter2" not in text and "SECRET_TOKEN" not in text
    for name in (getpass.getuser(), platform.node()):
        assert not re.search(rf"\b{re.escape(name)}\b", text)


def test_commit_is_that_of_this_checkout(tmp_path):
    root = Path(islesnet.__file__).parent.parent
    asked = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True)
    if asked.returncode != 0:
        pytest.skip("this is no checkout")
    assert written(tmp_path)["versions"]["commit"].startswith(asked.stdout.strip())


@pytest.mark.parametrize("how", ["no git", "installed in the repository of something else"])
def test_package_that_is_no_checkout_has_no_commit(how, tmp_path, monkeypatch):
    if how == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        monkeypatch.setattr(islesnet, "__file__", str(tmp_path / "venv/islesnet/__init__.py"))
    assert "commit" not in written(tmp_path)["versions"]


# ---- the config as it was run


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Two configs that stack, and a recipe; the current folder is theirs."""
    files = {
        "configs/one.yaml": {"epochs": 1, "rate": "$@epochs * 2", "net": {"_target_": "Identity", "size": 1}},
        "configs/two.yaml": {"epochs": 2, "net::size": 2, "extra": [1, 2]},
        "recipe.yaml": {"config_file": ["configs/one.yaml", "configs/two.yaml"], "epochs": 3, "run_id": "training"},
    }
    (tmp_path / "configs").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
    monkeypatch.chdir(tmp_path)
    return tmp_path


NET = {"_target_": "Identity", "size": 1}


def test_args_file_alone_gives_the_merged_config(bundle):
    assert config_as_run([MAIN, "run", "training", "--args_file", "recipe.yaml"]) == {
        "epochs": 3,
        "rate": "$@epochs * 2",
        "net": {"_target_": "Identity", "size": 2},
        "extra": [1, 2],
    }


def test_overrides_win_over_the_args_file(bundle):
    words = ["--epochs", "9", "--args_file=recipe.yaml", "--net::size=5", "--extra", "['a', None]", "--new", "-1.5e-3"]
    told = config_as_run([MAIN, "run", "training", *words])
    assert (told["epochs"], told["net"]["size"], told["extra"], told["new"]) == (9, 5, ["a", None], -1.5e-3)


@pytest.mark.parametrize("words", [("--config_file", "configs/one.yaml"), ("--config_file=configs/one.yaml",)])
def test_single_config_file_is_read(bundle, words):
    assert config_as_run([MAIN, "run", *words]) == {"epochs": 1, "rate": "$@epochs * 2", "net": NET}


@pytest.mark.parametrize("files", ["['configs/one.yaml', 'configs/two.yaml']", "configs/one.yaml,configs/two.yaml"])
def test_list_of_config_files_is_merged_in_order(bundle, files):
    told = config_as_run([MAIN, "run", "training", "--config_file", files, "--rate", "0.5"])
    assert told == {"epochs": 2, "rate": 0.5, "net": {**NET, "size": 2}, "extra": [1, 2]}


def test_values_are_read_as_monai_reads_them(bundle):
    words = ["--flag", "True", "--name", "false", "--paths", "(1, 2)", "--rate", "@epochs", "--switch"]
    told = config_as_run([MAIN, "run", "--config_file", "configs/one.yaml", *words])
    workflow = ConfigWorkflow(
        "configs/one.yaml", flag=True, name="false", paths=(1, 2), rate="@epochs", switch=True, meta_file={}
    )
    assert told == {name: value for name, value in workflow.parser.get().items() if name != "_meta_"}


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["/usr/bin/islesnet", "segment", "patients"],
        ["-c"],
        ["/usr/bin/pytest", "run", "--config_file", "configs/one.yaml"],
        [MAIN, "ckpt_export", "--config_file", "configs/one.yaml"],
        [MAIN],
    ],
)
def test_another_command_has_no_config(argv):
    assert config_as_run(argv) is None


def test_config_of_a_real_command_line_is_found(bundle):
    # As a process of MONAI's own sees its sys.argv.
    told = {"_target_": "islesnet.provenance.config_as_run", "argv": "$__import__('sys').argv"}
    config = {"epochs": 1, "told": told, "run": "$open('seen.txt', 'w').write(repr(@told))"}
    (bundle / "seen.yaml").write_text(yaml.safe_dump(config))

    subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", "--config_file", "seen.yaml", "--epochs", "4"],
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(islesnet.__file__).parent.parent)},
        capture_output=True,
    )

    assert ast.literal_eval((bundle / "seen.txt").read_text()) == {**config, "epochs": 4}
