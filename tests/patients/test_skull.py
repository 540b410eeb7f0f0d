"""An evaluation leaves the skull on, and says so; of extracted brains it says nothing."""

import pytest

from islesnet.patients import WarnOfSkull
from islesnet.phantom import PhantomSettings, make_patient, write_patient

ORDER = ("dwi", "flair", "t2", "t1")


def files_of(folder, is_skull_stripped):
    settings = PhantomSettings(spacing_mm=4.0, thick_slices_probability=0.0, is_skull_stripped=is_skull_stripped)
    written = write_patient(folder, make_patient(0, settings))
    return {"patient": "p1", "flair": written / "flair.nii.gz", "dwi": written / "dwi.nii.gz"}


@pytest.mark.parametrize("is_skull_stripped", [True, False])
def test_only_of_a_reference_with_skull_it_is_said_what_takes_it_off(is_skull_stripped, tmp_path, caplog):
    item = files_of(tmp_path / "p1", is_skull_stripped)

    passed_on = WarnOfSkull(ORDER)(item)

    assert passed_on == item
    assert ("p1: the DWI shows the skull" in caplog.text) is not is_skull_stripped
    assert ("--prepare_scans True" in caplog.text) is not is_skull_stripped


def test_of_a_skull_beyond_a_given_brain_mask_nothing_is_said(tmp_path, caplog):
    item = files_of(tmp_path / "p1", is_skull_stripped=False)

    WarnOfSkull(ORDER)({**item, "brain": tmp_path / "brain.nii.gz"})

    assert not caplog.records


def test_a_file_that_cannot_be_read_is_left_to_whoever_reads_it_next(tmp_path, caplog):
    broken = tmp_path / "dwi.nii.gz"
    broken.write_bytes(b"no volume")

    WarnOfSkull(ORDER)({"patient": "p1", "dwi": broken})

    assert not caplog.records
