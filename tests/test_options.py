"""Misspelt options of the bundle, which MONAI would take in silence."""

import pytest

from islesnet.errors import InputError
from islesnet.options import refuse_misspelt_options
from islesnet.segment import bundle_folder

RECIPE = str(bundle_folder() / "recipes/training.yaml")
INFERENCE = str(bundle_folder() / "configs/inference.yaml")


@pytest.fixture(autouse=True)
def _in_the_bundle(monkeypatch):
    monkeypatch.chdir(bundle_folder())


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("--start_form", "did you mean --start_from?"),
        ("--epoch=1", "did you mean --epochs?"),
        ("--dataset-dri", "did you mean --dataset_dir?"),
        ("--trust_limit::minimum_height_mm", "did you mean --trust_limits?"),
        ("--quux", "no config has a line of that name"),
    ],
)
def test_misspelt_name_is_refused_with_what_may_have_been_meant(option, meant):
    with pytest.raises(InputError, match=r"there is no option --") as refusal:
        refuse_misspelt_options(["run", "training", "--args_file", RECIPE, option, "1"])
    assert str(refusal.value).endswith(meant)


@pytest.mark.parametrize(
    "words",
    [
        ["--args_file", RECIPE, "--epochs", "3", "--offset", "-2.0", "--train::trainer::max_epochs=3"],
        ["--args_file", RECIPE, "--train#trainer#max_epochs=3", "--tracking", "mlflow", "--experiment_name", "x"],
        ["--config_file", INFERENCE, "--dataset_dir", "x", "--trust_limits::minimum_height_mm", "90"],
        ["--config_file", f"['{INFERENCE}', 'configs/ensemble.yaml']", "--members", "2", "--run_id", "inference"],
        ["--config_file=configs/inference.yaml", "--logging_file", "configs/logging.conf", "--init_id", "initialize"],
    ],
)
def test_names_that_a_config_or_monai_knows_are_taken(words):
    refuse_misspelt_options(["run", "training", *words])


def test_other_programs_command_lines_are_not_looked_at():
    refuse_misspelt_options(["-n", "2", "--quux"])
    refuse_misspelt_options(["segment", "--config_file", "x", "--quux"])
    refuse_misspelt_options([])


def test_misspelt_line_of_an_args_file_is_refused_too(tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"config_file: [{INFERENCE}]\nthreshhold: 0.3\n")

    with pytest.raises(InputError, match=r"no option --threshhold; did you mean --threshold\?"):
        refuse_misspelt_options(["run", "inference", "--args_file", str(recipe)])
