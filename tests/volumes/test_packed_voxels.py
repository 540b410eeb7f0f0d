"""Packed MetaImage and NRRD files: whole ones are read as SimpleITK reads them, damaged ones are refused."""

import gzip
import re
import zlib

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.volumes import VolumeError, read_volume, read_volume_stack

VALUES = np.random.default_rng(0).normal(300, 100, (8, 7, 6)).astype(np.int16)
BYTES = VALUES.tobytes(order="F")
ZLIB, GZIP = zlib.compress(BYTES), gzip.compress(BYTES)
DAMAGED = r"is (damaged|cut short).*copy it again"


def metaimage(data=ZLIB, place="LOCAL", fields="CompressedData = True\nCompressedDataSize = {size}\n"):
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\n{fields.format(size=len(data))}DimSize = 8 7 6\n"
        f"ElementType = MET_SHORT\nElementDataFile = {place}\n"
    )
    return header.encode() + (data if place == "LOCAL" else b"")


def nrrd(data=GZIP, fields="", encoding="gzip", endian="little"):
    header = (
        "NRRD0004\n# made by hand\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 8 7 6\n"
        f"space directions: (1,0,0) (0,1,0) (0,0,1)\nendian: {endian}\nencoding: {encoding}\nspace origin: (0,0,0)\n"
        f"a:=encoding: raw\n{fields}"
    )
    return header.encode() + b"\n" + data


def written(folder, files):
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / next(iter(files))


SIZE_UNSAID = "CompressedData = True\n"
BIG = VALUES.astype(">i2").tobytes(order="F")
SLABS = [gzip.compress(VALUES[..., k].tobytes(order="F")) for k in range(6)]
WHOLE = {
    "mha": {"a.mha": metaimage()},
    "mha, size unsaid": {"a.mha": metaimage(fields=SIZE_UNSAID)},
    "mha, other words": {"a.mha": metaimage(fields="  CompressedData: 1\nCompressedDataSize={size}\n")},
    "mha, size too large": {"a.mha": metaimage(fields="CompressedData = True\nCompressedDataSize = 99999\n")},
    "mha, first byte largest": {
        "a.mha": metaimage(zlib.compress(BIG), fields=f"ElementByteOrderMSB = 1\n{SIZE_UNSAID}")
    },
    "mha, gzip": {"a.mha": metaimage(GZIP)},
    "mha, not packed": {"a.mha": metaimage(BYTES, fields="")},
    "mhd and zraw": {"a.mhd": metaimage(place="a.zraw"), "a.zraw": ZLIB},
    "mhd and zraw, size unsaid": {"a.mhd": metaimage(place="a.zraw", fields=SIZE_UNSAID), "a.zraw": ZLIB},
    "mhd, header to pass over": {
        "a.mhd": metaimage(place="a.zraw", fields=f"HeaderSize = 3\n{SIZE_UNSAID}"),
        "a.zraw": b"abc" + ZLIB,
    },
    "mhd and raw": {"a.mhd": metaimage(place="a.raw", fields=""), "a.raw": BYTES},
    "nrrd": {"a.nrrd": nrrd()},
    "nrrd, other words": {"a.nrrd": nrrd(encoding="GZ").replace(b"\n", b"\r\n", 12)},
    "nrrd, in two parts": {"a.nrrd": nrrd(gzip.compress(BYTES[:99]) + gzip.compress(BYTES[99:]))},
    "nrrd, first byte largest": {"a.nrrd": nrrd(gzip.compress(BIG), endian="big")},
    "nrrd, to pass over": {
        "a.nrrd": nrrd(b"a line\n" + gzip.compress(b"abc" + BYTES), "line skip: 1\nbyte skip: 3\n"),
    },
    "nrrd, not packed": {"a.nrrd": nrrd(BYTES, encoding="raw")},
    "nrrd, text": {"a.nrrd": nrrd(" ".join(map(str, VALUES.ravel(order="F"))).encode(), encoding="ascii")},
    "nhdr": {"a.nhdr": nrrd(b"", "data file: a b.raw.gz\n"), "a b.raw.gz": GZIP},
    "nhdr, numbered": {
        "a.nhdr": nrrd(b"", "datafile: a%02d.gz 5 0 -1 2\n"),
        **{f"a{5 - k:02d}.gz": slab for k, slab in enumerate(SLABS)},
    },
    "nhdr, listed": {
        "a.nhdr": nrrd(b"", "data file: LIST 2\n" + "\n".join(f"{k}.gz" for k in "abcdef")),
        **{f"{k}.gz": slab for k, slab in zip("abcdef", SLABS, strict=True)},
    },
}


@pytest.mark.parametrize("files", WHOLE.values(), ids=WHOLE)
def test_whole_file_is_read(tmp_path, files):
    volume = read_volume(written(tmp_path, files))
    np.testing.assert_array_equal(volume.array, VALUES)
    assert volume.array.dtype == np.dtype("=i2")
    assert volume.array.flags.writeable
    assert not volume.has_surplus


@pytest.mark.parametrize("suffix", [".mha", ".mhd", ".nrrd", ".nhdr"])
@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int32, np.int64, np.float32, np.float64])
def test_what_simpleitk_packs_is_read_as_simpleitk_reads_it(tmp_path, suffix, kind):
    image = sitk.GetImageFromArray(VALUES.astype(kind))
    path = tmp_path / f"a{suffix}"
    sitk.WriteImage(image, str(path), useCompression=True)
    read = read_volume(path).array
    np.testing.assert_array_equal(read, sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T)
    assert read.dtype == kind


def test_packed_stack_is_read(tmp_path):
    values = np.arange(4 * 5 * 6 * 3, dtype=np.int16).reshape(4, 5, 6, 3)
    sitk.WriteImage(sitk.GetImageFromArray(values.T, isVector=False), str(tmp_path / "a.mha"), useCompression=True)
    stack = read_volume_stack(tmp_path / "a.mha")
    assert np.array_equal(stack.volume(2).array, values[..., 2])


PACKED = {
    "mha": ({"a.mha": metaimage()}, ZLIB),
    "mhd": ({"a.mhd": metaimage(place="a.zraw", fields=SIZE_UNSAID), "a.zraw": ZLIB}, ZLIB),
    "nrrd": ({"a.nrrd": nrrd()}, GZIP),
    "nhdr": ({"a.nhdr": nrrd(b"", "data file: a.gz\n"), "a.gz": GZIP}, GZIP),
}


@pytest.mark.parametrize(("files", "data"), PACKED.values(), ids=PACKED)
def test_flipped_bit_anywhere_is_found(tmp_path, files, data):
    begin = 10 if data is GZIP else 0  # gzip's header has a time and the like, which nothing depends on
    path = written(tmp_path, files)
    held = tmp_path / list(files)[-1]
    content = held.read_bytes()
    places = {*range(begin, len(data), 7), *range(len(data) - 8, len(data))}
    found = 0
    for place in places:
        damaged = bytearray(content)
        damaged[len(content) - len(data) + place] ^= 1 << place % 8
        held.write_bytes(damaged)
        try:
            np.testing.assert_array_equal(read_volume(path).array, VALUES)
        except VolumeError as error:
            assert re.search(DAMAGED, str(error))
            found += 1
    assert found >= len(places) - 1  # a few bits before the checksum fill up a byte


BROKEN = {
    "mha cut": ({"a.mha": metaimage()[:-20]}, "is cut short: .*; copy it again"),
    "mha, size too small": ({"a.mha": metaimage(fields="CompressedData = True\nCompressedDataSize = 50\n")}, "is cut"),
    "mha of too little": (
        {"a.mha": metaimage(zlib.compress(BYTES[:-10]))},
        "unpacks to 662 bytes of voxels where its header announces 672; copy it again",
    ),
    "mha, not packed, cut": ({"a.mha": metaimage(BYTES[:-1], fields="")}, DAMAGED),
    "mha, longer and damaged": ({"a.mha": metaimage(zlib.compress(BYTES + bytes(99))[:-4] + bytes(4))}, DAMAGED),
    "mha, size no number": (
        {"a.mha": metaimage(fields="CompressedData = True\nCompressedDataSize = 1e3\n")},
        "cannot be followed",
    ),
    "mhd, several": ({"a.mhd": metaimage(place="LIST", fields=SIZE_UNSAID)}, r"several files; save them as one"),
    "mhd alone": ({"a.mhd": metaimage(place="a.zraw", fields=SIZE_UNSAID)}, "lie in a.zraw, which is not there"),
    "nrrd cut": ({"a.nrrd": nrrd()[:-20]}, "is cut short: .*; copy it again"),
    "nrrd of too little": ({"a.nrrd": nrrd(gzip.compress(BYTES[:-10]))}, "unpacks to 662 bytes"),
    "nrrd, not packed, cut": ({"a.nrrd": nrrd(BYTES[:-1], encoding="raw")}, DAMAGED),
    "nrrd, text, cut": ({"a.nrrd": nrrd(b"1 2 3", encoding="ascii")}, DAMAGED),
    "mha, negative size": (
        {"a.mha": metaimage(ZLIB[:-9], fields="CompressedData = True\nCompressedDataSize = -9\n")},
        "is cut short",
    ),
    "nrrd, from the end": ({"a.nrrd": nrrd(fields="byte skip: -1\n")}, "from -1"),
    "nrrd, far away": ({"a.nrrd": nrrd(fields="byte skip: 99999999999\n")}, "from 99999999999"),
    "nrrd, too many lines": ({"a.nrrd": nrrd(fields="line skip: 999999999\n")}, "cannot be read"),
    "mha, voxels far away": (
        {"a.mha": metaimage(fields=f"HeaderSize = 2000000000\n{SIZE_UNSAID}")},
        "from byte 2000000000",
    ),
    "nhdr, one of several short": (
        {
            "a.nhdr": nrrd(b"", "data file: a%d.gz 0 5 1 2\n"),
            **{f"a{k}.gz": slab for k, slab in enumerate([*SLABS[:5], gzip.compress(b"ab")])},
        },
        "unpacks to 562 bytes",
    ),
}


@pytest.mark.parametrize(("files", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_file_is_refused(tmp_path, files, message):
    path = written(tmp_path, files)
    with pytest.raises(VolumeError, match=message) as caught:
        read_volume(path)
    assert str(tmp_path) not in caught.value.reason


@pytest.mark.parametrize(
    "files", [{"a.mha": metaimage(zlib.compress(BYTES + bytes(9)))}, {"a.nrrd": nrrd(gzip.compress(BYTES + bytes(9)))}]
)
def test_bytes_after_the_last_voxel_are_noticed(tmp_path, files):
    volume = read_volume(written(tmp_path, files))
    assert volume.has_surplus
    np.testing.assert_array_equal(volume.array, VALUES)


def test_nothing_is_written_to_the_terminal_of_a_damaged_file(tmp_path, capfd):
    content = bytearray(metaimage())
    content[-20] ^= 1
    with pytest.raises(VolumeError, match=DAMAGED):
        read_volume(written(tmp_path, {"a.mha": bytes(content)}))
    assert capfd.readouterr() == ("", "")
    assert sitk.ProcessObject.GetGlobalWarningDisplay()
