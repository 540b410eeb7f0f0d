import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from islesnet.report import draw_patient, draw_sequences
from islesnet.report.montage import MASK_COLOUR, TRUTH_COLOUR

SHAPE = (30, 36, 8)  # RAS: right, anterior, superior


def head(seed=0):
    """A bright head in a dark space."""
    volume = np.zeros(SHAPE, np.float32)
    volume[6:24, 6:30] = np.random.default_rng(seed).uniform(0.5, 1.0, (18, 24, SHAPE[2]))
    return volume


IMAGES = {name: head(seed) for seed, name in enumerate(("dwi", "t1", "t2", "flair"))}


def mask(*blocks):
    marked = np.zeros(SHAPE, np.uint8)
    for block in blocks:
        marked[block] = 1
    return marked


TRUTH = mask(np.s_[10:14, 12:20, 3:6], np.s_[15, 15, 5])
MASK = mask(np.s_[11:16, 12:20, 3:6])


def named(texts):
    return [text for text in texts() if text and text not in "RL"]


def pixels_of(path, colour):
    """How many pixels have a colour."""
    return int(np.isclose(imread(path)[..., :3], matplotlib.colors.to_rgb(colour), atol=0.02).all(axis=2).sum())


def test_patient_is_drawn_with_every_sequence_then_truth_then_mask(tmp_path, texts, drawn):
    path = draw_patient(IMAGES, TRUTH, MASK, tmp_path / "new" / "patient.png", "Patient 1\nDice 0.700")
    assert path.exists()
    titles = [axes.get_title(loc="left") for axes in drawn[-1].axes]
    assert titles == ["DWI", "T1", "T2", "FLAIR", "Truth on DWI", "Mask on DWI"]
    assert "Patient 1\nDice 0.700" in texts()
    assert pixels_of(path, TRUTH_COLOUR) > 50
    assert pixels_of(path, MASK_COLOUR) > 50


def test_slice_is_the_one_with_the_largest_truth(tmp_path, texts):
    draw_patient(IMAGES, TRUTH, MASK, tmp_path / "patient.png", "Patient 1")
    assert any(text.startswith("axial slice 6;") for text in texts())


def test_mask_that_lies_in_other_slices_is_shown_in_its_own_and_the_panel_says_which(tmp_path, texts, drawn):
    elsewhere = mask(np.s_[11:16, 12:20, 0:2], np.s_[20, 20, 1])
    path = draw_patient(IMAGES, TRUTH, elsewhere, tmp_path / "patient.png", "Patient 1")
    assert any(text.startswith("axial slice 6;") for text in texts())
    assert texts().count("slice 2") == 1
    assert pixels_of(path, TRUTH_COLOUR) > 50
    assert pixels_of(path, MASK_COLOUR) > 300  # more than the key's line
    *_, of_truth, of_mask = (axes.images[0].get_array() for axes in drawn[-1].axes)
    assert of_truth.shape == of_mask.shape
    assert not np.array_equal(of_truth, of_mask)


@pytest.mark.parametrize("marked", [MASK, mask()], ids=["in the truth's slice", "nowhere"])
def test_mask_that_need_not_be_looked_for_is_shown_in_the_truth_s_slice(tmp_path, texts, marked):
    draw_patient(IMAGES, TRUTH, marked, tmp_path / "patient.png", "Patient 1")
    assert not any(text.startswith("slice") for text in texts())


def test_right_and_left_are_marked_on_every_image(tmp_path, texts):
    draw_patient(IMAGES, TRUTH, MASK, tmp_path / "patient.png", "Patient 1")
    assert texts().count("R") == texts().count("L") == 6


def test_absent_sequence_is_an_empty_panel_that_says_so(tmp_path, texts, drawn):
    draw_patient({"flair": head()}, TRUTH, MASK, tmp_path / "patient.png", "Patient 1")
    assert {"DWI absent", "T1 absent", "T2 absent", "FLAIR", "Truth on FLAIR", "Mask on FLAIR"} <= set(texts())
    assert [len(axes.images) for axes in drawn[-1].axes[:4]] == [0, 0, 0, 1]


def test_sequence_that_a_network_saw_alone_is_drawn_alone_with_the_outlines_on_it(tmp_path, drawn):
    path = draw_patient(IMAGES, TRUTH, MASK, tmp_path / "patient.png", "T1 alone", ground="t1")
    titles = [axes.get_title(loc="left") for axes in drawn[-1].axes]
    assert titles == ["T1", "Truth on T1", "Mask on T1"]
    panels = [axes.images[0].get_array() for axes in drawn[-1].axes]
    assert all(np.array_equal(panel, panels[0]) for panel in panels)
    assert pixels_of(path, TRUTH_COLOUR) > 50
    assert pixels_of(path, MASK_COLOUR) > 50


def test_sequence_to_be_drawn_alone_that_is_absent_is_an_empty_panel_that_says_so(tmp_path, texts):
    draw_patient({"dwi": head()}, TRUTH, MASK, tmp_path / "patient.png", "T1 alone", ground="t1")
    assert {"T1 absent", "Truth", "Mask"} <= set(texts())


def test_unknown_truth_is_said_to_be_unknown(tmp_path, texts):
    path = draw_patient(IMAGES, None, MASK, tmp_path / "patient.png", "Patient 1")
    assert "Truth unknown" in texts()
    # The key's line alone has the truth's colour.
    assert pixels_of(path, TRUTH_COLOUR) < 300


def test_patients_right_is_drawn_on_the_left_and_anterior_up(tmp_path, drawn):
    volume = np.zeros(SHAPE, np.float32)
    volume[6:24, 6:30, :] = 0.3
    volume[23, 29, :] = 1.0  # the patient's right, anterior
    draw_patient({"dwi": volume}, TRUTH, MASK, tmp_path / "patient.png", "Patient 1")
    panel = drawn[-1].axes[0].images[0].get_array()
    row, column = np.unravel_index(panel.argmax(), panel.shape)
    assert row < panel.shape[0] / 2
    assert column < panel.shape[1] / 2


def test_head_fills_its_panel_and_a_mark_outside_it_is_still_seen(tmp_path, drawn):
    draw_patient(IMAGES, TRUTH, MASK, tmp_path / "patient.png", "Patient 1")
    assert drawn[-1].axes[0].images[0].get_array().shape == (24 + 8, 18 + 8)
    draw_patient(IMAGES, TRUTH, mask(np.s_[29, 35, 5]), tmp_path / "patient.png", "Patient 1")
    assert drawn[-1].axes[0].images[0].get_array().shape == (34, 28)


def test_outline_runs_along_the_edges_of_the_voxels(tmp_path, drawn):
    block = mask(np.s_[10:14, 12:20, 5])
    draw_patient(IMAGES, block, mask(), tmp_path / "patient.png", "Patient 1")
    (outline,) = [part for part in drawn[-1].axes[4].collections if part.get_paths()]
    corners = np.concatenate([path.vertices for path in outline.get_paths()])
    # The box begins 4 voxels beside the head at 2 and ends at 28: from the right, the block lies at columns 14 to 17.
    assert corners.min(axis=0) == pytest.approx([13.5, 13.5], abs=0.2)
    assert corners.max(axis=0) == pytest.approx([17.5, 21.5], abs=0.2)


@pytest.mark.parametrize("stamps", [(), ("PHANTOM",)])
@pytest.mark.parametrize(
    ("images", "truth", "prediction"),
    [
        (IMAGES, mask(), mask()),
        (IMAGES, TRUTH, mask()),
        (IMAGES, mask(), MASK),
        (IMAGES, mask(np.s_[15, 15, 0]), mask(np.s_[15, 15, 7])),
        (IMAGES, mask(np.s_[:]), MASK),
        ({}, TRUTH, MASK),
        ({"adc": head()}, TRUTH, MASK),
        ({"dwi": np.zeros(SHAPE)}, TRUTH, MASK),
        ({"dwi": np.full(SHAPE, np.nan), "t1": head()}, TRUTH, MASK),
        ({"dwi": head()[..., :1]}, TRUTH[..., 3:4], MASK[..., 3:4]),
    ],
    ids=["both empty", "missed", "false alarm", "one voxel", "all", "no image", "other", "blank", "nan", "one slice"],
)
def test_odd_patients_are_drawn_without_a_warning(tmp_path, images, truth, prediction, stamps):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = draw_patient(images, truth, prediction.astype(np.float32), tmp_path / "patient.png", "P", stamps)
    assert imread(path).shape[1] == 1120


@pytest.mark.parametrize("title", ["$x^{$", "<script>", "患者 1", "a" * 300])
def test_odd_titles_are_drawn_without_a_warning(tmp_path, title):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert draw_patient(IMAGES, TRUTH, MASK, tmp_path / "patient.png", title).exists()


def test_stamps_are_on_the_picture(tmp_path, texts):
    draw_patient(IMAGES, TRUTH, MASK, tmp_path / "patient.png", "Patient 1", ("PHANTOM", "LEAKY"))
    assert "PHANTOM  ·  LEAKY" in texts()
    draw_sequences(IMAGES, TRUTH, tmp_path / "sequences.png", "Patient 1", ("QUICK",))
    assert "QUICK" in texts()


def test_sequences_are_drawn_with_their_mask_as_in_figure_2(tmp_path, drawn):
    draw_sequences(IMAGES, TRUTH, tmp_path / "sequences.png", "Patient 1")
    assert [axes.get_title(loc="left") for axes in drawn[-1].axes] == [
        "DWI", "T1", "T2", "FLAIR", "Mask", "Mask's outline on DWI",
    ]  # fmt: skip
    assert set(np.unique(drawn[-1].axes[4].images[0].get_array())) == {0.0, 1.0}


def test_volumes_are_left_as_they_were(tmp_path):
    images, truth = {"dwi": head()}, TRUTH.copy()
    draw_patient(images, truth, MASK, tmp_path / "patient.png", "Patient 1")
    assert np.array_equal(images["dwi"], head())
    assert np.array_equal(truth, TRUTH)
