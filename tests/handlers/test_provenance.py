import hashlib
import json
import time

import pytest
import torch
import yaml
from ignite.engine import Engine, Events

from islesnet.errors import InputError
from islesnet.handlers import Provenance
from islesnet.provenance import write_provenance


def told(folder):
    return json.loads((folder / "provenance.json").read_text())


@pytest.fixture
def engine():
    return Engine(lambda engine, batch: None)


def test_run_is_unfinished_until_it_has_come_to_its_end(engine, tmp_path):
    Provenance(tmp_path, seeds=7, split={"test": ["a"]}, stamps="PHANTOM").attach(engine)
    seen = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: seen.append(told(tmp_path)))

    engine.run([0])

    during, after = seen[0], told(tmp_path)
    assert (during["finished"], after["finished"]) == (False, True)
    for content in (during, after):
        assert (content["seeds"], content["split"], content["stamps"]) == (7, {"test": ["a"]}, ["PHANTOM"])
    assert after["started"] == during["started"]
    assert after["duration_s"] >= during["duration_s"]


def test_run_that_fails_stays_unfinished(engine, tmp_path):
    Provenance(tmp_path).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        engine.run([0])

    assert told(tmp_path)["finished"] is False


def test_run_that_ends_early_of_its_own_accord_is_finished(engine, tmp_path):
    Provenance(tmp_path).attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: engine.terminate())

    engine.run([0], max_epochs=9)

    assert told(tmp_path)["finished"] is True


def test_weights_that_the_run_makes_have_their_checksum_at_the_end(engine, tmp_path):
    Provenance(tmp_path, weights=[tmp_path / "model.pt"]).attach(engine)
    engine.add_event_handler(Events.STARTED, lambda: (tmp_path / "model.pt").write_bytes(b"best"))

    engine.run([0])

    assert told(tmp_path)["weights"][0]["sha256"] == hashlib.sha256(b"best").hexdigest()


def test_clock_begins_when_the_run_is_put_together(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    Provenance(tmp_path).attach(engine)
    monkeypatch.setattr(time, "time", lambda: 1030.0)

    engine.run([0])

    assert told(tmp_path)["duration_s"] == 30.0


def run_as(command, folder, monkeypatch, epochs=1, **known):
    """Run as a process of that command, each epoch of which takes ten seconds."""
    clock = [0.0]
    monkeypatch.setattr("sys.orig_argv", ["python", command])
    monkeypatch.setattr(time, "time", lambda: clock[0])
    engine = Engine(lambda engine, batch: clock.__setitem__(0, clock[0] + 10))
    Provenance(folder, **known).attach(engine)
    engine.run([0], max_epochs=epochs)


def test_resumed_run_keeps_the_earlier_commands_with_their_time(tmp_path, monkeypatch):
    run_as("first.py", tmp_path, monkeypatch)
    run_as("second.py", tmp_path, monkeypatch, epochs=2, resume=True)
    run_as("third.py", tmp_path, monkeypatch, epochs=3, resume=True)

    content = told(tmp_path)
    assert (content["command"], content["duration_s"]) == ("python third.py", 30.0)
    assert [(own["command"], own["duration_s"], own["finished"]) for own in content["earlier"]] == [
        ("python first.py", 10.0, True),
        ("python second.py", 20.0, True),
    ]
    assert all(own["versions"]["islesnet"] and own["started"] for own in content["earlier"])


def test_run_that_starts_anew_forgets_the_earlier_one(tmp_path, monkeypatch):
    run_as("first.py", tmp_path, monkeypatch)
    run_as("second.py", tmp_path, monkeypatch)

    assert told(tmp_path)["earlier"] == []


def test_killed_run_is_known_to_have_taken_until_its_last_epoch(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    Provenance(tmp_path).attach(engine)
    engine.add_event_handler(Events.EPOCH_STARTED, lambda: monkeypatch.setattr(time, "time", lambda: 50.0))
    engine.add_event_handler(Events.EPOCH_STARTED(once=2), lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        engine.run([0], max_epochs=3)

    assert (told(tmp_path)["finished"], told(tmp_path)["duration_s"]) == (False, 50.0)


def test_weights_that_a_training_starts_from_keep_their_checksum_though_it_replaces_them(tmp_path, monkeypatch):
    weights = tmp_path / "model.pt"
    weights.write_bytes(b"shipped")
    shipped = {"file": str(weights), "sha256": hashlib.sha256(b"shipped").hexdigest()}
    monkeypatch.setattr("islesnet.handlers.provenance.write_provenance", replaced_before(write_provenance, weights))

    run_as("first.py", tmp_path, monkeypatch, start_from=weights)
    assert told(tmp_path)["start_from"] == shipped
    run_as("second.py", tmp_path, monkeypatch, start_from=weights, resume=True)
    assert told(tmp_path)["start_from"] == shipped
    run_as("third.py", tmp_path, monkeypatch, start_from=False)
    assert told(tmp_path)["start_from"] is None


def replaced_before(write, weights):
    """Let a training's own weights be there by the time its provenance is written."""

    def replace_and_write(folder, **known):
        weights.write_bytes(b"trained")
        return write(folder, **known)

    return replace_and_write


def test_resume_that_is_no_switch_is_refused(tmp_path):
    with pytest.raises(InputError, match="write --resume True or --resume False"):
        Provenance(tmp_path, resume="yes")


def test_config_is_that_of_the_bundles_command_line(engine, tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"epochs": 1, "twice": "$@epochs * 2"}))
    config = ["--config_file", str(tmp_path / "config.yaml")]
    monkeypatch.setattr("sys.argv", ["/x/monai/bundle/__main__.py", "run", *config, "--epochs", "5"])
    Provenance(tmp_path).attach(engine)

    engine.run([0])

    assert told(tmp_path)["config"] == {"epochs": 5, "twice": "$@epochs * 2"}


def test_of_several_processes_one_writes(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("ignite.distributed.get_rank", lambda: 1)
    Provenance(tmp_path).attach(engine)

    engine.run([0])

    assert list(tmp_path.iterdir()) == []


def test_device_is_the_engine_s(engine, tmp_path):
    engine.state.device = torch.device("cpu")
    Provenance(tmp_path).attach(engine)

    engine.run([0])

    assert told(tmp_path)["device"] == "cpu"
