import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from monai.data import MetaTensor
from monai.transforms import LoadImage, LoadImaged
from nibabel.eulerangles import euler2mat

from islesnet.data.reader import SimpleITKReader
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


def test_mha_is_loaded_as_the_nifti_is(pair):
    loaded = LoadImaged(keys=("nifti", "meta"), reader=[SimpleITKReader()], ensure_channel_first=True)(pair)
    nifti, meta = loaded["nifti"], loaded["meta"]
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
    reader = SimpleITKReader()
    assert reader.verify_suffix(pair["meta"])
    assert not reader.verify_suffix([pair["meta"], pair["nifti"]])
    with pytest.raises(InputError, match=r"this reader reads .mha, .mhd, .nrrd"):
        reader.read(pair["nifti"])


def test_several_files_become_channels(pair, write_volume, tmp_path):
    loaded = LoadImage(reader=SimpleITKReader(), ensure_channel_first=True)([pair["meta"], pair["meta"]])
    assert loaded.shape == (2, 16, 14, 12)
    sitk.WriteImage(sitk.ReadImage(str(write_volume("b.nii"))), str(tmp_path / "b.mha"))
    reader = SimpleITKReader()
    with pytest.raises(InputError, match=r"b.mha and .*a.mha lie on different grids"):
        reader.get_data(reader.read([pair["meta"], tmp_path / "b.mha"]))


def test_damaged_file_is_told_by_name(tmp_path):
    (tmp_path / "x.mha").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"x.mha: cannot be read"):
        SimpleITKReader().read(tmp_path / "x.mha")


def test_real_mha_lies_where_simpleitk_says(real_data):
    path = real_data / "isles22-mca" / "flair.mha"
    volume = LoadImage(reader=SimpleITKReader())(path)
    image = sitk.ReadImage(str(path))
    index = (100, 50, 3)
    x, y, z = image.TransformIndexToPhysicalPoint(index)
    np.testing.assert_allclose((volume.affine.numpy() @ [*index, 1])[:3], (-x, -y, z), atol=1e-4)
    assert volume[index] == image[index]
