"""An operating point for weights of one's own, chosen on coarse phantoms."""

import pytest
import torch

from islesnet.data import find_cases, lesion_volume_ml, write_datalist
from islesnet.networks import OperatingPoint, operating_point_file, read_operating_point, write_trained_with
from islesnet.phantom import PhantomSettings, write_dataset
from workflows.bundle_config import open_recipe
from workflows.choose_operating_point import main, validation_cases
from workflows.commands import BUNDLE
from workflows.subsets import MINIMUM_ML


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three phantoms of 6 mm; two of them validate."""
    folder = tmp_path_factory.mktemp("data")
    write_dataset(folder, 3, settings=PhantomSettings(spacing_mm=6.0, volume_ml=(40, 60)), workers=1)
    cases = find_cases(folder)
    write_datalist(folder / "datalist.json", {"training": cases[:1], "validation": cases[1:]}, folder, {})
    return folder


@pytest.fixture
def weights(tmp_path):
    """Of an untrained network of the bundle's, with voxels of 6 mm."""
    torch.manual_seed(0)
    parser = open_recipe("recipes/inference.yaml", {"spacing": [6.0, 6.0, 6.0]})
    torch.save(parser.get_parsed_content("network_def").state_dict(), tmp_path / "own.pt")
    return tmp_path / "own.pt"


def words(weights, data, *more):
    return ["--model", str(weights), "--data", str(data), *more]


def test_point_is_chosen_on_the_validation_patients_and_written_beside_the_weights(weights, data, capsys):
    assert main(words(weights, data)) == 0

    said, point = capsys.readouterr().out, read_operating_point(weights)
    assert point.minimum_lesion_ml in MINIMUM_ML and point.temperature != 1 and not point.bias_correction
    assert f"Threshold {point.threshold:g}, smallest lesion {point.minimum_lesion_ml:g} ml" in said
    assert "without bias correction" in said and "on the 2 patients" in said and "PHANTOM" in said
    assert str(operating_point_file(weights)) in said.replace("\n", "")
    assert main(words(weights, data)) == 1
    assert "own_operating_point.json is there already" in capsys.readouterr().err


def test_point_that_was_chosen_before_is_written_over_on_request_alone(weights, data):
    chosen = OperatingPoint(threshold=0.123)
    chosen.write(operating_point_file(weights))

    codes = [
        main(words(weights, data)),
        read_operating_point(weights) == chosen,
        main(words(weights, data, "--replace")),
    ]

    assert codes == [1, True, 0] and read_operating_point(weights) != chosen


def test_bias_correction_that_a_training_asked_for_stays(weights, data):
    OperatingPoint(bias_correction=True).write(operating_point_file(weights))

    assert main(words(weights, data)) == 0
    assert read_operating_point(weights).bias_correction


def test_shipped_weights_are_refused(data, capsys):
    assert main(words(BUNDLE / "models" / "model.pt", data, "--replace")) == 1
    assert "are the shipped weights" in capsys.readouterr().err


def test_weights_of_another_network_are_refused_before_any_patient_is_read(tmp_path, capsys):
    torch.save({"weight": torch.ones(2)}, tmp_path / "other.pt")

    assert main(words(tmp_path / "other.pt", tmp_path)) == 1
    assert "are of another network" in capsys.readouterr().err


def test_weights_of_another_head_are_refused_with_what_is_taken(weights, data, capsys):
    write_trained_with(weights, {"head": "sigmoid"})

    assert main(words(weights, data)) == 1

    said = " ".join(capsys.readouterr().err.split())
    assert "with head sigmoid" in said and "with the bundle's recipe and --head" in said
    assert said.endswith("A point is chosen for weights of the default's network alone.")


def test_one_patient_with_a_lesion_is_too_few(data, tmp_path, weights, capsys):
    cases = find_cases(data)
    write_datalist(tmp_path / "one.json", {"training": cases[1:], "validation": cases[:1]}, data, {})

    assert main(words(weights, data, "--datalist", str(tmp_path / "one.json"))) == 1
    assert "1 of 1 validation patients have a lesion; at least 2 are needed" in capsys.readouterr().err
    assert not operating_point_file(weights).exists()


def test_patients_with_the_largest_lesions_come_first(data, tmp_path):
    rising = sorted(find_cases(data), key=lesion_volume_ml)
    write_datalist(tmp_path / "all.json", {"validation": rising}, data, {})

    cases = validation_cases(tmp_path / "all.json", data)

    assert [case.patient for case in cases] == [case.patient for case in reversed(rising)]
