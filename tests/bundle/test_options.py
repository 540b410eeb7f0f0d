"""What the command line says of an option's wrong value: one sentence, before any patient is read."""

import pytest

from islesnet.errors import input_error_behind
from tests.bundle.conftest import open_recipe, run_bundle

PATH = "a path, a name of digits as in --{} ./2024."
THREE = 'as in --{} "[a, b, c]"'
FOR_BOTH = [
    ("output_dir", True, PATH.format("output_dir")),
    ("checkpoint", 7, PATH.format("checkpoint")),
    ("sequences", "dwi", "a list of different ones among dwi, t1, t2, flair, as in --sequences"),
    ("sequences", ["dwi", "flare"], "a list of different ones among dwi"),
    ("reference_order", ["dwi", "dwi"], "a list of different ones among dwi"),
    ("spacing", 2.0, "3 numbers of 0.1 or more, " + THREE.format("spacing") + "."),
    ("spacing", [2.0, 2.0], "3 numbers of 0.1 or more"),
    ("spacing", [2.0, 2.0, 0], "3 numbers of 0.1 or more"),
    ("spacing", "fine", "3 numbers of 0.1 or more"),
    ("context", "abc", "a whole number of 0 or more."),
    ("context", -1, "a whole number of 0 or more."),
    ("window", [64, 64], "a whole number of -1 or more or 3 whole numbers of -1 or more, " + THREE.format("window")),
    ("window", [64, 64, 8.5], "a whole number of -1 or more or 3"),
    ("overlap", 1, "a number from 0 to 0.99 or 3 numbers from 0 to 0.99, " + THREE.format("overlap")),
    ("threshold", "high", "a number from 0 to 1."),
    ("threshold", 50, "a number from 0 to 1."),
    ("temperature", "abc", "a number."),
    ("offset", [0.0], "a number."),
    ("brain_margin", "wide", "a number of 0 or more."),
    ("brain_margin", -1, "a number of 0 or more."),
]
FOR_TRAINING = [
    ("dataset_dir", 2015, PATH.format("dataset_dir")),
    ("ckpt_dir", 2024, PATH.format("ckpt_dir")),
    ("epochs", 0, "a whole number of 1 or more."),
    ("epochs", "abc", "a whole number of 1 or more."),
    ("epochs", 2.5, "a whole number of 1 or more."),
    ("epochs", True, "a whole number of 1 or more."),  # --epochs, and nothing behind it
    ("batch_patients", 0, "a whole number of 1 or more."),
    ("slabs_per_patient", "two", "a whole number of 1 or more."),
    ("visits", 0, "a whole number of 1 or more."),
    ("val_interval", 0, "a whole number of 1 or more."),
    ("seed", "abc", "a whole number of 0 or more."),
    ("seed", -1, "a whole number of 0 or more."),
    ("described_patients", -1, "a whole number of 0 or more."),
    ("num_workers", "all", "a whole number of 0 or more."),
    ("patch", [64, 64], "a whole number of -1 or more or 3 whole numbers of -1 or more, " + THREE.format("patch")),
    ("learning_rate", "1e-3", "a number of 0 or more."),  # so YAML reads what has no point
    ("learning_rate", -0.1, "a number of 0 or more."),
    ("weight_decay", "abc", "a number of 0 or more."),
    ("warmup_epochs", "abc", "a number of 0 or more."),
    ("dice_weight", "abc", "a number of 0 or more."),
    ("rotation", "abc", "a number of 0 or more."),
    ("frozen_epochs", -1, "a number of 0 or more."),
    ("patience", 0, "a number of 1 or more."),
    ("contrast_augmentation", 0.5, "a number of 1 or more."),
    ("scale_augmentation", "abc", 'a number or 2 numbers, as in --scale_augmentation "[a, b]".'),
    ("intensity_augmentation", [0.1, 0.2, 0.3], "a number or 2 numbers"),
    ("front_back_flip", 50, "a number from 0 to 1."),
    ("blur_augmentation", "abc", "a number from 0 to 1."),
    ("noise_augmentation", -0.2, "a number from 0 to 1."),
    ("drop_sequence", 20, "a number from 0 to 1 or 4 numbers from 0 to 1, as in --drop_sequence"),
    ("drop_sequence", [0.2, 0.2], "a number from 0 to 1 or 4 numbers from 0 to 1"),
]
LEGAL = [
    ("inference", {}),
    ("inference", {"spacing": (2, 2, 2), "context": 0, "overlap": 0, "window": 96, "minimum_lesion_ml": 0}),
    ("inference", {"overlap": [0.5, 0.5, 0.25], "window": "$[64, 64, -1]", "spacing": "$np.full(3, 1.5)"}),
    ("inference", {"threshold": "$np.float32(0.3)", "brain_margin": False, "sequences": ["flair"], "device": "cpu"}),
    ("training", {"epochs": "$2 * 3", "learning_rate": 1, "warmup_epochs": 0.5, "patience": float("inf")}),
    ("training", {"drop_sequence": [0, 1, 0.5, 0.5], "blur_augmentation": False, "scale_augmentation": [-0.1, 0.3]}),
    ("training", {"drop_sequence": [0, 1], "sequences": ["dwi", "flair"], "patch": [96, 96, -1], "num_workers": 0}),
]


def refusal(recipe, section, **options):
    """Give the sentence by which a recipe refuses options, as MONAI wraps what a config raises."""
    parser = open_recipe(recipe, "training" if recipe.startswith("training") else "inference", **options).parser
    with pytest.raises(Exception) as caught:
        parser.get_parsed_content(section)
    return str(input_error_behind(caught.value))


@pytest.mark.parametrize(
    ("recipe", "option", "value", "right"),
    [(recipe, *case) for recipe in ("training", "inference") for case in FOR_BOTH]
    + [("training", *case) for case in FOR_TRAINING],
)
def test_wrong_value_is_refused_with_the_options_name_and_what_would_be_right(recipe, option, value, right):
    said = refusal(recipe, "legal_choices", **{option: value})

    assert said.startswith(f"{option} is {value!r}; it must be {right}")


@pytest.mark.parametrize(
    ("recipe", "section", "options", "sentence"),
    [
        ("inference", "postprocessing", {"temperature": 0}, "temperature is 0; it must be above 0"),
        ("inference", "refuse_early", {"minimum_lesion_ml": "small"}, "minimum_lesion_ml is 'small'; it must be a num"),
        ("inference", "legal_choices", {"device": "gpu"}, "device is 'gpu', which cannot be used; it can be cpu"),
        ("inference", "refuse_early", {"dataset_dir": 2015}, "dataset_dir is 2015; it must be a path, a name of digi"),
        ("evaluate", "refuse_early", {"dataset_dir": 2015}, "dataset_dir is 2015; it must be a path, a name of digi"),
        ("inference", "refuse_early", {"stamps": "MINE"}, "stamps is 'MINE'; it must be a list of words, as in --st"),
        ("training", "refuse_early", {"stamps": "MINE"}, "stamps is 'MINE'; it must be a list of words, as in --st"),
        ("inference", "legal_choices", {"bias_correction": "on"}, "bias_correction is 'on'; write --bias_correction T"),
        ("inference", "legal_choices", {"amp": 1}, "amp is 1; write --amp True or --amp False"),
        ("inference", "trust_limits", {"trust_limits::minimum_height_mm": "abc"}, "trust_limits::minimum_height_mm is"),
        ("inference_ensemble", "network_def", {"members": "abc"}, "members is 'abc'; an ensemble has 1 or more."),
        ("training", "network_def", {"encoder_training": "full"}, "encoder_training is 'full'; it can be frozen, "),
        ("training_paper", "optimizer", {"momentum": "abc", "pretrained": False}, "momentum is 'abc'; it must be at"),
        ("training_paper", "legal_choices", {"sequence": "pd"}, "sequences is ['pd']; it must be a list"),
        ("training_wide", "averaged", {"averaging": "abc"}, "averaging is 'abc'; it must be a number from 0 to 1."),
    ],
)
def test_other_options_are_refused_by_name_too(recipe, section, options, sentence):
    assert refusal(recipe, section, **options).startswith(sentence)


@pytest.mark.parametrize(("recipe", "options"), LEGAL)
def test_legal_values_are_taken_in_every_way_they_can_be_written(recipe, options):
    open_recipe(recipe, recipe, **options).parser.get_parsed_content("legal_choices")


def test_every_number_among_the_choices_is_checked():
    config = open_recipe("training", "training").parser.get()
    checked = {name for check in config["legal_choices"] for name in check.get("options", ())}

    numbers = {name for name, value in config.items() if type(value) in (int, float)}

    assert len(numbers) > 20
    assert numbers <= checked


@pytest.mark.parametrize("recipe", ["training", "training_paper", "training_wide"])
def test_every_number_among_the_choices_binds_a_resumed_training_or_may_change(recipe):
    config = open_recipe(recipe, "training").parser.get()
    binding = config["train"]["choices"] | config["choices_of_overlay"]

    numbers = {name for name, value in config.items() if type(value) in (int, float) or is_list_of_numbers(value)}

    of_use = {"window", "overlap", "brain_margin", "temperature", "offset"}
    assert numbers - binding.keys() - of_use == {"epochs", "val_interval", "patience", "described_patients"}
    assert binding == {name: f"@{name}" for name in binding}


def is_list_of_numbers(value):
    return isinstance(value, list) and all(type(item) in (int, float) for item in value)


def test_device_may_be_named_by_a_word():
    parser = open_recipe("training", "training", device="cpu").parser

    assert (parser.get_parsed_content("amp"), parser.get_parsed_content("num_workers")) == (False, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "recipe", "options", "sentence"),
    [
        ("training", "training", {"spacing": 2.0}, "spacing is 2.0; it must be 3 numbers of 0.1 or more, as in"),
        ("training", "training", {"seed": "abc"}, "seed is 'abc'; it must be a whole number of 0 or more."),
        ("inference", "inference", {"temperature": "abc"}, "temperature is 'abc'; it must be a number."),
    ],
)
def test_command_ends_with_the_sentence_alone(verb, recipe, options, sentence, dataset, tmp_path):
    places = {"dataset_dir": dataset, "output_dir": tmp_path / "out"}
    places |= {"ckpt_dir": tmp_path / "models"} if verb == "training" else {}

    ended = run_bundle(verb, recipe, **places, **options)

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith(f"islesnet: {sentence}")
