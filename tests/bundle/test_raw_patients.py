"""From the scanner's raw files to mask and report through the whole of `islesnet segment`, with all that goes wrong."""

import gzip
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time

import nibabel
import numpy as np
import pandas as pd
import pytest
from pydicom.uid import generate_uid

from islesnet.errors import InputError
from islesnet.patients import RawScans, find_patients
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from islesnet.segment import segment_cases
from tests.patients.conftest import write_dicom
from tests.scanner import made_dicom

CHOICES = {"cpu_bfloat16": False}
SECRETS = (b"mustermann", b"erika", b"geheim4711", b"19121224")
ODD = "$(@bundle_root) %s '\"`"


@pytest.fixture(scope="module")
def phantom():
    return make_patient(0, PhantomSettings(spacing_mm=6.0, thick_slices_probability=0.0))


@pytest.fixture(scope="module")
def scans(phantom, tmp_path_factory):
    """A prepared patient's folder, to be copied and broken."""
    return write_patient(tmp_path_factory.mktemp("scans") / "scans", phantom)


def command(patients, output, weights, *options):
    """Give the command line of `islesnet segment`."""
    start = [sys.executable, "-c", "from islesnet.cli import main; main()", "segment", str(patients), "-o", str(output)]
    return [*start, "--model", str(weights), *options]


def is_whole(path):
    """Tell whether a file can be read to its end."""
    if path.name.endswith(".nii.gz"):
        gzip.decompress(path.read_bytes())
        return np.asarray(nibabel.load(path).dataobj).size > 0
    if path.suffix == ".json":
        return bool(json.loads(path.read_text()))
    return path.stat().st_size > 0


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def broken_cohort(folder, scans, phantom):
    """Write a patient for each fault, and sound ones of every kind between them."""
    shutil.copytree(scans, folder / ODD)
    study = generate_uid()
    write_dicom(folder / "dicom/Mustermann_Erika/a", phantom, StudyInstanceUID=study)
    write_dicom(folder / "dicom/Mustermann_Erika/b", phantom, "t1", StudyInstanceUID=study)
    for path in write_dicom(folder / "dicom/Mustermann_Erika/c", phantom, "flair", StudyInstanceUID=study):
        path.write_bytes(path.read_bytes()[:-1500])

    study = generate_uid()
    for number in (1, 9):
        for path in write_dicom(folder / f"twice/{number}", phantom, number=number, StudyInstanceUID=study):
            made_dicom.edit(path, RescaleSlope=number, RescaleIntercept=0)

    for path in write_dicom(folder / "dicom bomb", phantom, StudyInstanceUID=generate_uid()):
        made_dicom.edit(path, Rows=65535, Columns=65535)

    shutil.copytree(scans, folder / "surplus")
    packed = folder / "surplus/dwi.nii.gz"
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()) + bytes(2 * 10**8)))

    (folder / "nifti bomb").mkdir()
    header = bytearray(gzip.decompress((scans / "dwi.nii.gz").read_bytes()))
    header[40:48] = np.array([3, 32767, 32767, 32767], "<i2").tobytes()
    (folder / "nifti bomb/dwi.nii.gz").write_bytes(gzip.compress(bytes(header)))

    (folder / "only adc").mkdir()
    shutil.copy(scans / "dwi.nii.gz", folder / "only adc/adc.nii.gz")
    (folder / os.fsdecode(b"only l\xe4bel")).mkdir()
    shutil.copy(scans / "dwi.nii.gz", folder / os.fsdecode(b"only l\xe4bel") / "label.nii.gz")
    (folder / "nobody").mkdir()


def test_cohort_of_faults_goes_on_and_says_what_failed_and_why(scans, phantom, weights, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    broken_cohort(tmp_path / "cohort", scans, phantom)

    with pytest.raises(InputError) as caught:
        segment_cases(find_patients(tmp_path / "cohort"), tmp_path / "out", weights, CHOICES)

    said = str(caught.value)
    assert said.startswith("5 of 8 patients failed:")
    reasons = dict(line.strip().split(": ", 1) for line in said.splitlines() if line.startswith("  ") and ": " in line)
    assert "both claim to be the DWI" in reasons["twice"] and "--dwi PATH" in reasons["twice"]
    assert "no DWI, T1, T2 or FLAIR was recognised" in reasons["only adc"]
    assert "no DWI, T1, T2 or FLAIR was recognised" in reasons["only l_bel"]
    assert "announces 65535 x 65535 x 1 voxels" in said
    assert "32767 x 32767 x 32767 voxels" in said
    assert "nobody holds no scan; left out" in caplog.text
    assert "surplus/dwi.nii.gz" in caplog.text and "goes on after its last voxel" in caplog.text

    table = pd.read_csv(tmp_path / "out/cohort.csv").set_index("patient")
    assert sorted(table.index) == sorted([ODD, "dicom", "surplus", *reasons.keys() & set(table.index)])
    assert len(table) == 8
    for patient in (ODD, "dicom", "surplus"):
        assert (tmp_path / "out" / f"{patient}_lesion.json").is_file()
        assert (tmp_path / "out" / patient / "report.html").is_file()
    page = (tmp_path / "out/dicom/report.html").read_text()
    assert "is cut short or damaged" in page
    assert (tmp_path / "out/dicom/lesion.dcm").is_file()

    written = files_in(tmp_path / "out")
    assert all(is_whole(path) for path in written)
    assert not [path for path in written if path.name.startswith(".part.")]
    for path in written:
        content = path.read_bytes()
        unpacked = gzip.decompress(content) if path.suffix == ".gz" else b""
        assert not [word for word in SECRETS if word in content.lower() + unpacked.lower()], path
    assert not [word for word in SECRETS if word in caplog.text.lower().encode()]


@pytest.mark.slow
def test_cohort_killed_in_the_middle_goes_on_with_nothing_lost_nothing_twice_and_no_half_file(scans, weights, tmp_path):
    for number in range(4):
        shutil.copytree(scans, tmp_path / f"cohort/p{number}")
    out = tmp_path / "out"
    process = subprocess.Popen(command(tmp_path / "cohort", out, weights), stderr=subprocess.DEVNULL)
    until = time.time() + 120
    while not (out / "p1_lesion.json").exists() and time.time() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in out.glob("p*_lesion.json")}
    assert 2 <= len(done) < 4
    assert all(is_whole(path) for path in files_in(out) if not path.name.startswith(".part."))

    again = subprocess.run(command(tmp_path / "cohort", out, weights), capture_output=True, text=True, timeout=200)

    assert again.returncode == 0, again.stderr
    assert f"{len(done)} of 4 patients were finished before" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert pd.read_csv(out / "cohort.csv")["patient"].tolist() == ["p0", "p1", "p2", "p3"]
    assert all(is_whole(path) for path in files_in(out))
    assert json.loads((out / "provenance.json").read_text())["finished"] is True


@pytest.mark.slow
def test_full_disk_in_the_preparation_is_said_of_each_patient_and_leaves_no_half_file(phantom, weights, tmp_path):
    for number in range(2):
        study = generate_uid()
        for sequence in ("dwi", "t1"):
            write_dicom(tmp_path / f"cohort/p{number}/{sequence}", phantom, sequence, StudyInstanceUID=study)
    limited = ["bash", "-c", 'ulimit -f 32; exec "$@"', "limited"]  # 32 KiB a file

    run = subprocess.run(
        limited + command(tmp_path / "cohort", tmp_path / "out", weights), capture_output=True, text=True, timeout=200
    )

    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "2 of 2 patients failed" in run.stderr and ": file too large" in run.stderr
    written = files_in(tmp_path / "out")
    assert not [path for path in written if ".part." in path.name or path.name.endswith("_lesion.json")]
    assert all(is_whole(path) for path in written)


def test_patient_named_by_the_user_has_its_pseudonym_and_nothing_else(phantom, weights, tmp_path):
    write_dicom(tmp_path / "Mustermann/a", phantom)

    segment_cases([RawScans("p-17", tmp_path / "Mustermann")], tmp_path / "out", weights, CHOICES)

    for path in files_in(tmp_path / "out"):
        told = f"{path.relative_to(tmp_path)}".encode() + path.read_bytes()
        assert b"mustermann" not in told.lower(), path


def test_mask_lies_on_the_sequence_that_was_asked_for(phantom, weights, tmp_path):
    affine = phantom.affine.copy()
    affine[:3, 3] += 3
    nibabel.save(nibabel.Nifti1Image(phantom.images["dwi"], phantom.affine), tmp_path / "a_dwi.nii.gz")
    nibabel.save(nibabel.Nifti1Image(phantom.images["flair"][..., 1:], affine), tmp_path / "b_flair.nii.gz")
    order = {"reference_order": ["flair", "dwi", "t2", "t1"]}

    segment_cases([RawScans("anna", tmp_path)], tmp_path / "out", weights, CHOICES | order)

    mask = nibabel.load(tmp_path / "out/anna_lesion.nii.gz")
    assert mask.shape == (39, 39, 25)
    np.testing.assert_array_equal(mask.affine, nibabel.load(tmp_path / "b_flair.nii.gz").affine)


def test_patient_that_fails_now_has_no_numbers_of_an_earlier_run(scans, weights, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    shutil.copy(scans / "dwi.nii.gz", folder / "x dwi.nii.gz")
    segment_cases([RawScans("anna", folder)], tmp_path / "out", weights, CHOICES)
    (folder / "x dwi.nii.gz").write_bytes(b"no longer a scan")

    with pytest.raises(InputError, match="1 of 1 patients failed"):
        segment_cases([RawScans("anna", folder)], tmp_path / "out", weights, CHOICES)

    assert not (tmp_path / "out/anna_lesion.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["raw-oblique", "dicom-dwi"])
def test_real_raw_patient_gets_a_mask_and_a_report(real_data, weights, tmp_path, name):
    patients = find_patients(real_data / name)

    segment_cases(patients, tmp_path, weights, CHOICES)

    (patient,) = patients
    told = json.loads((tmp_path / name / "scans.json").read_text())
    mask = nibabel.load(tmp_path / f"{patient.patient}_lesion.nii.gz")
    reference = nibabel.load(
        tmp_path / name / "dwi.nii.gz"
        if name == "dicom-dwi"
        else real_data / "raw-oblique/TCGA-FG-6692_native_FLAIR.nii.gz"
    )
    assert told["reference"] == ("dwi" if name == "dicom-dwi" else "flair")
    assert told["brain_mask"] in ("template", "hd-bet")
    assert mask.shape == reference.shape
    np.testing.assert_allclose(mask.affine, reference.affine, atol=1e-4)
    brain = np.asarray(nibabel.load(tmp_path / name / "brain.nii.gz").dataobj) > 0
    assert 0.8e6 < brain.sum() * np.prod(mask.header.get_zooms()) < 2.2e6
    assert (tmp_path / name / "report.html").stat().st_size > 10_000
    assert (tmp_path / name / "lesion.dcm").is_file() is (name == "dicom-dwi")
