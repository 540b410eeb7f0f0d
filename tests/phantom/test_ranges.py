from dataclasses import fields
from pathlib import Path

import numpy as np

from islesnet.phantom import ranges_table
from islesnet.phantom.ranges import SISS_LIKE, WIDE, Ranges, draw, draw_log


def test_wide_ranges_hold_those_like_siss_wherever_both_are_drawn():
    narrower = {
        each.name
        for each in fields(Ranges)
        if not getattr(WIDE, each.name)[0] <= getattr(SISS_LIKE, each.name)[0]
        or not getattr(SISS_LIKE, each.name)[1] <= getattr(WIDE, each.name)[1]
    }

    # What SISS-like phantoms lack may begin above 0 in wide ones, and what changes it differ from 1.
    folds = {"folding", "gyrus_mm", "sulcus_depth_mm", "sulcus_gap_mm", "fluid_rim_mm", "cortex_mm"}
    others = {
        "sulcal_variation",
        "surface_depth_mm",
        "tissue_sd",
        "oedema_excess",
        "flair_brightening",
        "relaxation_apart",
    }
    assert narrower == others | folds


def test_every_parameter_has_its_row_with_unit_and_source():
    rows = ranges_table().splitlines()[2:]

    assert {each.name for each in fields(Ranges)} < {row.split("|")[1].strip() for row in rows}
    assert all(cell.strip() for row in rows for cell in row.strip("|").split("|"))


def test_equal_bounds_draw_nothing_so_that_later_draws_stay():
    rng, same = np.random.default_rng(0), np.random.default_rng(0)

    assert draw(rng, (3, 3)) == 3
    assert rng.uniform() == same.uniform()


def test_logarithmic_draws_have_the_geometric_mean_in_the_middle():
    rng = np.random.default_rng(0)

    drawn = [draw_log(rng, (0.1, 10)) for _ in range(2000)]

    assert min(drawn) >= 0.1 and max(drawn) <= 10
    assert 0.8 < np.median(drawn) < 1.25


def test_documented_table_is_the_one_in_use():
    documented = (Path(__file__).parents[2] / "bundle" / "docs" / "phantoms.md").read_text()

    assert documented.endswith(ranges_table())
