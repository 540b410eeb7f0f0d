"""Siemens' mosaics, on the headers of real ones, which nibabel carries for its own tests."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from islesnet.errors import InputError
from islesnet.patients import PrepareScans, RawScans
from islesnet.patients.scans import Preparation
from islesnet.scanner import affine_of, read_patient
from islesnet.scanner.dicom.b_values import direction_of

REAL = Path(nibabel.__file__).parent / "nicom/tests/data"
SHAPE, TILES_A_ROW = (48, 128, 128), 7  # slices, rows, columns; 48 slices of 128 x 128 in 896 x 896 pixels

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="this nibabel comes without its tests' data")


def head(scale):
    """Values (slices, rows, columns), no two slices alike, lower than 2 ** 16."""
    slices, rows, columns = np.indices(SHAPE)
    inside = np.hypot(rows - 64, columns - 64) < 50
    return (inside * (scale + slices + (rows + columns) % 7)).astype(np.uint16)


def write_mosaic(folder, b_value, values):
    """Write a real header with values of ours, whose own were blanked."""
    folder.mkdir(exist_ok=True)
    with gzip.open(REAL / f"siemens_dwi_{b_value}.dcm.gz") as stream:
        header = pydicom.dcmread(stream)
    picture = np.zeros((header.Rows, header.Columns), np.uint16)
    for index, plane in enumerate(values):
        down, across = index // TILES_A_ROW * 128, index % TILES_A_ROW * 128
        picture[down : down + 128, across : across + 128] = plane
    header.PixelData = picture.tobytes()
    header.save_as(folder / f"{b_value}.dcm")
    return folder / f"{b_value}.dcm"


@pytest.fixture
def scans(tmp_path):
    for b_value, scale in ((0, 900), (1000, 300)):
        write_mosaic(tmp_path / "scans", b_value, head(scale))
    return tmp_path / "scans"


def test_tiles_become_slices_where_they_lay_in_the_scanner(scans):
    patient = read_patient(scans)
    for role, scale in (("dwi", 300), ("b0", 900)):
        assert np.array_equal(SimpleITK.GetArrayFromImage(patient.images[role].image), head(scale))
    # As nibabel's own test has it, found with SPM.
    expected = [
        [-1.796875, 0, 0, 115.0],
        [0, -1.79684984, -0.01570896, 135.028779],
        [0, -0.00940843750, 2.99995887, -78.710481],
        [0, 0, 0, 1],
    ]
    assert np.allclose(affine_of(patient.images["dwi"].image), expected, atol=1e-4)
    assert patient.images["dwi"].b_value == 1000
    assert "adc" in patient.images


def test_direction_is_read_from_the_header_before_ve11(scans):
    direction = direction_of(pydicom.dcmread(scans / "1000.dcm"))
    assert np.linalg.norm(direction) == pytest.approx(1, abs=0.01)
    assert direction_of(pydicom.dcmread(scans / "0.dcm")) is None


def test_mosaic_gets_no_dicom_segmentation_and_the_report_says_so(scans, tmp_path):
    prepared = PrepareScans(tmp_path / "out", ("dwi",), brain_mask="none")(RawScans("anna", scans).item())
    preparation = Preparation.from_text(prepared["preparation"])
    assert preparation.dicom == ()
    assert "tiled into one picture (Siemens mosaic)" in preparation.notes[-1]


def test_mosaic_whose_private_header_was_taken_out_is_refused(scans):
    header = pydicom.dcmread(scans / "1000.dcm")
    header.remove_private_tags()
    header.save_as(scans / "1000.dcm")
    with pytest.raises(InputError, match="its CSA header is gone"):
        read_patient(scans, {"dwi": scans / "1000.dcm"})
