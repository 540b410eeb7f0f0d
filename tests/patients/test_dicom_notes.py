"""A DICOM segmentation that cannot be made costs nothing else."""

import logging
from pathlib import Path

import numpy as np
import pytest

from islesnet.errors import InputError
from islesnet.patients import ReportPatientd, reporting
from islesnet.patients.scans import Preparation


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (InputError("the slices are of two series."), "the slices are of two series."),
        (FileNotFoundError(2, "No such file", "Doe/IM1"), "highdicom could not make one of this series."),
        (AttributeError("Doe^Jane has no SliceThickness"), "highdicom could not make one of this series."),
    ],
)
def test_dicom_segmentation_that_cannot_be_made_is_a_note_and_no_failure(tmp_path, monkeypatch, caplog, error, note):
    def fail(*args):
        raise error

    monkeypatch.setattr(reporting, "write_dicom_seg", fail)
    report = ReportPatientd("pred", tmp_path, tmp_path / "model.pt")
    preparation = Preparation({"dwi": "dwi.nii.gz"}, "dwi", dicom=(("IM1", None),))
    with caplog.at_level(logging.INFO):
        notes = report._write_dicom(Path("anna"), np.zeros((2, 2, 2), bool), np.eye(4), preparation)
    assert notes == [f"No DICOM segmentation was written: {note}"]
    assert "anna: no DICOM segmentation" in caplog.text and "Doe" not in caplog.text


def test_full_disk_is_no_matter_of_the_series(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device", "anna/lesion.dcm")

    monkeypatch.setattr(reporting, "write_dicom_seg", fail)
    report = ReportPatientd("pred", tmp_path, tmp_path / "model.pt")
    preparation = Preparation({"dwi": "dwi.nii.gz"}, "dwi", dicom=(("IM1", None),))
    with pytest.raises(OSError, match="No space left"):
        report._write_dicom(Path("anna"), np.zeros((2, 2, 2), bool), np.eye(4), preparation)
