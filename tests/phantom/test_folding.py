from dataclasses import replace

import numpy as np
import pytest

from islesnet.phantom.anatomy import make_anatomy
from islesnet.phantom.folding import REACH_MM, draw_folds
from islesnet.phantom.ranges import SISS_LIKE, WIDE
from islesnet.phantom.templates import load_templates

UNFOLDED = replace(WIDE, folding=(0, 0))
FOLDED = replace(WIDE, folding=(1, 1))


@pytest.fixture(scope="module")
def folded():
    return make_anatomy(np.random.default_rng(3), 3.0, ranges=FOLDED)


@pytest.fixture(scope="module")
def unfolded():
    return make_anatomy(np.random.default_rng(3), 3.0, ranges=UNFOLDED)


def below_mm(anatomy):
    return load_templates(3.0).sample("depth", anatomy.mni_mm)


def test_shares_still_add_up(folded):
    total = sum(folded.tissues.values())

    np.testing.assert_allclose(total, 1, atol=1e-5)
    assert all(share.min() >= -1e-6 for share in folded.tissues.values())


def test_cortex_is_folded_and_what_lies_deep_or_below_the_tentorium_is_as_it_was(folded, unfolded):
    changed = np.abs(folded.tissues["grey"] - unfolded.tissues["grey"])
    is_deep = below_mm(folded) > REACH_MM + 8
    is_below_tentorium = load_templates(3.0).sample("cerebrum", folded.mni_mm) < 0.01

    assert changed[is_deep].max() < 0.05
    assert changed[is_below_tentorium].max() < 0.02
    assert np.mean(changed[~is_deep & ~is_below_tentorium] > 0.2) > 0.3


def test_folds_divide_the_cortex_more_crisply_than_the_average_brain_does(folded, unfolded):
    crisp = [
        np.mean(np.max([part.tissues[name][below_mm(part) < 15] for name in ("white", "grey", "csf")], axis=0) > 0.9)
        for part in (folded, unfolded)
    ]

    assert crisp[0] > crisp[1] + 0.1


def test_cortex_fills_a_plausible_share_of_the_brain(folded):
    grey, white = folded.tissues["grey"].sum(), folded.tissues["white"].sum()

    assert 0.8 < grey / white < 2.2  # about 1.3: Allen et al., Am J Phys Anthropol 118:341, 2002


def test_a_siss_like_patient_keeps_the_average_folds_and_draws_nothing():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state

    assert draw_folds(rng, SISS_LIKE) is None
    assert rng.bit_generator.state == before
