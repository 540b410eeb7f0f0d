import nibabel
import numpy as np
import pytest

from islesnet.volumes import read_header
from islesnet.volumes.geometry import is_side_doubtful

STRAIGHT = np.diag([2.0, 2.0, 2.0, 1.0])
# Axes to the front, the left and up: at right angles with the straight one's.
TURNED = np.array([[0.0, -2, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])


def rotated(degrees):
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine = np.eye(4)
    affine[:2, :2] = [[cosine, -sine], [sine, cosine]]
    return affine @ STRAIGHT


@pytest.mark.parametrize(
    ("qform", "sform", "is_doubtful"),
    [
        (STRAIGHT, STRAIGHT, False),
        (rotated(44), rotated(46), False),
        (rotated(20), rotated(-20), False),
        (STRAIGHT @ np.diag([-1, 1, 1, 1]), STRAIGHT, True),
        (STRAIGHT @ np.diag([1, -1, 1, 1]), STRAIGHT, False),
        (TURNED, STRAIGHT, True),
        (STRAIGHT, TURNED, True),
        (STRAIGHT, None, False),
        (None, None, True),
    ],
)
def test_side_is_doubtful_where_qform_and_sform_do_not_agree_which_way_is_right(tmp_path, qform, sform, is_doubtful):
    image = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), STRAIGHT)
    image.set_qform(qform, code=int(qform is not None))
    image.set_sform(sform, code=int(sform is not None))
    nibabel.save(image, tmp_path / "scan.nii")

    assert is_side_doubtful(read_header(tmp_path / "scan.nii")) is is_doubtful


@pytest.mark.parametrize(("fields", "is_doubtful"), [("space: left-posterior-superior\n", False), ("", True)])
def test_side_of_a_nrrd_is_doubtful_where_it_names_no_space(tmp_path, fields, is_doubtful):
    lengths = "space directions: (2,0,0) (0,2,0) (0,0,2)" if fields else "spacings: 2 2 2"
    header = f"NRRD0004\ntype: uint8\ndimension: 3\n{fields}sizes: 4 4 4\n{lengths}\nencoding: raw\n\n"
    (tmp_path / "scan.nrrd").write_bytes(header.encode() + bytes(64))

    assert is_side_doubtful(read_header(tmp_path / "scan.nrrd")) is is_doubtful
