from io import BytesIO

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from islesnet.report.patient.panels import COLOURS, Plane, draw_plane, enlarge


def pixels(png):
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)


def is_colour(image, colour):
    return (np.abs(image - np.rint(255 * np.array(to_rgb(colour)))) <= 1).all(axis=-1)


def block(shape, *parts):
    mask = np.zeros(shape, dtype=bool)
    for part in parts:
        mask[part] = True
    return mask


def test_millimetre_is_as_long_down_as_across():
    assert pixels(draw_plane(Plane(np.zeros((40, 20)), (1.0, 5.0)), 200)).shape == (500, 200, 3)
    assert pixels(draw_plane(Plane(np.zeros((40, 20)), (2.0, 1.0)), 200)).shape == (50, 200, 3)


def test_patients_right_is_drawn_on_the_left_and_up_is_up():
    grey = np.zeros((10, 10))
    grey[8, 7] = 1.0  # to the right and above
    rows, columns = np.nonzero(pixels(draw_plane(Plane(grey, (1.0, 1.0), ends=("", "")), 100))[..., 0] > 200)
    assert (rows.min(), rows.max()) == (20, 29)
    assert (columns.min(), columns.max()) == (10, 19)


def test_outline_lies_just_outside_of_what_it_marks():
    plane = Plane(np.ones((20, 20)), (1.0, 1.0), marks=[block((20, 20), np.s_[5:10, 5:10])])
    image = pixels(draw_plane(plane, 200))
    orange = is_colour(image, COLOURS[0])
    rows, columns = np.nonzero(orange)
    # Voxels 5 to 9 from the right and from below are the pixels 100 to 149.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (98, 151, 98, 151)
    assert not orange[100:150, 100:150].any()


def test_the_lesion_that_is_meant_is_drawn_over_the_others():
    marks = [block((20, 20), np.s_[5:10, 5:10]), block((20, 20), np.s_[10:15, 5:10])]
    image = pixels(draw_plane(Plane(np.zeros((20, 20)), (1.0, 1.0), marks=marks), 200))
    assert is_colour(image, COLOURS[1]).any()
    assert is_colour(image, COLOURS[0])[100:150, 98:100].all()


def test_a_mark_at_the_border_has_no_line_along_it():
    image = pixels(draw_plane(Plane(np.zeros((10, 10)), (1.0, 1.0), ("", ""), [block((10, 10), np.s_[:])]), 50))
    assert not is_colour(image, COLOURS[0]).any()


def test_ends_are_written_in_both_corners():
    image = pixels(draw_plane(Plane(np.zeros((40, 40)), (1.0, 1.0)), 200))
    assert image[:40, :40].max() > 200
    assert image[:40, -40:].max() > 200
    assert image[60:].max() == 0


@pytest.mark.parametrize("shape", [(7, 3), (300, 200)])
def test_nothing_is_blurred(shape):
    values = np.random.default_rng(0).random((5, 4))
    assert set(np.unique(enlarge(values, shape))) <= set(values.ravel())
