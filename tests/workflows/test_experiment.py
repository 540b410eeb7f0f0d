"""What an experiment remembers and refuses, without training anything."""

import shutil
from threading import Barrier, Lock

import pytest

from islesnet.data import find_cases, split_cases, write_datalist
from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, write_dataset
from workflows import experiment as module
from workflows.commands import CommandError
from workflows.experiment import Experiment, run_all
from workflows.systems import SYSTEMS


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siss")
    write_dataset(folder, 4, seed=1, settings=PhantomSettings(spacing_mm=8.0, volume_ml=(20.0, 80.0)), workers=1)
    write_datalist(folder / "datalist.json", split_cases(find_cases(folder), (0.5, 0.25, 0.25)), folder, {"seed": 0})
    return folder


@pytest.fixture
def commands(monkeypatch):
    """Record the bundle's commands, and do what they are waited for."""
    given = []

    def run_bundle(verb, *arguments, log, share):
        words = [str(word) for word in arguments]
        given.append((verb, dict(zip(words[::2], words[1::2], strict=True)), share))
        if verb == "evaluating":
            output = module.Path(given[-1][1]["--output_dir"])
            output.mkdir(parents=True)
            (output / "scores.csv").write_text("patient,dice\nNA,0.5\n")

    monkeypatch.setattr(module, "run_bundle", run_bundle)
    return given


def plan(dataset, folder, **options):
    return Experiment(folder, SYSTEMS["default"].small(), dataset, dataset / "datalist.json", **options)


def test_it_trains_resumably_then_scores_and_does_neither_twice(dataset, tmp_path, commands):
    experiment = plan(dataset, tmp_path / "run", seed=7, training={"epochs": 2})

    experiment.run()
    experiment.run()

    assert [verb for verb, _, _ in commands] == ["training", "evaluating"]
    training, evaluating = (options for _, options, _ in commands)
    assert training["--resume"] == "True"
    assert training["--seed"] == "7"
    assert training["--epochs"] == "2"
    assert training["--patch"] == "[96, 96, 4]"
    assert evaluating["--section"] == "test"
    assert evaluating["--spacing"] == "[2.0, 2.0, 2.0]"
    assert "--patch" not in evaluating
    assert experiment.scores()["patient"].tolist() == ["NA"]


def test_folder_begun_with_other_choices_is_refused_by_their_names(dataset, tmp_path, commands):
    plan(dataset, tmp_path / "run", training={"epochs": 2}).run()

    with pytest.raises(InputError, match="was begun with another choice of epochs, learning_rate "):
        plan(dataset, tmp_path / "run", training={"epochs": 3, "learning_rate": 0.1}).run()
    with pytest.raises(InputError, match="was begun with another choice of seed "):
        plan(dataset, tmp_path / "run", seed=1, training={"epochs": 2}).run()
    assert len(commands) == 2


def test_results_folder_that_was_moved_goes_on(dataset, tmp_path, commands):
    plan(dataset, tmp_path / "run", cache_dir=tmp_path / "cache").run()
    (tmp_path / "run").rename(tmp_path / "moved")

    plan(dataset, tmp_path / "moved", cache_dir=tmp_path / "elsewhere").run()

    assert len(commands) == 2


def test_label_corrected_after_the_scores_were_written_is_refused(dataset, tmp_path, commands):
    data = tmp_path / "data"
    shutil.copytree(dataset, data)
    plan(data, tmp_path / "run").run()
    plan(data, tmp_path / "run").run()
    label = find_cases(data)[0].label
    content = bytearray(label.read_bytes())
    content[-1] ^= 1  # of the same size
    label.write_bytes(content)

    with pytest.raises(InputError, match=r"another choice of files of \d+ "):
        plan(data, tmp_path / "run").run()


def test_none_is_run_where_one_of_their_folders_holds_another(dataset, tmp_path, commands):
    plan(dataset, tmp_path / "b", training={"epochs": 2}).run()
    commands.clear()

    with pytest.raises(InputError, match="another choice of epochs"):
        run_all([plan(dataset, tmp_path / name, training={"epochs": 3}) for name in ("a", "b")], [{}])

    assert not commands and not (tmp_path / "a").exists()


def test_one_that_fails_does_not_stop_the_others(dataset, tmp_path, commands, monkeypatch):
    working = module.run_bundle

    def failing(verb, *arguments, log, share):
        if "1" in log.parent.name:
            raise CommandError(["python"], 1, None)
        working(verb, *arguments, log=log, share=share)

    monkeypatch.setattr(module, "run_bundle", failing)
    failures = run_all([plan(dataset, tmp_path / "fold1"), plan(dataset, tmp_path / "fold2")], [{}])

    assert len(failures) == 1
    assert "fold1: `python ...` ended with 1" in failures[0]
    assert (tmp_path / "fold2" / "done.json").is_file()


def test_after_each_it_is_said_how_many_there_are_still_and_how_long_they_take(dataset, tmp_path, commands, capsys):
    experiments = [plan(dataset, tmp_path / name) for name in ("done", "second", "third")]
    experiments[0].run()
    capsys.readouterr()

    run_all(experiments, [{}])

    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Experiments")]
    assert [line.partition(",")[0] for line in told] == ["Experiments: 1 of 2", "Experiments: 2 of 2"]
    assert told[1].endswith("so far, about 0:00 left")


def test_as_many_are_at_work_as_there_are_shares_each_on_its_own(dataset, tmp_path, commands, monkeypatch):
    at_work, together = {"one": Lock(), "other": Lock()}, Barrier(2)
    recording = module.run_bundle

    def working(verb, *arguments, log, share):
        if verb == "training" and log.parent.name in "01":
            together.wait(timeout=10)  # one after the other would never meet
        assert at_work[share["PART"]].acquire(blocking=False)
        recording(verb, *arguments, log=log, share=share)
        at_work[share["PART"]].release()

    monkeypatch.setattr(module, "run_bundle", working)

    plans = [plan(dataset, tmp_path / str(number)) for number in range(6)]
    assert run_all(plans, [{"PART": part} for part in at_work]) == []

    assert len(commands) == 12


def test_no_training_ends_early_so_that_all_have_the_same_steps(dataset, tmp_path, commands):
    plan(dataset, tmp_path / "run", training={"epochs": 2}).run()

    assert int(commands[0][1]["--patience"]) > 10_000


def test_folder_begun_with_another_recipe_s_config_is_refused(dataset, tmp_path, commands, monkeypatch):
    plan(dataset, tmp_path / "run").run()
    monkeypatch.setattr(module, "recipe_checksum", lambda *recipes: "another")

    with pytest.raises(InputError, match="another choice of the bundle's configs"):
        plan(dataset, tmp_path / "run").run()


def test_folder_begun_from_other_weights_of_the_same_name_is_refused(dataset, tmp_path, commands):
    (tmp_path / "model.pt").write_bytes(b"weights")
    start = {"start_from": tmp_path / "model.pt"}
    plan(dataset, tmp_path / "run", training=start).run()
    (tmp_path / "model.pt").write_bytes(b"others")

    with pytest.raises(InputError, match="another choice of weights at the start"):
        plan(dataset, tmp_path / "run", training=start).run()


@pytest.mark.parametrize(("code", "is_advised"), [(-9, True), (1, False)])
def test_one_that_was_killed_is_advised_to_be_alone(dataset, tmp_path, monkeypatch, code, is_advised):
    def ending(verb, *arguments, log, share):
        raise CommandError(["python"], code, None)

    monkeypatch.setattr(module, "run_bundle", ending)

    (failure,) = run_all([plan(dataset, tmp_path / "fold1")], [{}])

    assert ("--at-once 1 needs less memory" in failure) == is_advised
