"""The `islesnet` command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

import islesnet
from islesnet.cli import app, main
from islesnet.cli.segment import BrainMaskWay
from islesnet.data.layouts import LAYOUTS
from islesnet.errors import FailedPatientsError, InputError
from islesnet.patients.brain import WAYS

runner = CliRunner()


@pytest.fixture
def dataset(tmp_path):
    """Three patients of 10 x 12 x 8 voxels in folders."""
    generator = np.random.default_rng(0)
    for number, patient in enumerate(("a", "b", "c")):
        folder = tmp_path / "data" / patient
        folder.mkdir(parents=True)
        scan = generator.integers(1, 100, (10, 12, 8)).astype(np.int16)
        label = np.zeros((10, 12, 8), np.uint8)
        label[: number + 1, 2:4, 1:3] = 1
        nibabel.save(nibabel.Nifti1Image(scan, np.eye(4)), folder / "dwi.nii.gz")
        nibabel.save(nibabel.Nifti1Image(label, np.eye(4)), folder / "label.nii.gz")
    return tmp_path / "data"


def run_main(monkeypatch, *arguments):
    """Run as the installed command does, in this process; return the exit code."""
    monkeypatch.setattr(sys, "argv", ["islesnet", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_version_is_the_packages():
    assert runner.invoke(app, ["--version"]).output.strip() == f"islesnet {islesnet.__version__}"


def test_help_names_every_command():
    output = runner.invoke(app, ["--help"]).output

    assert all(command in output for command in ("segment", "evaluate", "phantom", "datalist", "doctor"))


def test_help_names_every_layout():
    shown = runner.invoke(app, ["datalist", "--help"], env={"COLUMNS": "200"}).output

    assert "|".join(["auto", *sorted(LAYOUTS)]) in shown


def test_datalist_holds_every_patient_once_with_relative_paths(dataset):
    result = runner.invoke(app, ["datalist", str(dataset)])

    assert result.exit_code == 0, result.output
    written = json.loads((dataset / "datalist.json").read_text())
    assert "stamps" not in written
    sections = [written[name] for name in ("training", "validation", "test")]
    assert sorted(item["patient"] for section in sections for item in section) == ["a", "b", "c"]
    assert not any(Path(item["dwi"]).is_absolute() for section in sections for item in section)


@pytest.mark.parametrize("options", ["", " --layout folders"])
def test_datalist_ends_with_how_to_check_the_files(dataset, options):
    (dataset / "a/dwi.nii.gz").write_bytes((dataset / "a/dwi.nii.gz").read_bytes()[:-100])

    result = runner.invoke(app, ["datalist", str(dataset), *options.split()])

    assert result.exit_code == 0, result.output
    assert result.output.endswith(f"The files were not checked; islesnet doctor {dataset}{options} does that\n")


def test_help_writes_the_shares_of_a_split_as_they_are_typed(dataset):
    shown = " ".join(runner.invoke(app, ["datalist", "--help"], env={"COLUMNS": "200"}).output.split())
    assert "--split <float> <float> <float> Shares of training" in shown
    assert "The default is --split 0.7 0.2 0.1." in shown

    given, untold = dataset / "given.json", dataset / "untold.json"
    typed = runner.invoke(app, ["datalist", str(dataset), "-o", str(given), "--split", "0.7", "0.2", "0.1"])
    assert typed.exit_code == 0, typed.output
    runner.invoke(app, ["datalist", str(dataset), "-o", str(untold)])
    assert json.loads(given.read_text()) == json.loads(untold.read_text())


def test_datalist_of_another_split_is_written_over_only_when_told_and_then_set_aside(dataset):
    path = dataset / "datalist.json"
    command = ["datalist", str(dataset), "--split"]
    runner.invoke(app, [*command, "0.34", "0.33", "0.33"])
    first = path.read_bytes()

    again = runner.invoke(app, [*command, "0.34", "0.33", "0.33"])
    refused = runner.invoke(app, [*command, "1", "0", "0"])

    assert again.exit_code == 0, again.output
    assert isinstance(refused.exception, InputError)
    said = str(refused.exception)
    assert "says another split: 2 of 3 patients are in other sections" in said
    assert "--replace to set it aside as datalist_earlier_1.json" in said and "-o FILE" in said
    assert path.read_bytes() == first

    assert runner.invoke(app, [*command, "1", "0", "0", "-o", str(dataset / "other.json")]).exit_code == 0
    assert path.read_bytes() == first
    replaced = runner.invoke(app, [*command, "1", "0", "0", "--replace"])

    assert replaced.exit_code == 0, replaced.output
    assert "datalist_earlier_1.json" in replaced.output
    assert (dataset / "datalist_earlier_1.json").read_bytes() == first
    assert len(json.loads(path.read_text())["training"]) == 3


def test_doctor_is_content_with_a_sound_data_set(dataset):
    result = runner.invoke(app, ["doctor", str(dataset)])

    assert result.exit_code == 0, result.output
    assert "3 patients: 0 errors" in result.output


def test_doctor_reads_a_datalist_that_lies_outside_its_data_set(dataset, tmp_path):
    runner.invoke(app, ["datalist", str(dataset), "-o", str(tmp_path / "elsewhere" / "datalist.json")])
    command = ["doctor", str(tmp_path / "elsewhere" / "datalist.json")]

    assert runner.invoke(app, command).exit_code == 1
    result = runner.invoke(app, [*command, "--dataset-dir", str(dataset)])

    assert result.exit_code == 0, result.output
    assert "3 patients: 0 errors" in result.output


def test_doctor_counts_what_is_a_link_to_nothing_as_errors(dataset):
    for place in ("a/label.nii.gz", "b/dwi.nii.gz", "c/dwi.nii.gz", "c/label.nii.gz"):
        (dataset / place).unlink()
        (dataset / place).symlink_to(dataset / "gone.nii.gz")

    result = runner.invoke(app, ["doctor", str(dataset)])

    assert result.exit_code == 1, result.output
    assert "3 patients: 4 errors" in result.output


def test_datalist_and_doctor_say_how_many_patients_have_which_sequences(dataset):
    scan = (dataset / "a/dwi.nii.gz").read_bytes()
    for patient, name in (("a", "flair"), ("c", "flair"), ("c", "t2")):
        (dataset / patient / f"{name}.nii.gz").write_bytes(scan)
    (dataset / "c/dwi.nii.gz").unlink()
    (dataset / "c/dwi.nii.gz").symlink_to(dataset / "gone.nii.gz")  # which nobody has
    (dataset / "b/label.nii.gz").unlink()

    for command in ("datalist", "doctor"):
        output = runner.invoke(app, [command, str(dataset)]).output

        assert "3 patients: dwi 2 (all but c), t1 0, t2 1, flair 2 (all but b), label 2 (all but b)\n" in output


def test_doctor_lists_every_problem_and_exits_with_1(dataset):
    whole = (dataset / "a/dwi.nii.gz").read_bytes()
    (dataset / "a/dwi.nii.gz").write_bytes(whole[: len(whole) // 2])
    broken = np.full((10, 12, 8), np.nan, np.float32)
    nibabel.save(nibabel.Nifti1Image(broken, np.eye(4)), dataset / "b/dwi.nii.gz")

    result = runner.invoke(app, ["doctor", str(dataset)], env={"COLUMNS": "200"})

    assert result.exit_code == 1
    assert "3 patients: 2 errors" in result.output
    assert "960" in result.output  # voxels that are NaN


def test_phantom_writes_the_siss_layout(tmp_path):
    result = runner.invoke(app, ["phantom", str(tmp_path), "-n", "1", "--spacing", "8", "--workers", "1"])

    assert result.exit_code == 0, result.output
    assert (tmp_path / "1/VSD.Brain.XX.O.MR_DWI.70613/VSD.Brain.XX.O.MR_DWI.70613.nii").exists()


def test_datalist_of_phantoms_says_so_wherever_they_were_moved(tmp_path):
    runner.invoke(app, ["phantom", str(tmp_path / "made"), "-n", "3", "--spacing", "8", "--workers", "1"])
    (tmp_path / "made").rename(tmp_path / "SISS2015_Training")

    result = runner.invoke(app, ["datalist", str(tmp_path / "SISS2015_Training"), "-o", str(tmp_path / "list.json")])

    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "list.json").read_text())["stamps"] == ["PHANTOM"]


@pytest.fixture
def masks(dataset, tmp_path):
    """Masks of the three patients: the truth, one voxel of it, nothing."""
    folder = tmp_path / "masks"
    folder.mkdir()
    for patient, keep in (("a", slice(None)), ("b", slice(0, 1)), ("c", slice(0, 0))):
        label = np.asarray(nibabel.load(dataset / patient / "label.nii.gz").dataobj)
        mask = np.zeros_like(label)
        mask[keep] = label[keep]
        nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), folder / f"{patient}_lesion.nii.gz")
    return folder


def test_evaluate_scores_masks_against_the_labels_of_a_data_set(dataset, masks, tmp_path):
    out = tmp_path / "out"

    result = runner.invoke(app, ["evaluate", "--pred", str(masks), "--truth", str(dataset), "-o", str(out)])

    assert result.exit_code == 0, result.output
    assert f"3 patients, mean Dice 0.556 -> {out / 'report.html'}" in result.output
    rows = (out / "scores.csv").read_text().splitlines()
    assert rows[0].startswith("patient,dice,")
    assert [row.split(",")[0] for row in rows[1:]] == ["a", "b", "c"]


def test_evaluate_takes_a_datalist_that_lies_outside_its_data_set(dataset, masks, tmp_path):
    runner.invoke(app, ["datalist", str(dataset), "-o", str(tmp_path / "lists" / "all.json")])
    words = ["evaluate", "--pred", str(masks), "--truth", str(tmp_path / "lists" / "all.json")]
    words += ["--images", str(tmp_path / "lists" / "all.json"), "-o", str(tmp_path / "out")]

    alone = runner.invoke(app, words)
    result = runner.invoke(app, [*words, "--dataset-dir", str(dataset)])

    assert isinstance(alone.exception, InputError) and "--dataset-dir" in str(alone.exception)
    assert result.exit_code == 0, result.output
    assert "3 patients, mean Dice 0.556" in result.output
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["config"]["dataset_dir"] == str(dataset)


def test_data_set_s_folder_is_refused_where_there_is_no_datalist(dataset, masks, tmp_path):
    words = ["evaluate", "--pred", str(masks), "--truth", str(dataset), "-o", str(tmp_path / "out")]

    result = runner.invoke(app, [*words, "--dataset-dir", str(dataset)])

    assert "is no datalist" in str(result.exception)


def test_evaluate_exits_with_1_where_a_patient_failed_and_names_it(dataset, masks, tmp_path):
    (masks / "b_lesion.nii.gz").write_bytes(b"damaged")

    result = runner.invoke(
        app, ["evaluate", "--pred", str(masks), "--truth", str(dataset), "-o", str(tmp_path / "out")]
    )

    assert result.exit_code == 1
    assert "2 patients, mean Dice 0.500" in result.output
    assert "failed: b: " in result.output and "b_lesion.nii.gz" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["segment", "-o", "out"], "Give a folder of patients, or one patient's scans (--dwi"),
        (["segment", "somewhere", "--dwi", "dwi.nii", "-o", "out"], "somewhere is not a folder"),
        (["segment", "nowhere", "-o", "out"], "nowhere"),
        (["datalist", "nowhere"], "nowhere"),
        (["doctor", "nowhere.json"], "nowhere.json"),
        (["doctor", ".", "--dataset-dir", "somewhere"], "--dataset-dir is for a datalist"),
        (["evaluate", "--pred", "nowhere", "--truth", "nowhere", "-o", "out"], "nowhere is not there"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence_and_exit_code_1(arguments, sentence, monkeypatch, capsys):
    code = run_main(monkeypatch, *arguments)

    assert code == 1
    said = capsys.readouterr().err
    assert said.startswith("islesnet: ")
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "before"),
    [
        (["segment", "", "-o", "out"], "segment"),
        (["segment", ".", "-o", ""], "-o"),
        (["segment", ".", "--output="], "--output="),
        (["segment", "-o", "out", "--dwi", ""], "--dwi"),
        (["evaluate", "--pred", "", "--truth", ".", "-o", "out"], "--pred"),
        (["phantom", ""], "phantom"),
        (["datalist", ".", "-o", ""], "-o"),
        (["doctor", "--", ""], "--"),
    ],
)
def test_empty_argument_is_not_the_current_folder(arguments, before, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run_main(monkeypatch, *arguments) == 1
    assert capsys.readouterr().err.startswith(f"islesnet: what follows {before} is empty (a variable")
    assert not list(tmp_path.iterdir())


def test_segment_without_weights_says_how_to_come_by_them(dataset, tmp_path, monkeypatch, capsys):
    code = run_main(monkeypatch, "segment", dataset, "-o", tmp_path / "out", "--model", tmp_path / "absent.pt")

    assert code == 1
    assert "There are no weights at" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_choices_of_segment_that_are_given_reach_the_bundle_and_others_stay_its_own(dataset, tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr("islesnet.segment.segment_cases", lambda cases, out, model, choices: chosen.append(choices))
    given = ["--device", "cpu", "--threshold", "0.3", "--minimum-lesion-ml", "0"]

    assert run_main(monkeypatch, "segment", dataset, "-o", tmp_path) == 0
    assert run_main(monkeypatch, "segment", dataset, "-o", tmp_path, *given) == 0

    own = {"save_probability": False, "brain_mask": "auto", "report": True, "again": False}
    assert chosen == [own, {**own, "device": "cpu", "threshold": 0.3, "minimum_lesion_ml": 0.0}]


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (("--device", "gpu"), "device is 'gpu', which cannot be used"),
        (("--threshold", "1.5"), "threshold is 1.5; it must be a number from 0 to 1."),
        (("--minimum-lesion-ml", "-1"), "minimum_lesion_ml is -1.0; it must be a number of 0 or more."),
    ],
)
def test_choice_of_segment_that_is_impossible_is_refused(option, sentence, dataset, tmp_path, monkeypatch, capsys):
    assert run_main(monkeypatch, "segment", dataset, "-o", tmp_path, *option) == 1
    assert sentence in capsys.readouterr().err


def test_link_that_stands_for_a_patient_gives_the_name_with_and_without_a_named_scan(dataset, tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(
        "islesnet.segment.segment_cases", lambda cases, *_: names.extend(case.patient for case in cases)
    )
    home = next(path for path in sorted(dataset.iterdir()) if path.is_dir())
    (tmp_path / "case-01").symlink_to(home)
    dwi = next(path for path in home.rglob("*.nii*") if "dwi" in path.name.lower())

    for further in ([], ["--dwi", str(dwi)]):
        result = runner.invoke(app, ["segment", str(tmp_path / "case-01"), "-o", str(tmp_path / "out"), *further])
        assert result.exit_code == 0, result.output
    assert names == ["case-01", "case-01"]


def test_second_patient_without_a_name_does_not_replace_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("islesnet.segment.segment_cases", lambda *_: None)
    (tmp_path / "patient_lesion.json").write_text('{"patient": "patient", "lesion_count": 1, "lesion_volume_ml": 2.0}')
    (tmp_path / "b.nii.gz").touch()
    scan = ("segment", "--dwi", tmp_path / "b.nii.gz", "-o", tmp_path)

    assert run_main(monkeypatch, *scan) == 1
    assert "holds results of a patient without a name; say --name" in capsys.readouterr().err
    assert run_main(monkeypatch, *scan, "--again") == run_main(monkeypatch, *scan, "--name", "b") == 0


def test_named_scan_is_looked_for_here_and_in_the_patients_folder(tmp_path, monkeypatch, capsys):
    named = []
    monkeypatch.setattr("islesnet.segment.segment_cases", lambda cases, *_: named.append(cases[0].named))
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna/001.nii.gz").touch()
    scan = ("segment", tmp_path / "anna", "-o", tmp_path / "out", "--dwi")

    assert run_main(monkeypatch, *scan, "001.nii.gz") == 0
    assert named == [{"dwi": tmp_path / "anna/001.nii.gz"}]
    assert run_main(monkeypatch, *scan, "002.nii.gz") == 1
    assert f"002.nii.gz does not exist, neither here nor in {tmp_path / 'anna'}" in capsys.readouterr().err


def test_name_that_means_another_file_here_than_in_the_patients_folder_is_refused(tmp_path, monkeypatch, capsys):
    named = []
    monkeypatch.setattr("islesnet.segment.segment_cases", lambda cases, *_: named.append(cases[0].brain))
    for patient in ("anna", "bert"):
        (tmp_path / patient).mkdir()
        (tmp_path / patient / "brain.nii.gz").touch()
    scan = ("segment", tmp_path / "anna", "-o", tmp_path / "out", "--brain", "brain.nii.gz")

    monkeypatch.chdir(tmp_path / "bert")
    assert run_main(monkeypatch, *scan) == 1
    assert f"{tmp_path}/bert/brain.nii.gz and {tmp_path}/anna/brain.nii.gz; give" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path / "anna")
    assert run_main(monkeypatch, *scan) == 0
    assert len(named) == 1


def test_who_stops_a_cohort_is_told_how_to_go_on(dataset, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("islesnet.segment.segment_cases", stop)

    assert run_main(monkeypatch, "segment", dataset, "-o", tmp_path) == 130
    assert "The same command goes on with the patients that are left." in capsys.readouterr().err


def test_segment_shows_why_a_mask_is_not_to_be_trusted(dataset, tmp_path, monkeypatch):
    def segment_cases(cases, output, *_):
        for case in cases:
            trust = {"is_trusted": False, "in_short": "head cut"}
            numbers = {"patient": case.patient, "lesion_volume_ml": 1.0, "lesion_count": 1, "trust": trust}
            (output / f"{case.patient}_lesion.json").write_text(json.dumps(numbers))

    monkeypatch.setattr("islesnet.segment.segment_cases", segment_cases)

    result = runner.invoke(app, ["segment", str(dataset), "-o", str(tmp_path)], env={"COLUMNS": "200"})

    assert result.exit_code == 0, result.output
    assert "check" in result.output
    assert result.output.count("head cut") == 3


@pytest.mark.parametrize(
    ("in_short", "shown"),
    [
        ("ok", "note: mask edited"),
        ("note: no DWI", "note: mask edited, no DWI"),
        ("head cut, low scan", "mask edited, head cut, low scan"),
        (None, "note: mask edited"),
    ],
)
def test_segment_shows_that_a_mask_was_changed_after_its_run(dataset, tmp_path, monkeypatch, in_short, shown):
    trust = {} if in_short is None else {"trust": {"in_short": in_short}}
    numbers = {"patient": "a", "lesion_volume_ml": 1.0, "lesion_count": 1, "mask_sha256": "of another", **trust}
    (tmp_path / "a_lesion.json").write_text(json.dumps(numbers))
    (tmp_path / "a_lesion.nii.gz").write_bytes(b"corrected")
    monkeypatch.setattr("islesnet.segment.segment_cases", lambda *_: None)

    result = runner.invoke(app, ["segment", str(dataset), "-o", str(tmp_path)], env={"COLUMNS": "200"})

    assert f"│ 1.00        │ {shown} │" in result.output


@pytest.mark.parametrize(
    ("stop", "shown"), [(None, 3), (FailedPatientsError("b: damaged", ["b"]), 2), (InputError("no weights"), 0)]
)
def test_patients_that_an_earlier_run_finished_are_in_the_table_but_for_those_that_failed(
    dataset, tmp_path, monkeypatch, stop, shown
):
    def segment_cases(*_):
        if stop is not None:
            raise stop

    for patient in ("a", "b", "c"):
        numbers = tmp_path / f"{patient}_lesion.json"
        numbers.write_text(json.dumps({"patient": patient, "lesion_volume_ml": 7.25, "lesion_count": 1}))
        os.utime(numbers, (1e9, 1e9))
    monkeypatch.setattr("islesnet.segment.segment_cases", segment_cases)

    result = runner.invoke(app, ["segment", str(dataset), "-o", str(tmp_path)])

    assert result.output.count("7.25") == shown
    assert result.exception is stop


def test_ways_to_the_brain_are_those_of_the_preparation():
    assert {way.value for way in BrainMaskWay} == set(WAYS)


@pytest.mark.parametrize("what", ["--brain", "--flair"])
def test_what_is_named_and_not_there_is_said_before_anything_is_done(what, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("islesnet.segment.segment_cases", lambda *_: pytest.fail("nothing is to be done"))
    (tmp_path / "dwi.nii.gz").touch()
    absent = (what, tmp_path / "absent.nii.gz", "-o", tmp_path / "out")

    assert run_main(monkeypatch, "segment", "--dwi", tmp_path / "dwi.nii.gz", *absent) == 1
    assert run_main(monkeypatch, "segment", tmp_path, *absent) == 1
    assert capsys.readouterr().err.count("absent.nii.gz does not exist") == 2


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("islesnet.data.find_cases", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["islesnet", "doctor", "."])

    with pytest.raises(ZeroDivisionError):
        main()


def test_installed_command_answers():
    command = Path(sys.executable).parent / "islesnet"

    assert subprocess.run([command, "--help"], capture_output=True, check=True).stdout


def test_package_runs_as_a_module_does():
    told = subprocess.run([sys.executable, "-m", "islesnet", "--version"], capture_output=True, check=True, text=True)

    assert told.stdout.strip() == f"islesnet {islesnet.__version__}"


def test_wide_patients_are_written_and_an_interrupted_cohort_goes_on(tmp_path):
    for patients in (1, 2):
        options = ["-n", str(patients), "--spacing", "6", "--wide", "--workers", "1"]
        assert runner.invoke(app, ["phantom", str(tmp_path / "wide"), *options]).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "wide").iterdir()) == ["1", "2"]
