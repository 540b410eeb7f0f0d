"""Files broken in every way we know, and what is said about each."""

import gzip
import struct

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.volumes import Header, Volume, VolumeError, read_header, read_volume, read_volume_stack

VALUES = np.arange(16 * 14 * 12, dtype=np.int16).reshape(16, 14, 12)
OBLIQUE = np.eye(4)
OBLIQUE[:3, :3] = nibabel.eulerangles.euler2mat(0.2, -0.1, 0.3) @ np.diag([-2.0, 1.5, 5.0])
OBLIQUE[:3, 3] = (12.5, -40.0, 7.25)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".nhdr"])
def test_every_format_gives_the_same_array_and_affine(write_volume, tmp_path, suffix):
    path = write_volume("a b$(x)%'.nii.gz", VALUES, OBLIQUE)
    if suffix == ".nii":
        nibabel.save(nibabel.load(path), tmp_path / "copy.nii")
    elif suffix != ".nii.gz":
        sitk.WriteImage(sitk.ReadImage(str(path)), str(tmp_path / f"copy{suffix}"))
    volume = read_volume(path if suffix == ".nii.gz" else tmp_path / f"copy{suffix}")
    np.testing.assert_array_equal(volume.array, VALUES)
    np.testing.assert_allclose(volume.affine, OBLIQUE, atol=1e-5)
    np.testing.assert_allclose(volume.spacing, (2.0, 1.5, 5.0), rtol=1e-6)
    assert volume.array.dtype == np.int16


def test_header_is_read_without_the_values(write_volume, tmp_path):
    path = tmp_path / "cut.nii"
    path.write_bytes(write_volume("whole.nii", VALUES, OBLIQUE).read_bytes()[:400])
    header = read_header(path)
    assert header.shape == (16, 14, 12)
    np.testing.assert_allclose(header.affine, OBLIQUE, atol=1e-5)


def test_stored_values_are_scaled(tmp_path):
    image = nibabel.Nifti1Image(VALUES, np.eye(4))
    image.header.set_slope_inter(0.15, 4800)
    nibabel.save(image, tmp_path / "scaled.nii")
    np.testing.assert_allclose(
        read_volume(tmp_path / "scaled.nii").array, np.asarray(nibabel.load(tmp_path / "scaled.nii").dataobj)
    )


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_versions_and_byte_orders_are_read(tmp_path, kind, order):
    image = kind(VALUES.astype(f"{order}i2"), OBLIQUE, kind.header_class(endianness=order))
    nibabel.save(image, tmp_path / "a.nii.gz")
    volume = read_volume(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(volume.array, VALUES)
    np.testing.assert_allclose(volume.affine, OBLIQUE, atol=1e-5)


def test_trailing_axis_of_length_one_is_dropped(write_volume):
    assert read_volume(write_volume("a.nii", VALUES[..., None])).array.shape == (16, 14, 12)


def test_five_dimensions_are_refused_whatever_their_length(write_volume):
    with pytest.raises(VolumeError, match=r"is 5D \(16 x 14 x 12 x 1 x 1\); save it as a 3D volume"):
        read_volume(write_volume("a.nii", VALUES[..., None, None]))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_bytes_after_the_last_voxel_are_noticed(write_volume, tmp_path, suffix):
    content = write_volume("a.nii", VALUES).read_bytes() + bytes(100)
    path = tmp_path / f"long{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    volume = read_volume(path)
    assert volume.has_surplus
    np.testing.assert_array_equal(volume.array, VALUES)


def nifti(**fields):
    """Return the bytes of a small NIfTI with header fields set to what they should not be."""
    image = nibabel.Nifti1Image(VALUES, np.eye(4))
    content = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    return bytes(content)


HUGE = nifti(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1])
BROKEN = {
    "empty": ("a.nii", b"", r"is empty \(0 bytes\)"),
    "cut in the header": ("a.nii", nifti()[:200], r"200 bytes, less than a NIfTI header \(348\)"),
    "cut in the voxels": ("a.nii", nifti()[:-10], r"is cut short: it has 5,718 bytes where its header announces 5,728"),
    "gz cut": ("a.nii.gz", gzip.compress(nifti())[:-500], "packed data ends in the middle"),
    "gz of too little": ("a.nii.gz", gzip.compress(nifti()[:-10]), "unpacks to 5,718 bytes where its header announces"),
    "gz damaged": (
        "a.nii.gz",
        gzip.compress(nifti())[:10] + b"\xff" + gzip.compress(nifti())[11:],
        "is damaged: .*copy it again",
    ),
    "gz with a wrong checksum": ("a.nii.gz", gzip.compress(nifti())[:-8] + bytes(8), "is damaged: .*CRC"),
    "not packed": ("a.nii.gz", nifti(), "is not packed with gzip though its name ends in .gz"),
    "packed": ("a.nii", gzip.compress(nifti()), "is packed with gzip though its name ends in .nii"),
    "not NIfTI": ("a.nii", b"hello" * 200, "is not a NIfTI file"),
    "Analyze": ("a.nii", nifti(magic=b""), "is not a single-file NIfTI"),
    "huge header": (
        "a.nii.gz",
        gzip.compress(HUGE),
        r"30000 x 30000 x 30000 voxels \(2.7e\+13\); no head scan has more",
    ),
    "4D": ("a.nii", nifti(dim=[4, 16, 14, 6, 2, 1, 1, 1]), r"is 4D and holds 2 volumes \(16 x 14 x 6 x 2\)"),
    "2D": ("a.nii", nifti(dim=[2, 16, 14, 1, 1, 1, 1, 1]), r"holds a 2D image \(16 x 14\)"),
    "zero length": ("a.nii", nifti(dim=[3, 16, 0, 12, 1, 1, 1, 1]), "every length must be at least 1"),
    "negative length": ("a.nii", nifti(dim=[3, 16, -14, 12, 1, 1, 1, 1]), "every length must be at least 1"),
    "dimensions": ("a.nii", nifti(dim=[9, 16, 14, 12, 1, 1, 1, 1]), "damaged NIfTI header"),
    "offset": ("a.nii", nifti(vox_offset=1e12), "voxels are said to begin at byte 1e"),
    "offset that is no number": ("a.nii", nifti(vox_offset=np.nan), "voxels are said to begin at byte nan"),
    "data type": ("a.nii", nifti(datatype=3), "damaged NIfTI header"),
    "colours": ("a.nii", nifti(datatype=128), "holds colours or complex numbers"),
    "complex": ("a.nii", nifti(datatype=32), "holds colours or complex numbers"),
    "slope": ("a.nii", nifti(scl_slope=2, scl_inter=np.inf), "scales the values by no number"),
    "quaternion": ("a.nii", nifti(sform_code=0, qform_code=1, quatern_b=5), "has a damaged qform"),
    "mha": ("a.mha", b"hello", r"cannot be read \(Unable to determine ImageIO reader for \"a.mha\"\)"),
    "mhd without its data": (
        "a.mhd",
        b"NDims = 3\nDimSize = 16 14 12\nElementType = MET_SHORT\nElementDataFile = a.raw\n",
        "damaged or cut short",
    ),
    "huge mha": (
        "a.mha",
        b"NDims = 3\nDimSize = 30000 30000 30000\nElementType = MET_SHORT\nElementDataFile = LOCAL\n",
        "no head scan has more",
    ),
    "4D mha": (
        "a.mha",
        b"NDims = 4\nDimSize = 4 4 4 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n" + bytes(128),
        "is 4D and holds 2 volumes",
    ),
    "text": ("a.txt", b"", "is not a format we read; right are .nii.gz"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_file_is_refused_in_plain_words(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VolumeError, match=message) as caught:
        read_volume(path)
    assert str(path) in str(caught.value)
    assert str(path) not in caught.value.reason


def test_gzip_that_unpacks_without_end_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr("islesnet.volumes.nifti.MOST_SURPLUS", 2**23)
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(nifti())
        for _ in range(64):
            stream.write(bytes(2**20))
    path.write_bytes(path.read_bytes()[:-8] + bytes(8))  # a wrong checksum, which is not reached
    assert read_volume(path).has_surplus


def test_gzip_that_goes_on_after_the_last_voxel_is_read_to_its_checksum(tmp_path):
    content = gzip.compress(nifti() + bytes(100))
    (tmp_path / "a.nii.gz").write_bytes(content[:-8] + bytes(8))
    with pytest.raises(VolumeError, match=r"is damaged: .*CRC.*copy it again"):
        read_volume(tmp_path / "a.nii.gz")


def test_missing_file_folder_and_dangling_link_are_told_apart(tmp_path):
    (tmp_path / "folder.nii").mkdir()
    (tmp_path / "link.nii").symlink_to(tmp_path / "gone.nii")
    for name, message in (("no.nii", "does not exist"), ("folder.nii", "is a folder"), ("link.nii", "is a link to")):
        with pytest.raises(VolumeError, match=message):
            read_volume(tmp_path / name)


def test_unreadable_file_is_refused(write_volume, monkeypatch):
    path = write_volume("a.nii")

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(VolumeError, match=r"cannot be read \(permission denied\)"):
        read_volume(path)


def test_negative_voxel_sizes_are_read_as_nibabel_does(tmp_path):
    content = bytearray(nifti(sform_code=0, qform_code=1))
    content[80:84] = struct.pack("<f", -2.0)
    (tmp_path / "a.nii").write_bytes(content)
    np.testing.assert_allclose(read_header(tmp_path / "a.nii").affine, nibabel.load(tmp_path / "a.nii").affine)


@pytest.mark.parametrize("code", ["RAS", "LAS", "LPS", "PIR", "SRA", "ILA"])
def test_canonical_puts_a_head_stored_in_any_axis_order_back_on_one_grid(code):
    array = np.random.default_rng(0).random((3, 4, 5))
    affine = np.array([[2.0, 0, 0, -10], [0, 3, 0, -20], [0, 0, 4, -30], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(array, affine)
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(code))
    stored = image.as_reoriented(turn)

    turned = Volume(np.asarray(stored.dataobj), Header(stored.shape, stored.affine)).canonical()

    assert np.array_equal(turned.array, array)
    np.testing.assert_allclose(turned.affine, affine, atol=1e-12)


@pytest.mark.parametrize("code", ["RAS", "LPS", "SLA", "PIR"])
@pytest.mark.parametrize("rounding", [0.0, 1e-7, -1e-7])
def test_axes_run_along_a_grid_that_is_turned_by_45_degrees_however_its_angle_was_rounded(code, rounding):
    array = np.random.default_rng(0).random((3, 4, 5))
    affine, other = (np.eye(4) for _ in range(2))
    for own, angle in ((affine, 45.0), (other, 45.0 + rounding)):
        turn = nibabel.eulerangles.euler2mat(np.deg2rad(angle), 0, 0)
        own[:3, :3], own[:3, 3] = turn @ np.diag([2.0, 2.0, 2.0]), (-10, -20, -30)
    axes = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(code)
    )
    stored = nibabel.Nifti1Image(array, other).as_reoriented(axes)
    volume = Volume(np.asarray(stored.dataobj), Header(stored.shape, stored.affine))

    turned = volume.along(Header(array.shape, affine))

    assert np.array_equal(turned.array, array)
    np.testing.assert_allclose(turned.affine, affine, atol=1e-6)
    np.testing.assert_allclose(volume.header.along(Header(array.shape, affine)).affine, affine, atol=1e-6)


@pytest.mark.parametrize("suffix", [".nii.gz", ".mha"])
def test_stack_gives_each_volume_scaled_on_the_grid_of_all(tmp_path, suffix):
    values = np.arange(4 * 5 * 6 * 3, dtype=np.int16).reshape(4, 5, 6, 3)
    image = nibabel.Nifti1Image(values, OBLIQUE)
    path = tmp_path / f"dwi{suffix}"
    if suffix == ".mha":
        sitk.WriteImage(sitk.GetImageFromArray(values.T, isVector=False), str(path))
    else:
        image.header.set_slope_inter(2.0, 1.0)
        nibabel.save(image, path)

    stack = read_volume_stack(path)

    stored = nibabel.load(path).get_fdata() if suffix == ".nii.gz" else values
    assert len(stack) == 3
    assert np.array_equal(stack.volume(2).array, stored[..., 2])
    assert stack.volume(0).header.shape == (4, 5, 6)
