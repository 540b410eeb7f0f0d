"""Choices of preparing that are refused or noted."""

import re

import pytest
import torch

from islesnet.errors import InputError
from islesnet.patients import Preparation, PrepareScans, RawScans, find_patients
from islesnet.patients.brain import NONE
from islesnet.patients.scans import PREPARATION
from tests.scanner.made_dicom import classic, enhanced, head, tags_of


@pytest.fixture
def prepare(tmp_path):
    """Prepare a folder's scans, the skull left on; gives what was made of them."""
    transform = PrepareScans(tmp_path / "out", ("dwi", "flair", "t2", "t1"), brain_mask=NONE)

    def make(folder):
        return Preparation.from_text(transform(RawScans("anna", folder).item())[PREPARATION])

    return make


@pytest.mark.parametrize("way", [False, "off", None, "bet"])
def test_way_to_the_brain_that_is_none_is_refused_with_those_there_are(tmp_path, way):
    with pytest.raises(InputError, match=re.escape(f"brain_mask is {way!r}; there are auto, hd-bet, template, none.")):
        PrepareScans(tmp_path, ("dwi",), brain_mask=way)


def test_device_is_handed_to_what_finds_the_brain(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("islesnet.patients.brain.find_brain", lambda *arguments: asked.append(arguments[3]) or 1 / 0)
    classic(tmp_path / "scans", **tags_of("t1"))

    with pytest.raises(ZeroDivisionError):
        PrepareScans(tmp_path, ("t1",), device=torch.device("cuda:1"))(RawScans("anna", tmp_path / "scans").item())

    assert asked == ["cuda:1"]


def test_one_patient_written_in_small_letters_is_refused(tmp_path):
    with pytest.raises(InputError, match="one_patient is 'false'; write --one_patient True or --one_patient False"):
        find_patients(tmp_path, "false")


def test_frames_of_the_reference_in_a_multi_frame_file_are_kept_for_the_dicom_segmentation(prepare, tmp_path):
    (tmp_path / "scans").mkdir()
    volumes = [(0, "NONE", None, head()), (1000, "ISOTROPIC", None, head())]
    path = enhanced(tmp_path / "scans/all.dcm", volumes)
    preparation = prepare(tmp_path / "scans")
    assert preparation.dicom == tuple((str(path), 2 * index + 1) for index in range(len(head())))


def test_slices_of_the_reference_are_kept_for_the_dicom_segmentation(prepare, tmp_path):
    files = classic(tmp_path / "scans", **tags_of("t1"))
    preparation = prepare(tmp_path / "scans")
    assert preparation.dicom == tuple((str(path), None) for path in files)
    assert not [note for note in preparation.notes if "DICOM segmentation" in note]
