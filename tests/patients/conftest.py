"""One coarse synthetic patient, and the ways in which a hospital hands it over."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.phantom import Phantom, PhantomSettings, make_patient, write_patient
from islesnet.scanner import image_of
from tests.scanner import made_dicom

FRAME = "1.2.826.0.1.3680043.8.498.1"
TAGS = {"dwi": {"SeriesDescription": "ep2d_diff_b1000_TRACEW"}, "adc": {"ImageType": ["DERIVED", "PRIMARY", "ADC"]}}
NUMBERS = {"dwi": 1, "t1": 2, "t2": 3, "flair": 4, "adc": 5}


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    return make_patient(0, PhantomSettings(spacing_mm=6.0, thick_slices_probability=0.0))


@pytest.fixture(scope="session")
def prepared(phantom, tmp_path_factory) -> Path:
    """Folder of a patient whose files lie on one grid: dwi.nii.gz, t1.nii.gz, t2.nii.gz, flair.nii.gz."""
    return write_patient(tmp_path_factory.mktemp("prepared") / "anna", phantom)


@pytest.fixture
def write_scan(phantom):
    """Write one of the phantom's sequences as the scanner might, turned by some degrees about the feet-head axis."""

    def write(path: Path, sequence: str = "dwi", degrees: float = 0.0, array=None) -> Path:
        turn = np.eye(4)
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        turn[:2, :2] = [[cosine, -sine], [sine, cosine]]
        path.parent.mkdir(parents=True, exist_ok=True)
        values = phantom.images[sequence] if array is None else array
        nibabel.save(nibabel.Nifti1Image(np.asarray(values, np.float32), turn @ phantom.affine), path)
        return path

    return write


@pytest.fixture
def write_series(phantom):
    """Write one of the phantom's sequences as a series of single-frame DICOM."""
    return lambda folder, sequence="dwi", **tags: write_dicom(folder, phantom, sequence, **tags)


def write_dicom(folder: Path, phantom: Phantom, sequence: str = "dwi", **tags) -> list[Path]:
    image = sitk.DICOMOrient(image_of(phantom.images.get(sequence, phantom.images["dwi"]), phantom.affine), "LPS")
    values = sitk.GetArrayFromImage(image)
    across, along, up = image.GetSpacing()
    said = TAGS.get(sequence) or made_dicom.tags_of(sequence)
    place = {"begin": image.GetOrigin(), "step": (0, 0, up), "PixelSpacing": [along, across]}
    own = {"number": NUMBERS[sequence], "FrameOfReferenceUID": FRAME} | place | said | tags
    return made_dicom.classic(folder, np.clip(values * 1000 / values.max(), 0, 4095).astype(np.uint16), **own)
