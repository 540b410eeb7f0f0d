import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from monai.data import MetaTensor
from monai.transforms import LoadImage, LoadImaged
from nibabel.eulerangles import euler2mat

from islesnet.data.reader import VolumeReader
from islesnet.errors import InputError

VALUES = np.arange(16 * 14 * 12, dtype=np.int16).reshape(16, 14, 12)
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = euler2mat(0.2, -0.1, 0.3) @ np.diag([-2.0, 1.5, 5.0])
OBLIQUE[:3, 3] = (12.5, -40.0, 7.25)


@pytest.fixture
def pair(write_volume, tmp_path):
    """One volume as .nii.gz and as .mha."""
    path = write_volume("a.nii.gz", VALUES, OBLIQUE)
    sitk.WriteImage(sitk.ReadImage(str(path)), str(tmp_path / "a.mha"), useCompression=True)
    return {"nifti": str(path), "meta": str(tmp_path / "a.mha")}


@pytest.mark.parametrize("reader", [VolumeReader(), "NibabelReader"])
def test_mha_is_loaded_as_the_nifti_is_and_that_as_by_monais_reader(pair, reader):
    nifti = LoadImage(reader=reader, ensure_channel_first=True)(pair["nifti"])
    meta = LoadImaged(keys="meta", reader=VolumeReader(), ensure_channel_first=True)(pair)["meta"]
    assert isinstance(meta, MetaTensor)
    assert meta.shape == (1, 16, 14, 12)
    np.testing.assert_array_equal(meta.numpy(), nifti.numpy())
    np.testing.assert_allclose(meta.affine.numpy(), nifti.affine.numpy(), atol=1e-5)
    np.testing.assert_allclose(meta.meta["original_affine"], nifti.meta["original_affine"], atol=1e-5)
    for key in ("spatial_shape", "original_channel_dim", "space"):
        np.testing.assert_array_equal(meta.meta[key], nifti.meta[key])
    assert meta.meta["filename_or_obj"] == pair["meta"]
    assert meta.dtype == nifti.dtype


def test_reader_takes_only_its_own_suffixes(pair):
    reader = VolumeReader()
    assert reader.verify_suffix([pair["meta"], pair["nifti"]])
    assert not reader.verify_suffix([pair["meta"], "x.png"])
    with pytest.raises(InputError, match=r"this reader reads .nii.gz, .nii, .mha, .mhd, .nrrd"):
        reader.read("x.png")


@pytest.mark.parametrize("stated", [(1.0, 1.0, 1.0), (2.0, 1.5, 9.0), (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("qform_code", [0, 1])
def test_nifti_lies_where_its_sform_says_whatever_voxel_size_and_qform_say(tmp_path, stated, qform_code):
    image = nibabel.Nifti1Image(VALUES, OBLIQUE)
    image.header["pixdim"][1:4] = stated
    image.header["qform_code"] = qform_code
    nibabel.save(image, tmp_path / "a.nii")

    volume = LoadImage(reader=VolumeReader())(tmp_path / "a.nii")

    np.testing.assert_allclose(volume.affine.numpy(), OBLIQUE, atol=1e-4)


@pytest.mark.parametrize("kind", ["<i2", ">i2", ">f4", "u2", "f8"])
def test_values_of_any_kind_and_scaling_are_read(tmp_path, kind):
    header = nibabel.Nifti1Header(endianness="<" if kind.startswith("<") else ">")
    image = nibabel.Nifti1Image(VALUES, OBLIQUE, header)
    image.set_data_dtype(np.dtype(kind).newbyteorder("="))
    image.header.set_slope_inter(0.5, 10)
    nibabel.save(image, tmp_path / "a.nii.gz")

    volume = LoadImage(reader=VolumeReader())(tmp_path / "a.nii.gz")

    expected = nibabel.load(tmp_path / "a.nii.gz").get_fdata()
    np.testing.assert_allclose(volume.numpy(), expected, rtol=1e-6)


def test_several_files_become_channels(pair, write_volume, tmp_path):
    loaded = LoadImage(reader=VolumeReader(), ensure_channel_first=True)([pair["meta"], pair["meta"]])
    assert loaded.shape == (2, 16, 14, 12)
    sitk.WriteImage(sitk.ReadImage(str(write_volume("b.nii"))), str(tmp_path / "b.mha"))
    reader = VolumeReader()
    with pytest.raises(InputError, match=r"b.mha and .*a.mha lie on different grids"):
        reader.get_data(reader.read([pair["meta"], tmp_path / "b.mha"]))


def test_damaged_file_is_told_by_name(tmp_path):
    (tmp_path / "x.mha").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x.mha: cannot be read"):
        VolumeReader().read(tmp_path / "x.mha")


def test_real_mha_lies_where_simpleitk_says(real_data):
    path = real_data / "isles22-mca" / "flair.mha"
    volume = LoadImage(reader=VolumeReader())(path)
    image = sitk.ReadImage(str(path))
    index = (100, 50, 3)
    x, y, z = image.TransformIndexToPhysicalPoint(index)
    np.testing.assert_allclose((volume.affine.numpy() @ [*index, 1])[:3], (-x, -y, z), atol=1e-4)
    assert volume[index] == image[index]
