"""Training as users run it: what it writes, that it resumes exactly, and that two processes do it together."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from islesnet.errors import input_error_behind
from islesnet.networks import has_fast_bfloat16
from tests.bundle.conftest import BUNDLE, TINY, bundle_command, open_recipe, run_bundle

TWO_PROCESSES = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    # The same sums in the same order, whatever the machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(threads)


def train(dataset, folder, recipe="training", **overrides):
    """Train in this process, which is quicker than a new one."""
    places = {"dataset_dir": str(dataset), "output_dir": str(folder), "ckpt_dir": str(folder / "models")}
    workflow = open_recipe(recipe, "training", **{**TINY, **places, "warmup_epochs": 1, **overrides})
    workflow.initialize()
    workflow.run()
    return workflow


def state(folder):
    return torch.load(folder / "models" / "last.pt", weights_only=True)


def assert_same_weights(one, other):
    ones, others = state(one)["objects"]["network"], state(other)["objects"]["network"]
    assert ones.keys() == others.keys()
    for name, value in ones.items():
        assert torch.equal(value, others[name]), name


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    """Two epochs, in one go."""
    folder = tmp_path_factory.mktemp("trained")
    train(dataset, folder, epochs=2)
    return folder


@pytest.mark.slow
def test_event_files_hold_the_scalars_and_the_outlined_pictures(trained):
    events = EventAccumulator(str(trained / "tensorboard"))
    events.Reload()

    scalars = {"loss", "learning_rate"} | {
        f"val_{name}" for name in ("mean_dice", "sensitivity", "specificity", "precision", "accuracy")
    }
    assert scalars <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("val_mean_dice")] == [1, 2]
    pictures = [tag for tag in events.Tags()["images"] if tag.startswith("outlines/")]
    assert pictures
    assert events.Images(pictures[0])[0].encoded_image_string.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("resume", "shown"),
    [
        (True, {"loss": [1, 2, 3, 4, 50, 60, 70], "val_mean_dice": [0.5]}),
        (False, {"loss": [50, 60, 70], "val_mean_dice": []}),  # an earlier training's are no part of a new one's
    ],
)
def test_curves_show_every_step_once_though_a_killed_epoch_runs_again(resume, shown, tmp_path):
    torch.save({"iteration": 4}, tmp_path / "last.pt")
    places = {"ckpt_dir": str(tmp_path), "tensorboard_dir": str(tmp_path / "curves"), "resume": resume}
    with SummaryWriter(places["tensorboard_dir"]) as killed:
        for step in (1, 2, 3, 4, 5, 6):
            killed.add_scalar("loss", step, step)
        killed.add_scalar("val_mean_dice", 0.5, 2)

    with open_recipe("training", "training", **places).parser.get_parsed_content("writer") as now:
        for step in (5, 6, 7):
            now.add_scalar("loss", 10 * step, step)

    events = EventAccumulator(places["tensorboard_dir"])
    events.Reload()
    assert {tag: [told.value for told in events.Scalars(tag)] for tag in events.Tags()["scalars"]} == shown


@pytest.mark.slow
def test_best_weights_are_a_plain_state_dict_that_every_client_loads(trained):
    weights = torch.load(trained / "models" / "model.pt", weights_only=True)

    network = open_recipe("inference", "inference").parser.get_parsed_content("network_def")
    network.load_state_dict(weights)


@pytest.mark.slow
def test_more_epochs_can_be_added_to_a_finished_training(trained, dataset, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/last.pt").write_bytes((trained / "models/last.pt").read_bytes())

    workflow = train(dataset, tmp_path, epochs=3, resume=True)

    assert state(tmp_path)["epoch"] == 3
    rates = workflow.parser.get_parsed_content("lr_scheduler").get_last_lr()
    assert rates[0] == pytest.approx(0.0, abs=1e-6)  # the schedule of three epochs, at its end


@pytest.mark.slow
def test_finished_training_that_is_resumed_ends_at_once_and_changes_nothing(trained, dataset, tmp_path):
    (tmp_path / "models").mkdir()
    for name in ("last.pt", "model.pt"):
        (tmp_path / "models" / name).write_bytes((trained / "models" / name).read_bytes())

    train(dataset, tmp_path, epochs=2, resume=True)

    assert state(tmp_path)["epoch"] == 2
    assert_same_weights(trained, tmp_path)
    assert (tmp_path / "models/model.pt").read_bytes() == (trained / "models/model.pt").read_bytes()


@pytest.mark.slow
def test_training_is_not_resumed_with_another_choice_and_other_patients(trained, dataset, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/last.pt").write_bytes((trained / "models/last.pt").read_bytes())
    content = json.loads((dataset / "datalist.json").read_text())
    patients = len(content["training"])
    del content["training"][0]
    (tmp_path / "datalist.json").write_text(json.dumps(content))

    with pytest.raises(Exception) as caught:
        train(dataset, tmp_path, epochs=3, resume=True, seed=1, datalist=str(tmp_path / "datalist.json"))

    said = f"(seed was 0 and is 1; of {patients} training patients 1 left, and 0 joined)"
    assert said in str(input_error_behind(caught.value))


@pytest.mark.slow
def test_new_training_sets_an_earlier_state_aside(dataset, tmp_path):
    train(dataset, tmp_path, epochs=1)

    train(dataset, tmp_path, epochs=1, seed=1)

    train(dataset, tmp_path, epochs=1, seed=2)

    for number in (1, 2):
        aside = {path.name for path in (tmp_path / f"models/earlier_{number}").iterdir()}
        assert aside == {"last.pt", "model.pt", "model_trained_with.json"}


@pytest.mark.slow
@pytest.mark.timeout(900)  # two threads beside another busy process are five times as slow
@pytest.mark.parametrize(("threads", "bfloat16"), [("1", False), ("2", has_fast_bfloat16())])
def test_killed_training_reaches_the_weights_of_one_that_was_not(threads, bfloat16, dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")  # a thread that waits leaves its core to what else is at work
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    settings = {**TINY, "cpu_bfloat16": bfloat16, "dataset_dir": dataset, "epochs": 3, "visits": 4, "warmup_epochs": 1}
    in_straight = {"output_dir": straight, "ckpt_dir": straight / "models"}
    in_killed = {"output_dir": killed, "ckpt_dir": killed / "models"}
    run = run_bundle("training", "training", **settings, **in_straight, seconds=400)
    assert run.returncode == 0, run.stderr[-2000:]

    process = subprocess.Popen(
        bundle_command("training", "training", **settings, **in_killed),
        cwd=BUNDLE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (killed / "models" / "last.pt").exists():
        assert process.poll() is None, "training ended before it could be killed"
        time.sleep(0.02)
    time.sleep(0.3)  # into the second epoch
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert state(killed)["epoch"] < 3
    resumed = run_bundle("training", "training", **settings, **in_killed, seconds=400, resume=True)

    assert resumed.returncode == 0, resumed.stderr[-2000:]
    assert "Resumed" in resumed.stderr
    assert_same_weights(straight, killed)
    told = json.loads((killed / "provenance.json").read_text())
    assert [told["finished"], *(command["finished"] for command in told["earlier"])] == [True, False]


@pytest.mark.slow
def test_two_processes_train_one_network(dataset, tmp_path):
    places = {"dataset_dir": dataset, "output_dir": tmp_path, "ckpt_dir": tmp_path / "models"}

    run = run_bundle("training", "training_multi_gpu", TWO_PROCESSES, **TINY, **places, epochs=1)

    assert run.returncode == 0, run.stderr[-3000:]
    assert (tmp_path / "models" / "model.pt").exists()
    assert state(tmp_path)["epoch"] == 1


@pytest.mark.slow
def test_two_processes_on_one_validation_patient_are_refused_in_one_sentence(dataset, tmp_path):
    content = json.loads((dataset / "datalist.json").read_text())
    del content["validation"][1:]
    (tmp_path / "datalist.json").write_text(json.dumps(content))
    places = {"dataset_dir": dataset, "output_dir": tmp_path / "out", "ckpt_dir": tmp_path / "models"}

    run = run_bundle("training", "training_multi_gpu", TWO_PROCESSES, **places, datalist=tmp_path / "datalist.json")

    assert run.returncode != 0
    (said,) = re.findall(r"islesnet: (.*)", run.stderr)
    assert "1 validation patient cannot be shared by 2 processes" in said
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "overrides"),
    [
        ("training_paper", {"pretrained": None, "spacing": TINY["spacing"]}),
        ("training_volumetric", {"patch": [32, 32, 32], "window": [64, 64, 64]}),
    ],
)
def test_recipe_trains(recipe, overrides, dataset, tmp_path):
    train(dataset, tmp_path, recipe, epochs=1, **overrides)

    assert (tmp_path / "models" / "model.pt").exists()


@pytest.mark.slow
def test_wide_training_keeps_the_mean_of_its_weights_and_goes_on_with_it(dataset, tmp_path):
    choices = {"epochs": 1, "averaging": 0.25, "described_patients": 0}
    train(dataset, tmp_path, "training_wide", **choices, visits=6)
    kept, saved = torch.load(tmp_path / "models" / "model.pt", weights_only=True), state(tmp_path)["objects"]

    assert kept.keys() == saved["network"].keys()
    assert saved["begun_with"]["choices"]["averaging"] == 0.25
    name = "network.head.weight"
    assert torch.equal(kept[name], saved["averaged"][f"module.{name}"])
    assert not torch.equal(kept[name], saved["network"][name])

    resumed = train(dataset, tmp_path, "training_wide", **choices, visits=6, resume=True)

    assert torch.equal(resumed.parser.get_parsed_content("kept_network").state_dict()[name], kept[name])


@pytest.mark.slow
def test_staged_encoder_is_frozen_first_and_learns_later(dataset, tmp_path):
    workflow = train(dataset, tmp_path, epochs=1, encoder_training="staged", frozen_epochs=1)
    before = workflow.parser.get_parsed_content("resnet50_unet").encoder.state_dict()["layer1.0.conv1.weight"].clone()

    resumed = train(dataset, tmp_path, epochs=2, encoder_training="staged", frozen_epochs=1, resume=True)

    after = resumed.parser.get_parsed_content("resnet50_unet").encoder.state_dict()["layer1.0.conv1.weight"]
    assert not torch.equal(before, after)


@pytest.mark.slow
def test_provenance_of_a_training_names_what_it_learnt_from_and_the_weights_it_made(trained, dataset):
    told = json.loads((trained / "provenance.json").read_text())

    patients = json.loads((dataset / "datalist.json").read_text())
    assert told["finished"] is True
    assert told["seeds"] == 0
    assert told["stamps"] == ["PHANTOM"]
    assert told["split"] == {
        section: [entry["patient"] for entry in patients[section]] for section in ("training", "validation")
    }
    weights = (trained / "models/model.pt").read_bytes()
    assert told["weights"][0]["sha256"] == hashlib.sha256(weights).hexdigest()
    assert told["datalist"]["sha256"] == hashlib.sha256((dataset / "datalist.json").read_bytes()).hexdigest()
