"""The report of one patient: what it is made of, what it says, and what it keeps to itself."""

import json

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from monai.data.meta_tensor import MetaTensor

from islesnet.data import REFERENCE_ORDER
from islesnet.patients import PrepareScans, RawScans, ReportPatientd
from islesnet.patients.reporting import volumes_on
from islesnet.patients.scans import PREPARATION, Preparation
from islesnet.report.patient import measure_lesions
from islesnet.scanner import image_of
from tests.scanner import made_dicom


@pytest.fixture
def report(phantom, tmp_path):
    """Prepare a patient, report the phantom's own lesion as its mask, and give what was written."""
    (tmp_path / "model.pt").write_bytes(b"weights")

    def write(raw, **further):
        item = PrepareScans(tmp_path / "out", REFERENCE_ORDER, brain_mask="none")(raw.item()) | further
        reference = nibabel.load(item[json.loads(item[PREPARATION])["reference"]])
        mask = on_grid(phantom, reference)
        item["reference"] = MetaTensor(torch.zeros(mask.shape), meta={"original_affine": reference.affine})
        item["pred"], item["probability"] = torch.as_tensor(mask), torch.as_tensor(mask) * 0.9
        handed_on = ReportPatientd("pred", tmp_path / "out", tmp_path / "model.pt")(item)
        assert handed_on == item
        return tmp_path / "out" / raw.patient

    return write


def on_grid(phantom, reference):
    """Give the phantom's lesion in the order of a file's axes, ``(1, X, Y, Z)``."""
    image = nibabel.Nifti1Image(phantom.label.astype(np.float32), phantom.affine)
    turned = image.as_reoriented(
        nibabel.orientations.ornt_transform(
            nibabel.io_orientation(phantom.affine), nibabel.io_orientation(reference.affine)
        )
    )
    return np.ascontiguousarray(turned.dataobj)[None]


def said(folder):
    return json.loads((folder / "patient.json").read_text())


def test_page_table_and_data_are_written(write_scan, report, tmp_path):
    folder = report(RawScans("anna", None, {"dwi": write_scan(tmp_path / "x.nii.gz")}))

    assert {path.name for path in folder.iterdir()} == {"report.html", "lesions.csv", "patient.json"}


def test_ratio_to_the_other_side_does_not_hang_on_a_scans_offset(phantom, tmp_path):
    dwi, mask = phantom.images["dwi"], phantom.label > 0
    found = []
    for offset in (0.0, -1024.0, 500.0):
        nibabel.save(nibabel.Nifti1Image(np.float32(dwi + offset), phantom.affine), tmp_path / "dwi.nii.gz")
        preparation = Preparation({"dwi": str(tmp_path / "dwi.nii.gz")}, "dwi")
        volumes, _ = volumes_on(mask, phantom.affine, preparation, mask * 0.9)
        found.append([lesion.intensity_ratios["dwi"] for lesion in measure_lesions(volumes)])

    assert found[0][0] > 1
    assert found[1] == pytest.approx(found[0], rel=0.02) and found[2] == pytest.approx(found[0], rel=0.02)


def test_report_carries_the_scans_notes_or_those_of_the_trust_that_begin_with_them(write_scan, report, tmp_path):
    dwi, flair = write_scan(tmp_path / "x.nii.gz"), write_scan(tmp_path / "y.nii.gz", "flair", degrees=4)
    raw = RawScans("anna", None, {"dwi": dwi, "flair": flair})

    page = (report(raw) / "report.html").read_text()
    assert "FLAIR was registered to DWI" in page

    trust = {"is_trusted": False, "reasons": ["The head is cut."], "notes": ["Absent, and done without: T1."]}
    page = (report(raw, trust=trust) / "report.html").read_text()
    assert "The head is cut." in page and "Absent, and done without: T1." in page


def test_page_opens_without_a_network_and_escapes_what_a_file_is_called(write_scan, report, tmp_path):
    dwi = write_scan(tmp_path / "anna/dwi.nii.gz")
    write_scan(tmp_path / "anna/<script>alert(1)<.nii.gz", degrees=4)
    (tmp_path / "anna/<img src=x onerror=alert(1)>.nii.gz").write_bytes(b"no volume")

    page = (report(RawScans("<b>anna", tmp_path / "anna", {"dwi": dwi})) / "report.html").read_text()

    assert "<b>anna" not in page and "<img src=x" not in page and "<script>alert" not in page
    assert "&lt;img src=x" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page.replace(
        "https://doi.org", ""
    )


def test_adc_that_cannot_be_read_costs_a_note_and_not_the_patient(write_scan, phantom, report, tmp_path):
    dwi = write_scan(tmp_path / "dwi.nii.gz")
    adc = write_scan(tmp_path / "adc.nii.gz", array=np.full(phantom.brain.shape, 0.8))
    adc.write_bytes(adc.read_bytes()[:-20])

    page = (report(RawScans("anna", None, {"dwi": dwi})) / "report.html").read_text()

    assert "adc.nii.gz (ADC) is left out: it " in page and "cut short" in page
    assert str(tmp_path) not in page


@pytest.mark.parametrize(("value", "is_used"), [(0.8, True), (800, True), (0.0008, True), (30.0, False)])
def test_adc_is_used_in_any_usual_unit_and_told_where_it_has_none(
    write_scan, phantom, report, tmp_path, value, is_used
):
    dwi = write_scan(tmp_path / "dwi.nii.gz")
    write_scan(tmp_path / "adc.nii.gz", array=np.where(phantom.brain, value, 0))

    page = (report(RawScans("anna", None, {"dwi": dwi})) / "report.html").read_text()

    assert ("adc.nii.gz (ADC) is left out: it has a median of" in page) is not is_used
    assert ("Mean ADC" in page) is is_used
    assert ("it was brought to 1e-3 mm2/s" in page) is (is_used and value != 0.8)


def test_adc_on_another_grid_is_not_blended_with_where_it_has_no_value(write_scan, phantom, tmp_path):
    files = {
        "dwi": str(write_scan(tmp_path / "dwi.nii.gz")),
        "adc": str(write_scan(tmp_path / "adc.nii.gz", array=np.where(phantom.brain, 0.8, 0), degrees=7)),
    }

    lesion = phantom.label > 0
    volumes, notes = volumes_on(lesion, phantom.affine, Preparation(files, "dwi"), lesion.astype(float))

    known = volumes.adc[np.isfinite(volumes.adc)]
    assert known.size > 0.8 * phantom.brain.sum()
    assert known == pytest.approx(0.8, rel=1e-5)
    assert notes == []


def test_stamp_of_the_reference_stands_on_the_page(prepared, report):
    page = (report(RawScans("anna", None, {"dwi": prepared / "dwi.nii.gz"})) / "report.html").read_text()

    assert "PHANTOM" in page


def test_dicom_segmentation_lies_on_the_slices_of_the_dwi(write_series, phantom, report, tmp_path):
    slices = write_series(tmp_path / "anna/a")

    folder = report(RawScans("pseudonym", tmp_path / "anna"))

    dicom = pydicom.dcmread(folder / "lesion.dcm")
    source = sitk.ReadImage([str(path) for path in slices])
    read = sitk.ReadImage(str(folder / "lesion.dcm"))
    assert dicom.Modality == "SEG" and dicom.PatientName == dicom.PatientID == "pseudonym"
    assert dicom.StudyInstanceUID == made_dicom.STUDY
    marked = sitk.DICOMOrient(image_of(phantom.label, phantom.affine), "LPS")
    assert dicom.pixel_array.sum() == phantom.label.sum()
    # GDCM leaves the last voxels unset where their number is no multiple of 8.
    turned = sitk.GetArrayFromImage(sitk.DICOMOrient(read, "LPS")) > 0
    assert (turned != (sitk.GetArrayFromImage(marked) > 0)).sum() < 8
    np.testing.assert_allclose(sitk.DICOMOrient(read, "LPS").GetOrigin(), source.GetOrigin(), atol=1e-3)
    named = {
        item.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for item in dicom.PerFrameFunctionalGroupsSequence
    }
    assert named == {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in slices}


def test_dicom_without_what_a_segmentation_needs_costs_a_note_without_the_path(write_series, report, tmp_path):
    for path in write_series(tmp_path / "anna/Mustermann"):
        header = pydicom.dcmread(path)
        del header.FrameOfReferenceUID
        header.save_as(path)

    folder = report(RawScans("anna", tmp_path / "anna"))

    page = (folder / "report.html").read_text()
    assert "No DICOM segmentation was written: " in page and "FrameOfReferenceUID" in page
    assert "Mustermann" not in page
    assert not (folder / "lesion.dcm").exists()


def test_person_of_the_dicom_header_stands_in_no_byte_of_any_file(write_series, report, tmp_path):
    write_series(tmp_path / "anna/Mustermann/a", InstitutionName="Charite GEHEIM4711")
    write_series(tmp_path / "anna/Mustermann/b", "flair", SeriesDescription="FLAIR Erika Mustermann")

    folder = report(RawScans("anna", tmp_path / "anna"))

    names = {path.name for path in folder.iterdir()}
    assert {"lesion.dcm", "report.html", "scans.json", "dwi.nii.gz", "flair.nii.gz"} <= names
    import gzip

    for path in folder.iterdir():
        content = path.read_bytes()
        for raw in (content, gzip.decompress(content)) if path.suffix == ".gz" else (content,):
            found = [word for word in (b"mustermann", b"erika", b"geheim4711", b"19121224") if word in raw.lower()]
            assert not found, path.name
