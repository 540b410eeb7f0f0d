import numpy as np
import pytest

from islesnet.report import largest_slice, outlined_slice
from islesnet.report.pictures import BOTH_COLOUR, PREDICTION_COLOUR, TRUTH_COLOUR

SHAPE = (8, 6, 4)  # RAS: right, anterior, superior


def mask(*blocks):
    marked = np.zeros(SHAPE, np.uint8)
    for block in blocks:
        marked[block] = 1
    return marked


def image_with(x, y):
    """A dark slice with one bright voxel."""
    volume = np.zeros(SHAPE, np.float32)
    volume[x, y, 2] = 1.0
    return volume


def where(picture, colour):
    """Rows and columns of a colour."""
    return np.argwhere(np.isclose(picture, colour).all(axis=2)).tolist()


def test_largest_slice_is_where_the_first_mask_that_marks_anything_is_largest():
    small_on_1_large_on_3 = mask(np.s_[0:1, 0:2, 1], np.s_[0:3, 0:3, 3])
    on_0 = mask(np.s_[:, :, 0])
    assert largest_slice(small_on_1_large_on_3) == 3
    assert largest_slice(small_on_1_large_on_3, on_0) == 3
    assert largest_slice(mask(), on_0) == 0


def test_middle_slice_where_nothing_is_marked():
    assert largest_slice(mask(), mask()) == 2


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_area_of_a_large_lesion_does_not_overflow(dtype):
    large = np.zeros((40, 40, 2), dtype)
    large[:16, :16, 0] = 1  # 256 voxels are 0 in eight bits
    large[:1, :3, 1] = 1
    assert largest_slice(large) == 0


@pytest.mark.parametrize("magnify", [1, 3])
@pytest.mark.parametrize("sequences", [("dwi",), ("dwi", "t1", "t2", "flair")])
def test_sequences_stand_side_by_side_in_float32_rgb(magnify, sequences):
    images = {name: np.random.default_rng(0).normal(size=SHAPE) for name in sequences}
    picture = outlined_slice(images, mask(), mask(), index=1, magnify=magnify)
    assert picture.shape == (6 * magnify, 8 * magnify * len(sequences), 3)
    assert picture.dtype == np.float32
    assert 0.0 <= picture.min() <= picture.max() <= 1.0


@pytest.mark.parametrize(
    ("voxel", "pixel"),
    [((7, 5), (0, 0)), ((0, 5), (0, 7)), ((7, 0), (5, 0)), ((0, 0), (5, 7))],
    ids=["right anterior: top left", "left anterior: top right", "right posterior: bottom left", "left posterior"],
)
def test_patients_right_is_on_the_left_and_anterior_is_up(voxel, pixel):
    picture = outlined_slice({"dwi": image_with(*voxel)}, None, mask(), index=2, magnify=1)
    assert np.unravel_index(picture[..., 0].argmax(), picture.shape[:2]) == pixel
    marked = np.zeros(SHAPE, np.uint8)
    marked[(*voxel, 2)] = 1
    assert where(outlined_slice({"dwi": image_with(3, 3)}, None, marked, 2, magnify=1), PREDICTION_COLOUR) == [
        list(pixel)
    ]


def test_colours_of_truth_prediction_and_both():
    truth, prediction = mask(np.s_[7, 5, 1], np.s_[6, 5, 1]), mask(np.s_[6, 5, 1], np.s_[5, 5, 1])
    picture = outlined_slice({"dwi": np.zeros(SHAPE)}, truth, prediction, index=1, magnify=1)
    assert where(picture, TRUTH_COLOUR) == [[0, 0]]
    assert where(picture, BOTH_COLOUR) == [[0, 1]]
    assert where(picture, PREDICTION_COLOUR) == [[0, 2]]
    green, red, yellow = (np.array(colour) for colour in (TRUTH_COLOUR, PREDICTION_COLOUR, BOTH_COLOUR))
    assert green.argmax() == 1
    assert red.argmax() == 0
    assert min(yellow[:2]) > 0.8 > yellow[2]


def test_outline_is_a_thin_line_inside_the_lesion_and_leaves_its_inside_in_view():
    picture = outlined_slice({"dwi": np.zeros(SHAPE)}, None, mask(np.s_[2:5, 1:4, 1]), index=1, magnify=3)
    line = where(picture, PREDICTION_COLOUR)
    assert len(line) == 4 * 9 - 4  # the border of 9 x 9 pixels
    assert [10, 13] not in line


def test_outline_is_drawn_on_every_sequence():
    images = {"dwi": np.zeros(SHAPE), "flair": np.zeros(SHAPE)}
    picture = outlined_slice(images, None, mask(np.s_[7, 5, 1]), index=1, magnify=1)
    assert where(picture, PREDICTION_COLOUR) == [[0, 0], [0, 8]]


def test_unknown_truth_is_drawn_as_none():
    image = {"dwi": np.random.default_rng(0).normal(size=SHAPE)}
    prediction = mask(np.s_[2:5, 1:4, 1])
    assert np.array_equal(
        outlined_slice(image, None, prediction, 1), outlined_slice(image, np.zeros(SHAPE), prediction, 1)
    )


def test_other_slices_are_not_drawn():
    picture = outlined_slice({"dwi": np.zeros(SHAPE)}, mask(np.s_[:, :, 0]), mask(np.s_[:, :, 3]), index=1)
    assert not picture.any()


def test_grey_spans_the_volume_and_outliers_do_not_darken_it():
    volume = np.linspace(0.0, 1.0, 20 * 20 * 20).reshape(20, 20, 20)
    volume[0, 0, 0] = 1e6
    blank = np.zeros(volume.shape)
    picture = outlined_slice({"t1": volume}, None, blank, index=10, magnify=1)
    assert picture[0, 0, 0] > 0.9
    assert picture[-1, -1, 0] < 0.1


def test_constant_volume_is_drawn_without_a_warning(recwarn):
    assert not outlined_slice({"t1": np.full(SHAPE, 5.0)}, None, mask(), index=0).any()
    assert not recwarn.list


def test_volumes_are_left_as_they_were():
    volume, prediction = np.random.default_rng(0).normal(size=SHAPE), mask(np.s_[2:5, 1:4, 1])
    before = volume.copy()
    outlined_slice({"t1": volume}, prediction, prediction, index=1)
    assert np.array_equal(volume, before)
    assert np.array_equal(prediction, mask(np.s_[2:5, 1:4, 1]))
