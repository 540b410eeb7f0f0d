import json
from dataclasses import asdict

import numpy as np
import pytest

from islesnet.trust.joint import FEWEST_TOGETHER, JointRange

MEASURES = ("bright", "dark")


def drawn(count, seed=0):
    """Images whose two measures rise together, each from -2 to 2 or so."""
    both = np.random.default_rng(seed).normal(size=count)
    apart = np.random.default_rng(seed + 1).normal(scale=0.3, size=(2, count))
    return [{"bright": float(x), "dark": float(y)} for x, y in zip(both + apart[0], both + apart[1], strict=True)]


@pytest.fixture(scope="module")
def cloud():
    return JointRange.fit(drawn(60), MEASURES)


def test_what_is_usual_alone_is_far_where_it_does_not_go_together(cloud):
    usual, unusual = {"bright": 1.5, "dark": 1.5}, {"bright": 1.5, "dark": -1.5}
    assert cloud.distance(usual) < cloud.limit < cloud.distance(unusual)


def test_hand_checked_distance():
    cloud = JointRange(MEASURES, (1.0, 0.0), (2.0, 1.0), ((1.0, 0.5), (0.5, 1.0)), limit=3.0, images=40)
    # (2, 0) standard deviations: 4 / (1 - 0.5 ** 2)
    assert cloud.distance({"bright": 5.0, "dark": 0.0}) == pytest.approx((4 / 0.75) ** 0.5)
    assert cloud.distance({"bright": 5.0, "dark": float("nan")}) == pytest.approx(2.0)
    assert cloud.distance({"bright": float("nan"), "dark": float("nan")}) == 0.0


def test_limit_lets_nearly_all_images_of_the_same_kind_pass(cloud):
    others = drawn(400, seed=7)
    assert np.mean([cloud.distance(image) > cloud.limit for image in others]) < 0.05


def test_too_few_images_make_no_cloud_and_those_with_a_gap_do_not_count():
    images = drawn(FEWEST_TOGETHER)
    assert JointRange.fit(images, MEASURES).images == FEWEST_TOGETHER
    images[0]["dark"] = float("nan")
    assert JointRange.fit(images, MEASURES) is None


def test_measure_that_all_images_have_alike_is_no_division_by_zero():
    images = [{**image, "dark": 1.0} for image in drawn(40)]
    assert np.isfinite(JointRange.fit(images, MEASURES).limit)


def test_cloud_comes_back_from_json(cloud):
    assert JointRange.from_json(json.loads(json.dumps(asdict(cloud)))) == cloud


def test_cloud_whose_parts_do_not_fit_is_refused(cloud):
    with pytest.raises(ValueError, match="not equally many"):
        JointRange.from_json({**asdict(cloud), "mean": [0.0]})
