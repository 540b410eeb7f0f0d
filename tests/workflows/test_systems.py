import pytest
import yaml

from islesnet.errors import InputError
from tests.bundle.conftest import BUNDLE
from workflows.systems import PAPER_SYSTEMS, SYSTEMS, Pace, encoder_weights, systems_named


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_every_system_has_its_recipes_in_the_bundle(system):
    for recipe in (system.training_recipe, system.evaluation_recipe()):
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
    with pytest.raises(InputError, match="there is no system 'nnunet'; there are default, paper_dwi"):
        systems_named(["nnunet"])
    with pytest.raises(InputError, match="'default' is given twice"):
        systems_named(["default", "default"])


def test_phantoms_do_without_imagenet_weights_and_real_data_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    assert encoder_weights("imagenet", "phantom") is False
    assert encoder_weights("imagenet", "SISS2015_Training") == "imagenet"
    assert encoder_weights("none", "SISS2015_Training") is False
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "resnet50-11ad3fa6.pth").touch()
    assert encoder_weights("imagenet", "phantom") == "imagenet"
    assert encoder_weights(str(tmp_path / "own.pth"), "phantom") == str(tmp_path / "own.pth")
