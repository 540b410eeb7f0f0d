import subprocess
import sys
import warnings
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from islesnet.report import (
    PAPER_ROWS,
    draw_bland_altman,
    draw_comparison_bars,
    draw_dice_against_volume,
    draw_reliability,
    draw_split,
    draw_training_curves,
    own_row,
)
from islesnet.report.charts.canvas import ALARM, shorten
from tests.report.made_up import cohort, empty, patient, summary

EDGES = np.linspace(0, 1, 11)
RELIABILITY = pd.DataFrame(
    {
        "low": EDGES[:-1],
        "high": EDGES[1:],
        "voxels": [10_000_000, 0, 300, 200, 100, 100, 100, 200, 300, 5000],
        "mean_probability": [0.001, np.nan, *(EDGES[2:-1] + 0.05)],
        "lesion_share": [0.0005, np.nan, *(EDGES[2:-1] + 0.05) ** 2],
    }
)


def history(epochs, **columns):
    return pd.DataFrame(columns, index=pd.Index(epochs, name="epoch"), dtype=float)


CURVES = history([1, 2, 3], loss=[0.9, 0.5, 0.4], val_mean_dice=[0.1, np.nan, 0.5], val_accuracy=[0.99, np.nan, 0.995])
ROWS = [own_row("ours", summary(cohort()), "four patients", is_siss=False), *PAPER_ROWS]
CHARTS = {
    draw_training_curves: {"one": CURVES, "two": CURVES * 0.9},
    draw_comparison_bars: ROWS,
    draw_bland_altman: cohort(),
    draw_dice_against_volume: cohort(),
    draw_reliability: RELIABILITY,
    draw_split: {"training": [1.0, 20.0, np.nan], "validation": [0.0], "test": []},
}
ODD = [
    (draw_training_curves, {}),
    (draw_training_curves, {"one": CURVES.head(1), "none": history([1])}),
    (draw_training_curves, {f"fold {number}": CURVES for number in range(12)}),
    (draw_comparison_bars, []),
    (draw_bland_altman, cohort().head(0)),
    (draw_bland_altman, cohort().head(1)),
    (draw_bland_altman, empty(cohort())),
    (draw_bland_altman, pd.DataFrame([patient("1", 0, 0, 0), patient("2", 0, 0, 0)])),
    (draw_bland_altman, cohort().assign(predicted_ml=np.nan)),
    (draw_dice_against_volume, cohort().head(0)),
    (draw_dice_against_volume, pd.DataFrame([patient("1", 0, 0, 0), patient("2", 1, 1, 1), patient("3", 10**6, 5, 5)])),
    (draw_dice_against_volume, cohort().assign(dice=np.nan)),
    (draw_reliability, RELIABILITY.assign(voxels=0)),
    (draw_split, {}),
    (draw_split, {"a section with a name that is far too long": [1e-6, 1e6]}),
]


def look(path):
    """The picture's pixels, 0..1."""
    return imread(path)[..., :3]


@pytest.mark.parametrize(("draw", "content"), CHARTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_chart_is_a_png_that_is_the_same_for_the_same_numbers(tmp_path, draw, content):
    path = draw(content, tmp_path / "new" / "one.png")
    assert path == tmp_path / "new" / "one.png"
    assert look(path).std() > 0.05
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.parse_math": True}):
        assert draw(content, tmp_path / "two.png").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(("draw", "content"), CHARTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_stamps_are_visible_on_every_chart_and_take_nothing_from_it(tmp_path, draw, content, texts):
    plain, stamped = (
        look(draw(content, tmp_path / f"{len(stamps)}.png", stamps)) for stamps in ((), ("PHANTOM", "LEAKY"))
    )
    assert "PHANTOM  ·  LEAKY" in texts()
    alarm = np.array(matplotlib.colors.to_rgb(ALARM))
    strip = np.isclose(stamped, alarm, atol=0.01).all(axis=2).mean(axis=1) > 0.5
    assert strip.sum() == pytest.approx(stamped.shape[0] - plain.shape[0], abs=2)
    assert strip[: strip.sum()].all()


@pytest.mark.parametrize(("draw", "content"), ODD, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("stamps", [(), ("PHANTOM", "LEAKY", "RANDOM ENCODER", "QUICK")])
def test_odd_numbers_are_drawn_without_a_warning(tmp_path, draw, content, stamps):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert look(draw(content, tmp_path / "chart.png", stamps)).shape[1] == 1120


def test_settings_of_matplotlib_are_left_as_they_were(tmp_path):
    before = dict(matplotlib.rcParams)
    draw_split(CHARTS[draw_split], tmp_path / "chart.png")
    assert dict(matplotlib.rcParams) == before


def test_drawing_needs_neither_pyplot_nor_a_screen(tmp_path):
    code = (
        "import sys, pathlib; from islesnet.report import draw_split; "
        "draw_split({'test': [1.0]}, pathlib.Path(sys.argv[1])); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    path = tmp_path / "chart.png"
    subprocess.run([sys.executable, "-c", code, path], check=True, timeout=120, env={"PATH": "", "MPLBACKEND": "TkAgg"})
    assert path.exists()


def test_chart_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(KeyError):
        draw_bland_altman(cohort().drop(columns="true_ml"), tmp_path / "chart.png")
    with pytest.raises(KeyError):
        draw_reliability(RELIABILITY.drop(columns="lesion_share"), tmp_path / "chart.png")
    assert list(tmp_path.iterdir()) == []


def test_training_curves_pass_over_epochs_without_validation(tmp_path, drawn):
    draw_training_curves({"ours": CURVES}, tmp_path / "chart.png")
    accuracy, loss, dice = drawn[-1].axes
    assert accuracy.lines[0].get_xydata().tolist() == [[1, 0.99], [3, 0.995]]
    assert loss.lines[0].get_xydata().tolist() == [[1, 0.9], [2, 0.5], [3, 0.4]]
    assert dice.lines[0].get_xydata().tolist() == [[1, 0.1], [3, 0.5]]


def test_training_that_recorded_no_accuracy_has_no_panel_for_it(tmp_path, drawn, texts):
    draw_training_curves({"ours": CURVES.drop(columns="val_accuracy")}, tmp_path / "chart.png")
    assert len(drawn[-1].axes) == 2
    assert "Accuracy on the validation patients" not in texts()


def test_trainings_are_told_apart_without_colour_and_many_are_drawn_with_their_mean(tmp_path, drawn, texts):
    draw_training_curves({f"fold {number}": CURVES * number for number in range(5)}, tmp_path / "chart.png")
    looks = {(line.get_color(), line.get_linestyle()) for line in drawn[-1].axes[0].lines}
    assert len(looks) == 5
    draw_training_curves({f"fold {number}": CURVES * number for number in range(9)}, tmp_path / "chart.png")
    assert "their mean" in texts()
    assert drawn[-1].axes[1].lines[-1].get_ydata() == pytest.approx([3.6, 2.0, 1.6])


def test_bars_are_sorted_and_scores_on_other_data_are_hatched(tmp_path, drawn):
    draw_comparison_bars(ROWS, tmp_path / "chart.png")
    (axes,) = drawn[-1].axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == sorted(widths)
    hatched = [round(bar.get_width(), 4) for bar in axes.patches if bar.get_hatch()]
    assert hatched == [0.5672, 0.575, 0.7913]  # MI-UNet on chronic T1, ours on four patients, Zhang 2018 on DWI


def test_bar_of_data_that_may_be_siss_or_not_is_not_hatched_and_says_so(tmp_path, drawn, texts):
    draw_comparison_bars([own_row("ours", summary(cohort()), "four patients")], tmp_path / "chart.png")
    assert not any(bar.get_hatch() for bar in drawn[-1].axes[0].patches)
    assert "other data than SISS" not in texts()
    assert any("SISS is not known" in text for text in texts())


def test_our_interval_is_drawn(tmp_path, drawn):
    draw_comparison_bars(ROWS, tmp_path / "chart.png")
    (interval,) = [line for line in drawn[-1].axes[0].lines if line.get_marker() == "|"]
    assert interval.get_xdata() == pytest.approx([0.0, 0.9])


def test_mean_without_an_interval_has_a_bar_and_no_error_bar(tmp_path, drawn):
    draw_comparison_bars([replace(ROWS[0], low=None, high=None)], tmp_path / "chart.png")
    (axes,) = drawn[-1].axes
    assert len(axes.patches) == 1
    assert not axes.lines and not axes.collections


def test_bland_altman_draws_the_mean_error_and_196_deviations_to_either_side(tmp_path, drawn, texts):
    scores = pd.DataFrame({"true_ml": [10.0, 10.0, 10.0], "predicted_ml": [8.0, 11.0, 14.0]})
    draw_bland_altman(scores, tmp_path / "chart.png")
    heights = sorted(line.get_ydata()[0] for line in drawn[-1].axes[0].lines)
    assert heights == pytest.approx([1 - 1.96 * 3, 0, 1, 1 + 1.96 * 3])
    assert "mean error 1.0 ml" in texts()
    assert "limits of agreement −4.9 and 6.9 ml" in texts()
    points = drawn[-1].axes[0].collections[0].get_offsets()
    assert points.tolist() == [[9.0, -2.0], [10.5, 1.0], [12.0, 4.0]]


def test_dice_chart_counts_the_missed_and_those_without_lesion(tmp_path, texts):
    scores = pd.concat([cohort(), pd.DataFrame([patient("4", 0, 10, 0), patient("5", 0, 0, 0)])])
    draw_dice_against_volume(scores, tmp_path / "chart.png")
    assert {"patient: 3", "lesion missed: 1", "no lesion (at the left edge): 2"} <= set(texts())


def test_bounds_of_the_strata_belong_to_the_middle_one(tmp_path, texts):
    scores = pd.DataFrame({"dice": [0.1, 0.5, 0.7, 0.9], "true_ml": [4.9, 5.0, 50.0, 50.1], "predicted_ml": [1.0] * 4})
    draw_dice_against_volume(scores, tmp_path / "chart.png")
    assert [text for text in texts() if text.startswith("mean")] == ["mean 0.100", "mean 0.600", "mean 0.900"]


def test_reliability_leaves_out_bins_without_voxels(tmp_path, drawn):
    draw_reliability(RELIABILITY, tmp_path / "chart.png")
    upper, lower = drawn[-1].axes
    assert len(upper.lines[1].get_xdata()) == 9
    assert [bar.get_height() for bar in lower.patches] == RELIABILITY["voxels"].tolist()


def test_split_says_how_many_patients_a_section_holds_and_their_median_volume(tmp_path, texts):
    draw_split(CHARTS[draw_split], tmp_path / "chart.png")
    assert {"3 (75 %)", "1 (25 %)", "0 (0 %)", "10.5 ml", "0.0 ml"} <= set(texts())


@pytest.mark.parametrize(
    ("name", "short"),
    [("patient 1", "patient 1"), ("line\nbreak\t", "line break"), ("abcdefghijklmnop", "abcde…lmnop")],
)
def test_name_that_does_not_fit_is_shortened_in_the_middle(name, short):
    assert shorten(name, 11) == short
