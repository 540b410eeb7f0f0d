import hashlib

import pytest
import torch
import yaml

from islesnet.errors import InputError
from islesnet.networks import ResNet50Encoder
from tests.bundle.conftest import BUNDLE
from workflows import systems as systems_module
from workflows.systems import (
    PAPER_SYSTEMS,
    SYSTEMS,
    Pace,
    encoder_weights,
    require_ensemble_recipe,
    say_encoders,
    say_pace,
    start_encoders,
    systems_named,
)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_has_its_recipes_in_the_bundle(system):
    ensemble = system.ensemble_recipe
    used = (ensemble, ensemble.replace("evaluate", "inference"))
    for recipe in (system.training_recipe, *map(system.evaluation_recipe, ("native", "network")), *used):
        for config in yaml.safe_load((BUNDLE / recipe).read_text())["config_file"]:
            assert (BUNDLE / config).is_file()


def test_paper_has_a_system_for_each_sequence_and_one_for_all():
    assert PAPER_SYSTEMS == ("paper_dwi", "paper_t1", "paper_t2", "paper_flair", "paper_all")
    assert SYSTEMS["paper_t2"].choices["sequence"] == "t2"


def test_slab_size_is_a_choice_of_training_alone():
    small = SYSTEMS["default"].small()
    assert small.choices == {"spacing": [2.0, 2.0, 2.0]}
    assert small.in_training == {"patch": [96, 96, 4]}


@pytest.mark.parametrize("patients", [5, 20, 28, 34])
def test_every_system_is_trained_in_the_same_number_of_steps_near_the_one_asked_for(patients):
    choices = Pace(epochs=4, steps_per_epoch=75, patients_per_step=4).choices(patients)
    steps = choices["visits"] * patients // choices["batch_patients"]
    assert steps == pytest.approx(75, rel=0.1)
    assert choices["epochs"] == 4


def test_unknown_system_and_one_given_twice_are_refused():
    with pytest.raises(InputError, match="there is no system 'nnunet'; there are default, fine_tuned, paper_dwi"):
        systems_named(["nnunet"])
    for recipe in ("paper", ""):  # of systems that there are, under other names
        with pytest.raises(InputError, match=f"there is no system '{recipe}'"):
            systems_named([recipe])
    with pytest.raises(InputError, match="'default' is given twice"):
        systems_named(["default", "default"])


def test_recipes_that_a_user_adds_are_a_system(tmp_path, monkeypatch):
    monkeypatch.setattr(systems_module, "BUNDLE", tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/training_mine.yaml").touch()
    with pytest.raises(InputError, match=r"one of your own needs recipes/evaluate_mine\.yaml"):
        systems_named(["mine"])
    (tmp_path / "recipes/evaluate_mine.yaml").touch()

    (mine,) = systems_named(["mine"])
    with pytest.raises(
        InputError, match=r"the ensemble of 'mine' is scored, which needs recipes/evaluate_mine_ensemble"
    ):
        require_ensemble_recipe(mine)

    assert (mine.name, mine.training_recipe) == ("mine", "recipes/training_mine.yaml")
    assert mine.evaluation_recipe() == "recipes/evaluate_mine.yaml"


def test_without_a_word_phantoms_start_from_random_weights_and_people_from_imagenet_s(tmp_path):
    assert encoder_weights(None, "phantom", ["default"]) is False
    assert encoder_weights(None, "SISS2015_Training", ["default"]) == "imagenet"
    assert encoder_weights("imagenet", "phantom", ["default"]) == "imagenet"
    assert encoder_weights("none", "SISS2015_Training", ["default"]) is False
    (tmp_path / "own.pth").touch()
    assert encoder_weights(str(tmp_path / "own.pth"), "phantom", ["default"]) == str(tmp_path / "own.pth")
    with pytest.raises(InputError, match="there is no such file"):
        encoder_weights(str(tmp_path / "absent.pth"), "phantom", ["default"])
    with pytest.raises(InputError, match="--pretrained imagenet: none of the systems"):
        encoder_weights("imagenet", "phantom", ["plain_unet", "volumetric", "fine_tuned"])


def test_every_plane_resnet50_starts_from_the_same_weights_and_the_others_from_their_own(tmp_path):
    systems = systems_named(["default", "paper_dwi", "plain_unet", "volumetric", "fine_tuned"])
    weights = str(tmp_path / "resnet50.pth")
    torch.save(ResNet50Encoder().state_dict(), weights)

    default, paper, plain, volumetric, fine_tuned = start_encoders(systems, weights, "staged")

    assert default.in_training == {"pretrained": weights}
    assert paper.in_training == {"pretrained": weights, "encoder_training": "staged"}
    assert plain.in_training == volumetric.in_training == {}
    assert (BUNDLE / fine_tuned.in_training["start_from"]).is_file()


def test_weights_of_no_resnet50_are_refused_before_anything_is_trained(tmp_path):
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "own.pth")

    with pytest.raises(InputError, match=r"own\.pth is no ResNet50"):
        start_encoders(systems_named(["default"]), str(tmp_path / "own.pth"))
    start_encoders(systems_named(["plain_unet"]), str(tmp_path / "own.pth"))


def test_what_encoders_start_from_is_said_of_the_default_too():
    said, stamps = say_encoders(systems_named(["default", "plain_unet"]), False)

    assert "default's encoder is fine-tuned, from random weights" in said
    assert stamps == ()
    assert say_encoders(systems_named(["plain_unet"]), False) == ("", ())


@pytest.mark.parametrize(("epochs", "frozen"), [(1, 0), (2, 1), (4, 1), (12, 4), (100, 10)])
def test_staged_encoder_opens_in_a_short_training_too(epochs, frozen):
    assert Pace(epochs, steps_per_epoch=20).choices(20)["frozen_epochs"] == frozen < epochs


def test_slabs_of_a_short_training_are_said_of_each_system_where_they_differ():
    default, plain, paper = (SYSTEMS[name].small() for name in ("default", "plain_unet", "paper_dwi"))

    assert "4 slabs (96 x 96 x 4 voxels of 2.0 x 2.0 x 2.0 mm)" in say_pace(Pace(4, 75), [default, plain])
    assert "paper_dwi: 128 x 128 x 4 voxels of 1.8 x 1.8 x 2.0 mm" in say_pace(Pace(4, 75), [default, paper])
    assert "(default, plain_unet: 96 x" in say_pace(Pace(4, 75), [default, paper, plain])


@pytest.mark.parametrize("name", ["default", "paper_dwi"])
def test_on_slices_the_grid_s_are_as_thick(name):
    x, y, z = SYSTEMS[name].on_slices_of(3.0).spacing

    assert (x, y, z) == ((1.5, 1.5, 3.0) if name == "default" else (1.8, 1.8, 3.0))
    assert SYSTEMS[name].small().on_slices_of(3.0).spacing[0] == SYSTEMS[name].small().spacing[0]


def test_a_user_s_own_weights_in_the_place_of_the_shipped_are_not_started_from(tmp_path, monkeypatch):
    monkeypatch.setattr("workflows.systems.BUNDLE", tmp_path)
    (tmp_path / "models").mkdir()
    shipped, checksum = tmp_path / "models/model.pt", tmp_path / "models/model.pt.sha256"
    shipped.write_bytes(b"weights")

    with pytest.raises(
        InputError, match=r"shipped weights, but .*model\.pt with its model\.pt\.sha256 is not there"
    ):  # a training set the checksum aside
        start_encoders(systems_named(["fine_tuned"]), False)
    checksum.write_text(f"{hashlib.sha256(b'others').hexdigest()}  model.pt\n")
    with pytest.raises(InputError, match=r"are not those that model\.pt\.sha256 was made of"):
        start_encoders(systems_named(["fine_tuned"]), False)
    checksum.write_text(f"{hashlib.sha256(b'weights').hexdigest()}  model.pt\n")
    assert len(start_encoders(systems_named(["fine_tuned"]), False)) == 1
