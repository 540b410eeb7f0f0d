import json
import re
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from torch.utils.tensorboard import SummaryWriter

from islesnet.data import find_cases, read_volume
from islesnet.errors import InputError
from islesnet.files import write_json
from islesnet.networks import read_operating_point
from islesnet.phantom import WideCohort, write_wide_dataset
from islesnet.provenance import write_provenance
from islesnet.trust.appearance import STATISTICS
from tests.phantom.conftest import write_ball
from workflows import phantom_cohort
from workflows.bundle_config import open_recipe
from workflows.claims import claim_folder
from workflows.phantom_cohort import TEST, VALIDATION, PhantomCohort, split
from workflows.train_default_model import main
from workflows.wide_training import (
    LEAST_STEPS,
    RECIPE,
    VALIDATIONS,
    WideTraining,
    seconds_of_validation,
    seconds_per_epoch,
    validation_interval,
)


@pytest.fixture
def tiny(monkeypatch):
    """Cohorts of which one patient validates, one tests, and all are coarse."""
    for name, value in (("VALIDATION", 1), ("TEST", 1), ("SPACING_MM", (6.0, 6.0))):
        monkeypatch.setattr(phantom_cohort, name, value)


@pytest.mark.parametrize("with_masks", [False, True])
def test_whether_a_phantom_has_a_skull_is_known_from_its_number(tmp_path, monkeypatch, with_masks):
    monkeypatch.setattr(phantom_cohort, "SPACING_MM", (5.0, 5.0))
    masks = tmp_path / "masks" if with_masks else None
    if masks:
        masks.mkdir()
        write_ball(masks / "ball.nii.gz", (40, -20, 20), 16)
    write_wide_dataset(tmp_path / "phantoms", WideCohort(4, 3, (5.0, 5.0), masks), workers=1)
    cases = find_cases(tmp_path / "phantoms")
    cohort = PhantomCohort(tmp_path / "phantoms", 45, seed=3, lesions=masks)

    told = [cohort.is_skull_stripped(case) for case in cases]
    heads_ml = [(read_volume(case.sequences["flair"]).array > 0).sum() * 0.125 for case in cases]
    assert told == [volume_ml < 1750 for volume_ml in heads_ml]
    assert set(told) == {True, False}


def test_nobody_is_in_two_sections():
    sections = split(range(VALIDATION + TEST + 10))

    everybody = [case for section in sections.values() for case in section]
    assert sorted(everybody) == list(range(VALIDATION + TEST + 10))
    assert [len(section) for section in sections.values()] == [10, VALIDATION, TEST]


def test_cohort_without_anybody_to_train_on_is_refused_before_anything_is_written(tmp_path, capsys):
    code = main(["--out", str(tmp_path / "out"), "--patients", str(VALIDATION + TEST)])

    assert code == 1
    assert "--patients is 44: 44 validate and test" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_folder_begun_with_another_seed_is_refused_before_its_phantoms_are_taken_for_these(tmp_path, capsys):
    cohort, training = PhantomCohort(tmp_path / "phantoms", 60, seed=4), WideTraining(tmp_path, tmp_path, 5.0, seed=4)
    claim_folder(tmp_path, "begun_with.json", training.decisive() | cohort.decisive())

    code = main(["--out", str(tmp_path), "--patients", "60", "--minutes", "5", "--seed", "5"])

    assert code == 1
    assert "was begun with another choice of training_seed, seed" in capsys.readouterr().err
    assert not (tmp_path / "phantoms").exists()


def test_training_begun_on_a_cpu_is_not_gone_on_with_by_the_recipe_of_a_gpu(tmp_path, monkeypatch):
    training = WideTraining(tmp_path, tmp_path, 5.0, seed=4)
    claim_folder(tmp_path, "recipe.json", {"recipe": RECIPE})
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)

    with pytest.raises(InputError, match="another choice of recipe"):
        training.run()

    (tmp_path / "trained.json").touch()
    training.run()  # what is trained may be measured anywhere


def test_phantoms_shared_between_runs_are_refused_where_they_were_drawn_in_another_way(tmp_path, tiny):
    wide = PhantomCohort(tmp_path, 3, seed=0).make()

    again = PhantomCohort(tmp_path, 3, seed=0).make()
    with pytest.raises(InputError, match=r"another choice of narrow .* with --phantoms"):
        PhantomCohort(tmp_path, 3, seed=0, narrow=True).make()

    assert [case.patient for case in again.cases] == [case.patient for case in wide.cases] == ["1", "2", "3"]


def test_phantoms_whose_validation_and_test_shared_masks_are_not_gone_on_with(tmp_path):
    cohort = PhantomCohort(tmp_path / "phantoms", 60, seed=4, lesions=tmp_path)
    cohort.claim()
    note = tmp_path / "phantoms" / "drawn_with.json"
    earlier = json.loads(note.read_text())
    del earlier["mask_parts"]
    note.write_text(json.dumps(earlier))

    with pytest.raises(InputError, match="another choice of mask_parts"):
        cohort.claim()


def test_phantoms_that_another_code_drew_are_not_gone_on_with(tmp_path, monkeypatch):
    cohort = PhantomCohort(tmp_path, 60, seed=4)
    cohort.claim()
    cohort.claim()
    monkeypatch.setattr(phantom_cohort, "code_checksum", lambda: "of another version")

    with pytest.raises(InputError, match=r"another choice of code of islesnet\.phantom .* with --phantoms"):
        cohort.claim()


def test_sections_are_those_that_the_masks_were_parted_for(tiny):
    cohort = PhantomCohort(Path("phantoms"), 4, seed=0)

    of_sections = {
        section: {cohort.drawn.mask_part_of(number) for number in numbers}
        for section, numbers in phantom_cohort.split([1, 2, 3, 4]).items()
    }

    assert of_sections == {section: {section} for section in ("training", "validation", "test")}


def test_shared_phantoms_of_another_kind_leave_the_folder_for_results_unclaimed(tmp_path, tiny, capsys):
    PhantomCohort(tmp_path / "phantoms", 3, seed=0).make()
    asked = ["--phantoms", str(tmp_path / "phantoms"), "--out", str(tmp_path / "out"), "--patients", "3", "--seed", "0"]

    assert main([*asked, "--narrow"]) == 1
    assert "another choice of narrow" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_phantoms_that_nobody_says_how_they_were_drawn_are_refused(tmp_path, tiny):
    write_wide_dataset(tmp_path, WideCohort(3, spacing_mm=(6.0, 6.0)), workers=1)

    with pytest.raises(InputError, match=r"holds patients, but no drawn_with\.json"):
        PhantomCohort(tmp_path, 3, seed=0).make()


@pytest.mark.parametrize("epochs", range(1, 30))
def test_last_epoch_is_validated_and_few_others(epochs):
    assert epochs % validation_interval(epochs) == 0
    assert 1 <= epochs // validation_interval(epochs) <= VALIDATIONS


def write_steps(folder, began, steps, seconds=2.0, compiling=60.0):
    """Write the event file of one run of the first epoch, whose second step is slow."""
    with SummaryWriter(folder) as writer:
        for step in range(1, steps + 1):
            waited = compiling if step > 1 else 0
            writer.add_scalar("loss", 0.5, step, walltime=began + waited + seconds * step)


def write_validation(folder, ended):
    with SummaryWriter(folder) as writer:
        writer.add_scalar("val_mean_dice", 0.2, 1, walltime=ended)


def test_validation_is_as_long_as_the_time_from_the_last_step_to_its_end(tmp_path):
    write_steps(tmp_path, began=1e9, steps=20)
    write_validation(tmp_path, ended=1e9 + 100 + 31)  # 60 s of compiling and 40 of steps before
    write_steps(tmp_path, began=1e9 + 3600, steps=3)

    assert seconds_of_validation(tmp_path) == pytest.approx(31)


@pytest.mark.parametrize("cut_short_after", [[], [11], [19], [3, 15], [15, 3]])
def test_interrupted_first_epoch_is_as_long_as_one_that_was_not(tmp_path, cut_short_after):
    for run, steps in enumerate(cut_short_after):
        write_steps(tmp_path, began=1e9 + 3600 * run, steps=steps)
    write_steps(tmp_path, began=1e9 + 3600 * len(cut_short_after), steps=20)

    assert seconds_per_epoch(tmp_path) == pytest.approx(40)


def test_first_epoch_that_ended_before_the_interruption_is_measured_too(tmp_path):
    write_steps(tmp_path, began=1e9, steps=20)
    write_steps(tmp_path, began=1e9 + 3600, steps=0)  # resumed, with nothing left to do

    assert seconds_per_epoch(tmp_path) == pytest.approx(40)


@pytest.mark.parametrize("patients", [1, 6, 11, 12, 24])
def test_first_epoch_has_steps_to_measure_a_pace_on_whatever_the_number_of_patients(tmp_path, patients):
    training = WideTraining(tmp_path, tmp_path, 5.0, seed=4)
    write_training_part(training, patients)

    choices = {**training._choices(epochs=1), "compile_network": False, "device": "cpu"}
    loader = open_recipe(RECIPE, choices).get_parsed_content("train::dataloader")

    assert len(loader) >= LEAST_STEPS
    assert choices["visits"] == 1 or patients < 24


def write_training_part(training, patients):
    """Write a datalist of so many training patients, whose scans nobody opens."""
    for number in range(patients):
        (training.dataset_dir / str(number)).mkdir(parents=True)
        (training.dataset_dir / str(number) / "dwi.nii.gz").touch()
    items = [{"patient": str(number), "dwi": f"{number}/dwi.nii.gz"} for number in range(patients)]
    write_json(training.datalist, {"training": items})


def test_epochs_asked_for_are_trained_without_a_look_at_the_time(tmp_path, monkeypatch):
    trained = []
    monkeypatch.setattr("workflows.wide_training.fill_cache", lambda *_: None)
    monkeypatch.setattr(WideTraining, "_train", lambda self, epochs: trained.append(epochs))

    training = WideTraining(tmp_path / "out", tmp_path / "phantoms", 5.0, seed=4, epochs=7)
    write_training_part(training, patients=3)

    training.run()

    assert trained == [7]


@pytest.mark.parametrize(
    ("option", "value", "right"),
    [
        ("--epochs", "0", "a whole number of 1 or more"),
        ("--minutes", "nan", "a number from 0 to 100000"),
        ("--minutes", "inf", "a number from 0 to 100000"),
        ("--seed", "-1", "a whole number of 0 or more"),
        ("--training-seed", "-1", "a whole number of 0 or more"),
    ],
)
def test_number_that_no_training_could_do_with_is_refused_before_phantoms_are_made(
    tmp_path, capsys, option, value, right
):
    assert main(["--out", str(tmp_path), option, value]) == 1
    said = capsys.readouterr().err
    assert f"{option} is {value}; it must be {right}." in said
    assert not list(tmp_path.iterdir())


class KnowingPredictor:
    """In place of a trained network: it knows the truth, and doubts it a little."""

    def __init__(self, weights, choices):
        assert weights.is_file()
        self.bias_correction = choices["bias_correction"]

    def describe(self, cases):
        return [{"dwi": dict.fromkeys(STATISTICS, float(number))} for number in range(10)]

    def predict(self, case, subsets):
        volume = read_volume(case.label)
        truth = MetaTensor(torch.as_tensor(volume.array[None] > 0.5).float(), affine=torch.eye(4) * 6)
        doubt = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
        probability = torch.sigmoid(6 * truth.as_tensor() - 4 + doubt)
        for subset in subsets:
            yield subset, MetaTensor(probability, meta=truth.meta), truth


@pytest.fixture
def light(monkeypatch, tiny):
    """The heavy parts replaced; gives the numbers of epochs that trainings were asked for."""
    asked = []

    def train(training, epochs):
        asked.append(epochs)
        models = training.out / "models"
        models.mkdir(exist_ok=True)
        torch.save({"weight": torch.ones(2, 2)}, models / "model.pt")
        torch.save({"iteration": 20 * epochs}, models / "last.pt")
        write_steps(training.out / "training" / "tensorboard", began=1e9, steps=20)
        write_validation(training.out / "training" / "tensorboard", ended=1e9 + 100 + 25)
        write_provenance(training.out / "training", began=time.time() - 90)

    monkeypatch.setattr("workflows.wide_training.fill_cache", lambda *_: None)
    monkeypatch.setattr(WideTraining, "_train", train)
    monkeypatch.setattr("workflows.train_default_model.SubsetPredictor", KnowingPredictor)
    monkeypatch.setattr("workflows.train_default_model.choose_threshold", lambda *_, **__: 2.0)
    real = pd.DataFrame({"patient": ["anna"], "sequences": ["dwi"], "dice": [0.5], "predicted_ml": [3.0]})
    monkeypatch.setattr("workflows.train_default_model.score_real_patients", lambda *_: real)
    return asked


def test_default_model_is_made_from_phantoms_to_tables_and_then_only_measured_again(tmp_path, light):
    words = ["--out", str(tmp_path), "--patients", "3", "--minutes", "5", "--real", str(tmp_path)]

    codes = [main(words), main(words)]

    assert codes == [0, 0]
    assert light == [1, 4]  # an epoch of 40 s to measure the pace: five, less four validations of 25 s; then nothing
    assert {path.name for path in tmp_path.iterdir()} >= {
        "model.pt",
        "model.pt.sha256",
        "model_appearance.json",
        "model_operating_point.json",
        "model_subsets.json",
        "reliability.png",
    }
    assert read_operating_point(tmp_path / "model.pt").bias_correction
    assert len(pd.read_csv(tmp_path / "subsets.csv")) == 15
    assert pd.read_csv(tmp_path / "real.csv")["dice"].tolist() == [0.5]
    tables = (tmp_path / "card_tables.md").read_text()
    assert "- Training: 4 epochs, 80 steps, " in tables and "- Seeds: phantoms 4, training 4\n" in tables
    assert "| anna | dwi | 0.500 | 3.00 |" in tables and "| dwi+t1+t2+flair | " in tables
    sections = json.loads((tmp_path / "datalist.json").read_text())
    assert [len(sections[section]) for section in ("training", "validation", "test")] == [1, 1, 1]


def test_length_of_the_training_is_told_in_words(tmp_path, light):
    main(["--out", str(tmp_path), "--patients", "3", "--epochs", "7"])

    assert re.match("7 epochs, 140 steps, [12] minutes on .+", WideTraining(tmp_path, tmp_path, 5.0, seed=4).in_words())
