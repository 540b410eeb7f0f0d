"""The released bundle: what MONAI's clients open, complete without the checkout's configs."""

import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import torch
from monai.bundle import ConfigParser

from islesnet.data import Case, read_volume
from islesnet.networks import write_trained_with
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from islesnet.segment import segment_cases
from workflows import release_bundle
from workflows.bundle_config import open_recipe

LOAD = """
import sys
import torch
from monai.bundle import load

weights = torch.load(f"{sys.argv[1]}/islesnet/models/model.pt", weights_only=True)
for workflow_type in ("train", "inference"):
    network = load("islesnet", bundle_dir=sys.argv[1], workflow_type=workflow_type, device="cpu")
    loaded = network.state_dict()
    assert all(torch.equal(loaded[name], value.to(loaded[name])) for name, value in weights.items())
    print("loaded", workflow_type, type(network).__name__)
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    assert release_bundle.main(["--out", str(folder)]) == 0
    return folder


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A copy of the bundle, whose files a test may change."""
    shutil.copytree(release_bundle.BUNDLE, tmp_path / "bundle")
    monkeypatch.setattr(release_bundle, "BUNDLE", tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.mark.parametrize(("name", "recipe"), release_bundle.CONFIGS.items())
def test_config_is_the_recipes_whole_stack(release, name, recipe):
    alone = ConfigParser()
    alone.read_config(str(release / "islesnet" / "configs" / f"{name}.json"))
    stacked = open_recipe(f"recipes/{recipe}.yaml", {"bundle_root": "."})

    assert json.loads(json.dumps(alone.get())) == json.loads(json.dumps(stacked.get()))


def test_network_is_loaded_from_anywhere_with_its_weights(release, tmp_path):
    command = [sys.executable, "-c", LOAD, str(release)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)

    assert done.returncode == 0, done.stderr
    assert re.findall("loaded (.*)", done.stdout) == ["train SlabNetwork", "inference SlabNetwork"]


@pytest.mark.slow
def test_mask_is_that_of_the_checkout(release, tmp_path):
    settings = PhantomSettings(spacing_mm=4.0, volume_ml=(20.0, 60.0))
    patient = write_patient(tmp_path / "patients" / "anna", make_patient(7, settings), with_label=False)
    command = [sys.executable, "-m", "monai.bundle", "run", "inference", "--config_file", "configs/inference.json"]
    command += ["--dataset_dir", str(patient), "--output_dir", str(tmp_path / "released")]

    done = subprocess.run(command, cwd=release / "islesnet", capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    segment_cases(
        [Case("anna", {name: patient / f"{name}.nii.gz" for name in ("dwi", "t1", "t2", "flair")})],
        tmp_path / "checkout",
    )

    released, own = (read_volume(tmp_path / place / "anna_lesion.nii.gz").array for place in ("released", "checkout"))
    assert own.any()
    assert torch.equal(torch.as_tensor(released), torch.as_tensor(own))


def test_archive_has_the_name_that_is_downloaded_and_holds_the_folder(release):
    with zipfile.ZipFile(release / "islesnet_v0.1.0.zip") as archive:
        packed = {name for name in archive.namelist() if not name.endswith("/")}

    files = (path for path in (release / "islesnet").rglob("*") if path.is_file())
    assert packed == {path.relative_to(release).as_posix() for path in files}
    models = {name.rpartition("/")[2] for name in packed if "/models/" in name}
    assert models == {
        "model.pt",
        "model.pt.sha256",
        "model_operating_point.json",
        "model_appearance.json",
        "model_subsets.json",
    }


def test_folder_that_is_there_is_not_replaced(tmp_path, capsys):
    (tmp_path / "islesnet").mkdir()

    assert release_bundle.main(["--out", str(tmp_path)]) == 1

    assert "is there already" in capsys.readouterr().err


def test_weights_that_the_card_does_not_describe_are_refused(checkout, tmp_path, capsys):
    (checkout / "models" / "model.pt.sha256").unlink()

    assert release_bundle.main(["--out", str(tmp_path / "out")]) == 1

    assert "sha256sum model.pt > model.pt.sha256" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_weights_that_were_trained_otherwise_than_the_release_uses_them_are_refused(checkout, tmp_path, capsys):
    write_trained_with(checkout / "models" / "model.pt", {"head": "sigmoid"})

    assert release_bundle.main(["--out", str(tmp_path / "out")]) == 1

    assert "were trained with head sigmoid" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_damaged_weights_are_refused(checkout, tmp_path, capsys):
    weights = checkout / "models" / "model.pt"
    weights.write_bytes(weights.read_bytes()[:-1000])

    assert release_bundle.main(["--out", str(tmp_path / "out")]) == 1

    assert "model.pt" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
