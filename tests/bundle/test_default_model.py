"""The weights in the repository: whole, small, good enough on a phantom, and on the real patient as their card says."""

import json
import re
import tomllib

import numpy as np
import pytest

from islesnet.data import Case, find_cases, read_volume
from islesnet.metrics import VoxelCounts
from islesnet.networks import OperatingPoint, operating_point_file, read_operating_point, require_weights
from islesnet.networks.weight_files import checksum_of, read_state_dict
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from islesnet.segment import bundle_folder, segment_cases
from islesnet.transforms import CorrectBiasd
from islesnet.trust import appearance_file, read_appearance, read_subsets, subsets_file
from workflows import demo
from workflows.bundle_config import open_recipe

WEIGHTS = bundle_folder() / "models" / "model.pt"
MOST_BYTES = 66_000_000


def dice_of(mask, truth):
    return VoxelCounts.of(read_volume(mask).array > 0.5, read_volume(truth).array > 0.5).dice


def test_weights_are_small_whole_and_of_the_configured_network():
    network = open_recipe("recipes/inference.yaml", {}).get_parsed_content("network_def")

    require_weights(WEIGHTS, network)

    assert checksum_of(WEIGHTS).is_file()
    assert WEIGHTS.stat().st_size <= MOST_BYTES
    assert all(value.isfinite().all() for value in read_state_dict(WEIGHTS, "weights").values())


def test_what_belongs_to_the_weights_lies_beside_them():
    docs = bundle_folder() / "docs"
    card, made = (re.sub(r"\s+", " ", (docs / name).read_text()) for name in ("README.md", "weights.md"))

    assert operating_point_file(WEIGHTS).is_file()
    point = read_operating_point(WEIGHTS)
    assert (
        f"{point.threshold:.3f} at the temperature {point.temperature:g} and the offset {point.offset:g}; the smallest "
        f"lesion is {point.minimum_lesion_ml:g} ml"
    ) in card
    appearance = read_appearance(WEIGHTS)
    assert appearance is not None
    assert set(appearance.images.values()) == {116, 103}
    assert "from 116 of the last training's phantoms (numbers 45 to 160; 103 have a DWI;" in made


@pytest.mark.parametrize(
    ("recipe", "choices", "is_corrected"),
    [
        ("inference", {}, True),  # as the weights beside it were measured
        ("inference", {"bias_correction": False}, False),
        ("inference", {"operating_point": OperatingPoint()}, False),  # of weights that nothing was chosen for
        ("training", {}, False),
        ("training", {"bias_correction": True}, True),
    ],
)
def test_shading_is_taken_out_where_the_weights_were_measured_so(recipe, choices, is_corrected):
    recipe = open_recipe(f"recipes/{recipe}.yaml", choices)

    preprocessing = recipe.get_parsed_content("preprocessing").transforms

    assert any(isinstance(step, CorrectBiasd) for step in preprocessing) is is_corrected


def test_scores_by_subset_beside_the_weights_are_those_of_the_card():
    card = (bundle_folder() / "docs" / "README.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9+]+) \| ([\d.]+), [\d.]+ to [\d.]+ \((\d+)\) \|", card, re.MULTILINE)

    subsets = read_subsets(WEIGHTS)

    assert subsets is not None and len(rows) == 15
    assert subsets.mean_dice == {name: float(dice) for name, dice, _ in rows}
    assert subsets.patients == {name: int(patients) for name, _, patients in rows}


def test_metadata_holds_the_scores_of_the_card():
    card = (bundle_folder() / "docs" / "README.md").read_text()
    subsets = read_subsets(WEIGHTS)
    real = dict(
        re.findall(r"^\| (DWI \+ FLAIR|DWI|FLAIR \(registered to the DWI\)) \| ([\d.]+) \|", card, re.MULTILINE)
    )

    metrics = json.loads((bundle_folder() / "configs" / "metadata.json").read_text())["eval_metrics"]

    assert subsets is not None
    assert subsets.patients["dwi+flair"] == subsets.patients["dwi+t1+t2+flair"] == 20
    assert metrics == {
        "mean_dice_20_synthetic_patients_dwi_flair": subsets.mean_dice["dwi+flair"],
        "mean_dice_20_synthetic_patients_all_four": subsets.mean_dice["dwi+t1+t2+flair"],
        "dice_isles22_0009_dwi_flair": float(real["DWI + FLAIR"]),
        "dice_isles22_0009_dwi": float(real["DWI"]),
        "dice_isles22_0009_flair": float(real["FLAIR (registered to the DWI)"]),
    }


def test_wheel_takes_the_weights_and_all_that_is_theirs():
    root = bundle_folder().parent
    wheel = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]

    taken = {name for name in wheel["force-include"] if name.startswith("bundle/models/")}
    beside = (checksum_of, appearance_file, operating_point_file, subsets_file)
    theirs = (WEIGHTS, *(name_beside(WEIGHTS) for name_beside in beside))
    assert taken == {file.relative_to(root).as_posix() for file in theirs}


def test_synthetic_patient_is_segmented_by_the_shipped_model(tmp_path):
    settings = PhantomSettings(spacing_mm=2.5, volume_ml=(20.0, 60.0))
    patient = write_patient(tmp_path / "patients" / "anna", make_patient(7, settings), with_label=True)
    case = Case("anna", {name: patient / f"{name}.nii.gz" for name in ("dwi", "flair")})

    segment_cases([case], tmp_path / "out")

    assert dice_of(tmp_path / "out" / "anna_lesion.nii.gz", patient / "label.nii.gz") > 0.6
    assert json.loads((tmp_path / "out" / "anna_lesion.json").read_text())["lesion_volume_ml"] > 5


def test_new_patient_of_the_demo_is_segmented_by_the_shipped_model(tmp_path, capsys):
    new_patient = demo.make_new_patient(tmp_path)

    demo.segment_with_shipped_model(new_patient, tmp_path)

    (said,) = re.findall(r"^Dice ([\d.]+) on a synthetic patient", capsys.readouterr().out, re.MULTILINE)
    results = tmp_path / "shipped_model"
    assert float(said) > 0.5
    assert dice_of(results / "anna_lesion.nii.gz", new_patient.label) == pytest.approx(float(said), abs=5e-4)
    assert json.loads((results / "anna_lesion.json").read_text())["lesion_volume_ml"] > 5
    assert (results / "anna" / "report.html").is_file()


@pytest.mark.parametrize(("sequences", "row"), [(("dwi", "flair"), "DWI + FLAIR"), (("dwi",), "DWI")])
def test_real_patient_is_segmented_by_the_shipped_model_as_the_card_says(real_data, tmp_path, sequences, row):
    card = (bundle_folder() / "docs" / "README.md").read_text()
    (told,) = re.findall(rf"^\| {re.escape(row)} \| ([\d.]+) \|", card, re.MULTILINE)
    whole = find_cases(real_data / "isles22-0009")[0]
    case = Case(whole.patient, {name: whole.sequences[name] for name in sequences})

    segment_cases([case], tmp_path)

    mask = tmp_path / f"{whole.patient}_lesion.nii.gz"
    # Other processors round otherwise, and a detail of the registration is worth 0.002.
    assert dice_of(mask, whole.label) == pytest.approx(float(told), abs=0.01)
    np.testing.assert_allclose(read_volume(mask).header.affine, read_volume(whole.label).header.affine, atol=1e-4)
