import argparse
import json

import nibabel
import numpy as np
import pandas as pd
import pytest

from islesnet.data import read_volume
from islesnet.errors import InputError
from islesnet.metrics import NEIGHBOUR_SCORES
from islesnet.phantom import PhantomSettings, write_dataset
from workflows.datasets import open_patients
from workflows.paper_choices import Choices
from workflows.paper_split import Split
from workflows.reproduce_paper import main
from workflows.systems import SYSTEMS

DEFAULTS = {
    "data": "phantom",
    "systems": ["paper_dwi", "default"],
    "split": "patients",
    "grid": "native",
    "head": "softmax",
    "encoder": "frozen",
    "pretrained": "none",
    "epochs": None,
    "quick": False,
}


def choose(**options):
    return Choices.of(argparse.Namespace(**DEFAULTS | options))


def test_paper_s_choices_reach_the_paper_s_systems_alone():
    choices = choose(encoder="staged", head="sigmoid")

    paper, default = (choices.apply(SYSTEMS[name]) for name in ("paper_dwi", "default"))

    assert paper.in_training == {"pretrained": False, "encoder_training": "staged"}
    assert default.in_training == {"pretrained": False}
    assert paper.choices["head"] == default.choices["head"] == "sigmoid"


def test_random_encoder_and_quick_run_are_stamped_and_said(tmp_path):
    (tmp_path / "resnet50.pth").touch()
    assert choose().stamps == ("RANDOM ENCODER",)
    assert choose(pretrained=str(tmp_path / "resnet50.pth")).stamps == ()
    assert choose(systems=["default"]).stamps == ()
    quick = choose(quick=True)
    assert quick.stamps == ("RANDOM ENCODER", "QUICK")
    assert "learning rate of 0.01" in " ".join(quick.remarks)
    assert "learning rate" not in " ".join(choose(quick=True, systems=["default"]).remarks)


def test_epochs_asked_for_are_those_of_a_quick_run_too():
    quick = choose(quick=True, epochs=2)
    assert quick.pace.choices(20)["epochs"] == 2
    assert "2 epochs of about 10 steps" in " ".join(quick.remarks)
    longer = choose(epochs=7).apply(SYSTEMS["plain_unet"]).in_training
    assert longer == {"epochs": 7, "warmup_epochs": 1, "frozen_epochs": 2}
    with pytest.raises(InputError, match="--epochs is 0: 1 or more"):
        choose(epochs=0)


def test_split_by_slices_sees_each_slice_alone_and_has_no_volume():
    assert choose(split="slices").apply(SYSTEMS["paper_dwi"]).choices["context"] == 0
    with pytest.raises(InputError, match="there is no volume for the system 'volumetric'"):
        choose(split="slices", systems=["volumetric"])


def test_shipped_weights_are_refused_where_they_do_not_fit_before_anything_is_trained():
    with pytest.raises(InputError, match="shows each slice alone; 'fine_tuned' starts from weights that see three"):
        choose(split="slices", systems=["fine_tuned"])
    with pytest.raises(InputError, match="--head sigmoid: the weights that 'fine_tuned' starts from have a softmax"):
        choose(head="sigmoid", systems=["fine_tuned"])


def test_ways_to_train_the_paper_s_encoder_are_refused_where_they_change_nothing():
    with pytest.raises(InputError, match="--encoder staged opens the encoder after a first epoch; --epochs is 1"):
        choose(encoder="staged", epochs=1)
    with pytest.raises(InputError, match="--encoder finetune is for the paper's recipe, and none of the systems"):
        choose(encoder="finetune", systems=["default"])


def test_stacks_cut_from_other_patients_or_labels_are_not_taken_for_these(tmp_path):
    data = tmp_path / "patients"
    write_dataset(data, 2, seed=3, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    patients = open_patients(str(data), tmp_path, 6.0, 2, 0)
    Split.make(patients, "slices", (), 0, tmp_path)
    Split.make(patients, "slices", (), 0, tmp_path)

    label = patients.cases[0].label
    nibabel.save(nibabel.Nifti1Image(np.zeros(read_volume(label).array.shape, np.uint8), np.eye(4)), label)

    with pytest.raises(InputError, match="was begun with another choice of patients"):
        Split.make(patients, "slices", (), 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("split", ["patients", "slices"])
def test_quick_run_ends_in_the_paper_s_figures_with_its_stamps(tmp_path, split):
    data = tmp_path / "patients"
    write_dataset(data, 5, seed=3, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(20.0, 80.0)), workers=1)
    words = ["--data", data, "--out", tmp_path / "out", "--quick", "--epochs", 1, "--systems", "paper_dwi"]

    ended = main([str(word) for word in [*words, "--pretrained", "none", "--split", split]])

    assert ended == 0
    stamp = "PHANTOM RANDOM ENCODER QUICK" + (" LEAKY" if split == "slices" else "")
    scores = pd.read_csv(tmp_path / "out/scores.csv")
    assert set(scores["stamp"]) == {stamp}
    assert set(NEIGHBOUR_SCORES).isdisjoint(scores) == (split == "slices")
    assert json.loads((tmp_path / "out/provenance.json").read_text())["stamps"] == [
        *("PHANTOM", "RANDOM ENCODER", "QUICK"),
        *(["LEAKY"] if split == "slices" else []),
    ]
    assert all(word in (tmp_path / "out/report.html").read_text() for word in ("PHANTOM", "RANDOM ENCODER", "QUICK"))
    for picture in ("figure_2", "figure_8", "split", "training_curves", "comparison"):
        assert (tmp_path / "out/pictures" / f"{picture}.png").is_file(), picture
    page = (tmp_path / "out/report.html").read_text()
    assert ("By lesion size" in page) == (split == "patients")
    trained = json.loads((tmp_path / "out/systems/paper_dwi/experiment.json").read_text())
    assert trained["spacing"][2] == (6.0 if split == "slices" else 2.0)
    assert "Figure 2: the sequences" in page and "Figure 8: what the paper" in page
    assert "Steps of a training: paper_dwi 10." in page
