"""From a patient's folder to a mask, as a user runs it."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch

from islesnet.data import Case, find_cases
from islesnet.errors import InputError, input_error_behind
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from islesnet.result_files import MARK
from islesnet.segment import segment_cases
from islesnet.trust import AppearanceRanges, SubsetScores
from islesnet.trust.description import STATISTICS
from tests.bundle.conftest import BUNDLE, open_recipe, run_bundle

REAL = Path(os.environ.get("ISLESNET_REAL_DATA", BUNDLE.parent.parent / "shared/real"))
needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real volumes at {REAL}; see ISLESNET_REAL_DATA")


@pytest.fixture
def patients(tmp_path):
    settings = PhantomSettings(spacing_mm=6.0)
    for number, name in enumerate(("anna", "bert")):
        write_patient(tmp_path / "patients" / name, make_patient(number, settings))
    return tmp_path / "patients"


def segment(weights, output, **overrides):
    """Run the inference recipe in this process, which is quicker than a new one."""
    workflow = open_recipe("inference", "inference", checkpoint=str(weights), output_dir=str(output), **overrides)
    workflow.parser.get_parsed_content("evaluator").run()


def test_every_patient_of_a_folder_gets_mask_probability_and_numbers(patients, weights, tmp_path):
    segment(weights, tmp_path / "out", dataset_dir=str(patients), save_probability=True)

    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    kinds = ("_lesion.json", "_lesion.nii.gz", "_probability.nii.gz")
    report = ("/report.html", "/lesions.csv", "/patient.json")
    assert written == {
        *(f"{name}{kind}" for name in ("anna", "bert") for kind in (*kinds, *report)),
        "cohort.csv",
        "cohort.html",
        "provenance.json",
        *(f"{name}/{MARK}" for name in ("anna", "bert")),
    }
    mask = nibabel.load(tmp_path / "out/anna_lesion.nii.gz")
    numbers = json.loads((tmp_path / "out/anna_lesion.json").read_text())
    assert mask.get_data_dtype() == np.uint8
    voxels_ml = np.asarray(mask.dataobj).sum() * np.prod(mask.header.get_zooms()) / 1000
    assert numbers["lesion_volume_ml"] == pytest.approx(voxels_ml, abs=1e-3)


def test_mask_does_not_depend_on_what_a_header_states_beside_its_sform(patients, weights, tmp_path):
    masks = {}
    for name, stated in (("true", None), ("wrong", (1.0, 1.0, 1.0))):
        folder = shutil.copytree(patients / "anna", tmp_path / name / "anna")
        for path in folder.glob("*.nii.gz"):
            image = nibabel.load(path)
            image.header["pixdim"][1:4] = stated or image.header["pixdim"][1:4]
            image.header["qform_code"] = 0
            nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), None, image.header), path)
        segment(weights, tmp_path / name / "out", dataset_dir=str(folder), save_probability=True)
        masks[name] = nibabel.load(tmp_path / name / "out/anna_probability.nii.gz").get_fdata()

    assert np.ptp(masks["true"]) > 0
    np.testing.assert_array_equal(masks["wrong"], masks["true"])


def test_results_of_another_patient_of_the_same_name_are_replaced_only_again(patients, weights, tmp_path):
    (patients / "bert").rename(tmp_path / "anna")
    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"))
    first = (tmp_path / "out/anna_lesion.json").read_bytes()

    with pytest.raises(InputError, match="made from different scans"):
        segment(weights, tmp_path / "out", dataset_dir=str(tmp_path / "anna"))
    assert (tmp_path / "out/anna_lesion.json").read_bytes() == first
    segment(weights, tmp_path / "out", dataset_dir=str(tmp_path / "anna"), again=True)
    assert (tmp_path / "out/anna_lesion.json").read_bytes() != first


def test_folder_of_scans_is_refused_for_results_before_a_file_is_written(patients, weights):
    before = set(patients.rglob("*"))
    folders = {"dataset_dir": str(patients), "output_dir": str(patients)}
    workflow = open_recipe("inference", "inference", checkpoint=str(weights), **folders)

    with pytest.raises(Exception) as refused:
        workflow.parser.get_parsed_content("refuse_early")

    assert "would be written among the scans" in str(input_error_behind(refused.value))
    assert set(patients.rglob("*")) == before


@pytest.mark.parametrize(("recipe", "choices"), [("inference", {"window": [40, 30, 12]}), ("inference_volumetric", {})])
def test_window_larger_than_the_image_shows_the_network_more_of_its_edge_alone(recipe, choices):
    inferer = open_recipe(recipe, "inference", cpu_bfloat16=False, **choices).parser.get_parsed_content("inferer")
    image = torch.linspace(-5, -1, 2 * 18 * 21 * 7).reshape(1, 2, 18, 21, 7)
    image[:, 1] = 0  # an absent sequence
    brightest_neighbour = torch.nn.MaxPool3d(3, stride=1, padding=1)

    torch.testing.assert_close(inferer(image, brightest_neighbour), brightest_neighbour(image))


@pytest.mark.parametrize("absent", [("dwi",), ("t1", "t2", "flair"), ("dwi", "flair", "t2"), ("t1",)])
def test_any_subset_of_the_sequences_is_segmented(patients, weights, tmp_path, absent):
    for sequence in absent:
        (patients / "anna" / f"{sequence}.nii.gz").unlink()

    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"))

    assert (tmp_path / "out/anna_lesion.nii.gz").exists()


@pytest.mark.parametrize("switch", ["report", "prepare_scans"])
def test_switch_written_in_small_letters_is_refused_early(patients, weights, tmp_path, switch):
    workflow = open_recipe(
        "inference", "inference", checkpoint=str(weights), output_dir=str(tmp_path / "out"), **{switch: "false"}
    )
    with pytest.raises(Exception) as refused:
        workflow.parser.get_parsed_content("refuse_early")
    assert f"{switch} is 'false'; write --{switch} True" in str(input_error_behind(refused.value))


@pytest.mark.parametrize(
    "tool", ["islesnet.scanner.hd_bet.is_hd_bet_ready", "islesnet.report.patient.dicom_seg.is_highdicom_installed"]
)
def test_tool_that_is_there_now_makes_patients_unfinished(weights, tmp_path, monkeypatch, tool):
    digests = set()
    for is_there in (False, True):
        monkeypatch.setattr(tool, lambda is_there=is_there: is_there)
        parser = open_recipe("inference", "inference", checkpoint=str(weights), output_dir=str(tmp_path)).parser
        digests.add(parser.get_parsed_content("finished").digest({"patient": "anna"}))
    assert len(digests) == 2


def test_prepared_scans_alone_are_segmented_without_a_report(patients, weights, tmp_path):
    segment(weights, tmp_path / "out", dataset_dir=str(patients), prepare_scans=False)
    assert (tmp_path / "out/anna_lesion.nii.gz").is_file()
    assert not (tmp_path / "out/anna").exists()


def test_mask_lies_on_the_grid_of_the_dwi_whatever_the_others(patients, weights, tmp_path):
    scan = nibabel.load(patients / "anna/dwi.nii.gz")
    flip = np.diag([-1.0, 1.0, 1.0, 1.0])  # right-anterior-superior to left-anterior-superior
    flip[0, 3] = scan.shape[0] - 1
    angle = np.deg2rad(12.5)
    tilt = np.eye(4)
    tilt[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    oblique = nibabel.Nifti1Image(np.asarray(scan.dataobj)[::-1, :, :-3], tilt @ scan.affine @ flip)
    oblique.set_qform(oblique.affine, code=2)
    oblique.set_sform(oblique.affine, code=1)
    nibabel.save(oblique, patients / "anna/dwi.nii.gz")

    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"))

    dwi, mask = nibabel.load(patients / "anna/dwi.nii.gz"), nibabel.load(tmp_path / "out/anna_lesion.nii.gz")
    assert mask.shape == dwi.shape
    np.testing.assert_array_equal(mask.affine, dwi.affine)
    np.testing.assert_array_equal(mask.get_qform(), dwi.get_qform())
    assert (int(mask.header["qform_code"]), int(mask.header["sform_code"])) == (2, 1)


def test_cohort_goes_on_after_a_bad_patient_and_says_which_and_why(patients, weights, tmp_path):
    damaged = (patients / "anna/flair.nii.gz").read_bytes()
    (patients / "anna/flair.nii.gz").write_bytes(damaged[: len(damaged) // 2])

    with pytest.raises(InputError, match=r"1 of 2 patients failed:\n  anna: .*flair\.nii\.gz"):
        segment(weights, tmp_path / "out", dataset_dir=str(patients), report=False)

    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    masks = ["bert_lesion.json", "bert_lesion.nii.gz"]
    assert written == ["anna", "bert", *masks, "cohort.csv", "cohort.html", "provenance.json"]
    assert [path.name for path in (tmp_path / "out").rglob("*/*")] == [MARK, MARK]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("no weights", "There are no weights at"),
        ("no patients", "no patient found"),
        ("output is a file", "Cannot write to the folder"),
        ("truncated", "is cut short"),
        ("NaN", "voxels are NaN"),
        ("own table", "cohort.csv would be replaced"),
        ("written false", "write --save_probability True or --save_probability False"),
    ],
)
def test_user_is_told_in_plain_words_without_a_traceback(fault, sentence, patients, weights, tmp_path):
    if fault == "no patients":
        shutil.rmtree(patients)
        patients.mkdir()
    scan = patients / "anna/dwi.nii.gz"
    if fault == "truncated":
        scan.write_bytes(scan.read_bytes()[:-5000])
    if fault == "NaN":
        image = nibabel.load(scan)
        array = np.asarray(image.dataobj, dtype=np.float32)
        array = np.where(array > 0, np.nan, array)
        nibabel.save(nibabel.Nifti1Image(array, image.affine), scan)
    output = tmp_path / "out"
    if fault == "output is a file":
        output.touch()
    if fault == "own table":
        output.mkdir()
        (output / "cohort.csv").write_text("patient,age\n")
    checkpoint = tmp_path / "absent.pt" if fault == "no weights" else weights

    run = run_bundle(
        "inference",
        "inference",
        dataset_dir=patients,
        output_dir=output,
        checkpoint=checkpoint,
        save_probability="false" if fault == "written false" else "False",
    )

    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    said = run.stderr[run.stderr.index("islesnet: ") :]
    assert sentence in said


def test_names_of_files_are_never_read_as_expressions(patients, weights, tmp_path):
    odd = patients.parent / "$(touch pwned) %x '@y'"
    shutil.copytree(patients / "anna", odd)

    segment_cases([Case("anna", {"dwi": odd / "dwi.nii.gz"})], tmp_path / "@dataset_dir", weights)

    assert (tmp_path / "@dataset_dir/anna_lesion.nii.gz").exists()


@needs_real_data
def test_real_oblique_patient_gets_a_mask_with_its_dwis_header(weights, tmp_path):
    segment(weights, tmp_path, dataset_dir=str(REAL / "isles22-0009"))

    dwi = nibabel.load(next((REAL / "isles22-0009").glob("*_dwi.nii.gz")))
    mask = nibabel.load(tmp_path / "isles22-0009_lesion.nii.gz")
    assert mask.shape == dwi.shape
    np.testing.assert_array_equal(mask.affine, dwi.affine)
    for code in ("qform_code", "sform_code"):
        assert int(mask.header[code]) == int(dwi.header[code])


@needs_real_data
def test_one_head_in_seven_axis_orders_has_one_probability_map(weights, tmp_path):
    files = sorted(path for path in (REAL / "orientations").glob("*.nii.gz") if path.name != "shear.nii.gz")
    cases = [Case(path.name.partition(".")[0], {"t1": path}) for path in files]

    segment_cases(cases, tmp_path, weights, {"save_probability": True})

    maps = [
        np.asarray(nibabel.as_closest_canonical(nibabel.load(tmp_path / f"{case.patient}_probability.nii.gz")).dataobj)
        for case in cases
    ]
    assert len(maps) == 7
    assert maps[0].std() > 0.01  # an empty map would prove nothing
    for other in maps[1:]:
        assert np.abs(maps[0] - other).mean() <= 1e-3


@needs_real_data
def test_sheared_volume_is_refused_with_the_angle(tmp_path, weights):
    shear = REAL / "orientations/shear.nii.gz"

    with pytest.raises(InputError, match="shear"):
        segment_cases([Case("tilted", {"dwi": shear})], tmp_path, weights)


@needs_real_data
def test_metaimage_patient_is_segmented_on_the_grid_of_its_dwi(weights, tmp_path):
    segment(weights, tmp_path, dataset_dir=str(REAL / "isles22-mca"))

    mask = nibabel.load(tmp_path / "isles22-mca_lesion.nii.gz")
    assert mask.shape == (128, 128, 25)
    assert find_cases(REAL / "isles22-mca")[0].reference == "dwi"


@pytest.mark.slow
def test_full_disk_is_said_and_leaves_no_half_file(patients, weights, tmp_path):
    limited = ["bash", "-c", 'ulimit -f 32; exec "$@"', "limited", sys.executable]  # 32 KiB a file

    run = run_bundle(
        "inference",
        "inference",
        limited,
        dataset_dir=patients,
        output_dir=tmp_path / "out",
        checkpoint=weights,
        save_probability="True",
    )

    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "2 of 2 patients failed" in run.stderr
    assert "anna/report.html: file too large" in run.stderr
    left = [path.name for path in (tmp_path / "out").rglob("*")]
    assert not [name for name in left if "part" in name or name.endswith("_lesion.json")]


def test_label_that_inference_does_not_need_cannot_stop_it(patients, weights, tmp_path):
    (patients / "anna/label.nii.gz").write_bytes(b"not a NIfTI")

    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"))

    assert (tmp_path / "out/anna_lesion.nii.gz").exists()


def test_weights_trained_on_other_voxels_are_refused(patients, weights, tmp_path):
    with pytest.raises(RuntimeError) as caught:  # as MONAI wraps what a config raises
        segment_cases(find_cases(patients), tmp_path / "out", weights, {"spacing": [2.0] * 3})

    said = str(input_error_behind(caught.value))
    assert "trained on voxels of (6.0, 6.0, 6.0) mm, and are to be used on (2.0, 2.0, 2.0) mm" in said


def test_stamps_of_a_run_stand_on_its_masks_numbers_and_provenance(patients, weights, tmp_path):
    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"), stamps=["PHANTOM"])

    assert nibabel.load(tmp_path / "out/anna_lesion.nii.gz").header["descrip"].item().startswith(b"PHANTOM")
    for file in ("anna_lesion.json", "provenance.json"):
        assert json.loads((tmp_path / "out" / file).read_text())["stamps"] == ["PHANTOM"]


def test_mask_of_a_synthetic_patient_says_so_and_that_of_a_real_one_does_not(patients, weights, tmp_path):
    for path in (patients / "bert").iterdir():
        scan = nibabel.load(path)
        scan.header["descrip"] = b"as the scanner left it"
        nibabel.save(nibabel.Nifti1Image(np.asarray(scan.dataobj), None, scan.header), path)

    segment(weights, tmp_path / "out", dataset_dir=str(patients))

    said = {name: json.loads((tmp_path / f"out/{name}_lesion.json").read_text()) for name in ("anna", "bert")}
    assert said["anna"]["stamps"] == ["PHANTOM"]
    assert "stamps" not in said["bert"]


def test_every_mask_has_a_verdict_in_its_json_and_a_row_in_the_table(patients, weights, tmp_path):
    (patients / "anna/dwi.nii.gz").unlink()

    segment(weights, tmp_path / "out", dataset_dir=str(patients), test_time_flips=[0], temperature=2.0)

    numbers = json.loads((tmp_path / "out/anna_lesion.json").read_text())
    trust = numbers["trust"]
    assert any(note.startswith("DWI is absent") for note in trust["notes"])
    assert trust["notes"][-1].startswith("Not compared with the training's images")
    assert all(0.5 <= lesion["confidence"] <= 1 for lesion in numbers["lesions"])
    table = pd.read_csv(tmp_path / "out/cohort.csv").set_index("patient")
    assert sorted(table.index) == ["anna", "bert"]
    assert table.loc["anna", "lesions"] == numbers["lesion_count"] == len(numbers["lesions"])
    assert bool(table.loc["anna", "is_trusted"]) is trust["is_trusted"]


def test_scan_that_is_cut_or_disagrees_with_its_mirror_image_is_not_trusted(patients, weights, tmp_path):
    scan = nibabel.load(patients / "anna/dwi.nii.gz")
    nibabel.save(scan.slicer[scan.shape[0] // 2 :], patients / "anna/dwi.nii.gz")
    limits = {"trust_limits::minimum_agreement": 1.0}  # random weights never agree so well

    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"), test_time_flips=[0], **limits)

    trust = json.loads((tmp_path / "out/anna_lesion.json").read_text())["trust"]
    assert trust["is_trusted"] is False
    assert "head cut" in trust["in_short"] and "flips disagree" in trust["in_short"]
    assert 0 <= trust["agreement"] < 1


def test_ranges_beside_the_weights_are_what_a_scan_is_compared_with(patients, weights, tmp_path):
    beside = tmp_path / "model.pt"
    shutil.copy(weights, beside)
    dark = dict.fromkeys(STATISTICS, (-9.0, -8.0))
    AppearanceRanges({"dwi": dark}).write(tmp_path / "model_appearance.json")

    segment_cases([Case("anna", {"dwi": patients / "anna/dwi.nii.gz"})], tmp_path / "out", beside)

    trust = json.loads((tmp_path / "out/anna_lesion.json").read_text())["trust"]
    assert trust["reasons"][0].startswith("DWI looks unlike the network's training")


def test_offset_changes_probabilities_and_no_mask_once_the_threshold_is_shifted_too(patients, weights, tmp_path):
    for name, offset, threshold in (("plain", 0.0, 0.5), ("shifted", -2.0, 1 / (1 + np.exp(2.0)))):
        choices = {"offset": offset, "threshold": float(threshold), "save_probability": True}
        segment(weights, tmp_path / name, dataset_dir=str(patients / "anna"), **choices)

    def read(name, kind):
        return nibabel.load(tmp_path / name / f"anna_{kind}.nii.gz").get_fdata()

    plain = read("plain", "probability")
    np.testing.assert_allclose(read("shifted", "probability"), plain / (plain + (1 - plain) * np.exp(2.0)), atol=1e-5)
    assert (read("plain", "lesion") != read("shifted", "lesion")).mean() < 1e-4  # but for rounding


def test_sequence_that_the_network_finds_nothing_with_makes_a_mask_that_is_not_trusted(patients, weights, tmp_path):
    beside = tmp_path / "model.pt"
    shutil.copy(weights, beside)
    SubsetScores({"t1": 0.0, "dwi": 0.3}, {"t1": 24, "dwi": 21}).write(tmp_path / "model_subsets.json")

    segment_cases([Case("anna", {"t1": patients / "anna/t1.nii.gz"})], tmp_path / "out", beside)

    trust = json.loads((tmp_path / "out/anna_lesion.json").read_text())["trust"]
    assert trust["is_trusted"] is False and trust["in_short"].startswith("too few sequences")
    assert trust["reasons"][0].startswith("With T1 alone this network reaches a mean Dice of 0.00")
    assert f"{trust['measured']} Small lesions" in (tmp_path / "out/anna/report.html").read_text(encoding="utf-8")


def test_provenance_names_the_weights_that_made_the_masks(patients, weights, tmp_path):
    segment(weights, tmp_path / "out", dataset_dir=str(patients / "anna"))

    told = json.loads((tmp_path / "out/provenance.json").read_text())
    assert told["finished"] is True
    assert told["weights"] == [{"file": str(weights), "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}]
