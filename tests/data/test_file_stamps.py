import nibabel
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.data import Case, stamps_in_file, stamps_in_files
from islesnet.stamps import describe


@pytest.fixture
def write_stamped(write_volume):
    def write(name, *stamps, kind=nibabel.Nifti1Image):
        path = write_volume(name)
        image = kind.from_image(nibabel.load(path, mmap=False))
        image.header["descrip"] = describe(stamps)
        nibabel.save(image, path)
        return path

    return write


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_stamps_are_read_from_the_header(write_stamped, suffix, kind):
    assert stamps_in_file(write_stamped(f"dwi{suffix}", "PHANTOM", "QUICK", kind=kind)) == ["PHANTOM", "QUICK"]


def test_scan_of_a_scanner_bears_none(write_volume):
    assert stamps_in_file(write_volume("dwi.nii.gz")) == []


def test_missing_or_damaged_file_and_another_format_bear_none(write_volume, tmp_path):
    (tmp_path / "dwi.nii.gz").write_bytes(b"damaged")
    sitk.WriteImage(sitk.ReadImage(str(write_volume("t1.nii"))), str(tmp_path / "t1.mha"))
    for name in ("dwi.nii.gz", "absent.nii", "t1.mha"):
        assert stamps_in_file(tmp_path / name) == []


def test_stamps_of_patients_are_those_of_their_references_each_once(write_stamped, write_volume):
    phantom = Case("1", {"dwi": write_stamped("1/dwi.nii.gz", "PHANTOM"), "t1": write_volume("1/t1.nii.gz")})
    another = Case("2", {"flair": write_stamped("2/flair.nii.gz", "PHANTOM", "QUICK")})
    real = Case("3", {"dwi": write_volume("3/dwi.nii.gz")})
    assert stamps_in_files([real, phantom, another]) == ["PHANTOM", "QUICK"]
    assert stamps_in_files([real]) == stamps_in_files([]) == []
