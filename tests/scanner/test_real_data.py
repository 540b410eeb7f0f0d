"""The public volumes, as they come."""

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.scanner import read_patient

FOUND = {
    "dicom-dwi": {"dwi", "b0", "adc"},
    "raw-oblique": {"t1", "t2", "flair"},
    "isles22-0009": {"dwi", "adc", "flair"},
    "isles22-mca": {"dwi", "adc", "flair"},
    "glioma-1mm": {"t1", "t2", "flair"},
}


@pytest.mark.parametrize("name", FOUND)
def test_sequences_of_a_real_patient_are_found(real_data, name):
    patient = read_patient(real_data / name)
    assert set(patient.images) == FOUND[name]
    for raw in patient.images.values():
        assert raw.image.GetPixelID() == sitk.sitkFloat32
        assert np.isfinite(sitk.GetArrayViewFromImage(raw.image)).all()


def test_adc_of_a_real_patient_is_that_of_tissue(real_data):
    for name in ("dicom-dwi", "isles22-0009", "isles22-mca"):
        values = sitk.GetArrayFromImage(read_patient(real_data / name).images["adc"].image)
        assert 0.6 < np.median(values[values > 0.2]) < 1.5


def test_real_dicom_gives_its_slices_in_order(real_data):
    frames = read_patient(real_data / "dicom-dwi").images["dwi"].dicom
    theirs = sitk.ReadImage([str(frame.path) for frame in frames])
    ours = read_patient(real_data / "dicom-dwi").images["dwi"].image
    np.testing.assert_allclose(ours.GetOrigin(), theirs.GetOrigin(), atol=1e-4)
    np.testing.assert_allclose(ours.GetDirection(), theirs.GetDirection(), atol=1e-4)


def test_real_axis_orders_show_one_head(real_data):
    heads = []
    for code in ("RAS", "LPS", "PIR", "SRA"):
        path = real_data / "orientations" / f"{code}.nii.gz"
        image = read_patient(real_data / "orientations", {"t1": path}).images["t1"].image
        heads.append(sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS")))
    assert all(np.array_equal(head, heads[0]) for head in heads)


def test_real_sheared_scan_is_refused_with_the_reason(real_data):
    folder = real_data / "orientations"
    with pytest.raises(InputError, match=r"sheared by \d+\.\d+ degrees \(gantry tilt\?\)"):
        read_patient(folder, {"t1": folder / "shear.nii.gz"})
    with pytest.raises(InputError, match="name one: --dwi PATH"):
        read_patient(folder)
