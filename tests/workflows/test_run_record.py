import json

import pytest

from islesnet.provenance import write_provenance
from workflows.experiment import Experiment
from workflows.run_record import devices_used, say_steps, total_duration_s
from workflows.systems import SYSTEMS

BUNDLE_RUN = "python -m monai.bundle run evaluating"


def test_time_of_all_commands_is_the_sum_of_every_run_of_each(tmp_path):
    for name, earlier in (("fold_1/training", [100.0, None]), ("fold_1/evaluation", []), ("fold_2/training", [7.0])):
        commands = [{"duration_s": seconds, "command": BUNDLE_RUN} for seconds in earlier]
        (tmp_path / name).mkdir(parents=True)
        content = {"duration_s": 10.0, "command": BUNDLE_RUN, "earlier": commands}
        (tmp_path / name / "provenance.json").write_text(json.dumps(content))
    # The workflow's own, of the whole and of its ensemble.
    for folder in (tmp_path, tmp_path / "ensemble"):
        folder.mkdir(exist_ok=True)
        own = {"duration_s": 1000.0, "command": "python -m workflows.cross_validate"}
        (folder / "provenance.json").write_text(json.dumps(own))

    assert total_duration_s(tmp_path) == 100 + 7 + 3 * 10


def test_devices_of_all_commands_are_named_once(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.orig_argv", BUNDLE_RUN.split())
    assert devices_used(tmp_path) is None
    for name, device in (("a", "cuda:1"), ("b", "cpu"), ("c", "cpu"), ("d", None)):
        write_provenance(tmp_path / name, began=0.0, device=device)

    assert devices_used(tmp_path) == "cpu, cuda:1"


@pytest.mark.parametrize(("steps", "is_said"), [((80, 80), False), ((80, 40), True)])
def test_unequal_steps_are_said_to_be_unequal(tmp_path, steps, is_said):
    done = {}
    for name, count in zip(("default", "plain_unet"), steps, strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trained.json").write_text(json.dumps({"steps": count}))
        done[name] = [Experiment(tmp_path / name, SYSTEMS[name], tmp_path, tmp_path / "datalist.json")]

    told = say_steps(done)

    assert f"default {steps[0]}, plain_unet {steps[1]}." in told
    assert ("Unequal" in told) == is_said


@pytest.mark.parametrize(
    ("steps", "told"), [((80, 80), "default 80."), ((90, 80), "default 80 to 90."), ((80, None), "default not known.")]
)
def test_steps_of_the_folds_are_said_by_the_fewest_and_the_most(tmp_path, steps, told):
    folds = []
    for number, count in enumerate(steps):
        folds.append(Experiment(tmp_path / str(number), SYSTEMS["default"], tmp_path, tmp_path / "datalist.json"))
        folds[-1].folder.mkdir()
        (folds[-1].folder / "trained.json").write_text(json.dumps({"steps": count}))

    assert told in say_steps({"default": folds})
