import json

import numpy as np
import pytest
import torch
from scipy import ndimage

from islesnet.errors import InputError
from islesnet.trust import AppearanceRanges, describe_appearance, read_appearance
from islesnet.trust.description import STATISTICS

SEQUENCES = ("dwi", "flair")


@pytest.fixture(scope="module")
def ranges(make_image):
    return AppearanceRanges.fit(describe_appearance(make_image(seed), SEQUENCES) for seed in range(12))


def test_hand_checked_description():
    image = torch.full((1, 4, 2, 3), -5.0)
    image[0, :3] = torch.arange(3.0).view(3, 1, 1)  # 0, 1, 2 along x; the last plane is outside of the head
    described = describe_appearance(image, ["t1"])["t1"]
    assert (described["p25"], described["p75"]) == (0.0, 2.0)
    assert described["head_share"] == 0.75
    assert (described["sharpness"], described["sharpness_through"]) == (0.5, 0.0)  # 1 along x, 0 along y


def test_fluid_deep_in_the_head_is_told_apart_from_the_brain_around_it(make_image, head):
    image, depth = make_image(), ndimage.distance_transform_edt(head)
    image[0] = torch.where(torch.as_tensor(depth > 0.8 * depth.max()), 4.0, image[0])  # as on T2
    image[1] = torch.where(torch.as_tensor(depth > 0.8 * depth.max()), -4.0, image[1])  # as on T1

    described = describe_appearance(image, SEQUENCES)

    assert described["dwi"]["deep_p95"] == 4.0 and described["flair"]["deep_p05"] == -4.0
    assert abs(described["dwi"]["p95"] - described["flair"]["p95"]) < 0.5


def test_absent_sequence_has_no_description(make_image):
    assert set(describe_appearance(make_image(dwi=False), SEQUENCES)) == {"flair"}


def test_single_slice_has_no_contrast_between_slices(make_image):
    described = describe_appearance(make_image()[..., 15:16], SEQUENCES)["dwi"]
    assert np.isnan(described["sharpness_through"]) and np.isfinite(described["sharpness"])


def test_another_image_of_the_same_kind_is_not_far(ranges, make_image):
    assert ranges.check(describe_appearance(make_image(99), SEQUENCES), tolerance=2.0) == []


def test_sequence_unlike_the_training_is_named_with_value_and_range(ranges, make_image):
    image = make_image(99)
    image[1] = torch.where(image[1] > -5, image[1] * 0.3, image[1])

    (finding,) = ranges.check(describe_appearance(image, SEQUENCES), tolerance=2.0)

    assert finding.topic == "FLAIR unusual"
    assert finding.sentence.startswith("FLAIR looks unlike the network's training: ")
    assert "more of 12 measures" in finding.sentence


def test_sequence_within_every_range_is_unusual_where_its_measures_do_not_go_together(make_image):
    images = [describe_appearance(make_image(seed, flair=False), SEQUENCES) for seed in range(40)]
    known = AppearanceRanges.fit(images)
    ranges = AppearanceRanges({"dwi": dict.fromkeys(STATISTICS, (-10.0, 10.0))}, known.images, known.joint)
    blurred = make_image(99, flair=False)
    blurred[0, :, :, 1:] = (blurred[0, :, :, 1:] + blurred[0, :, :, :-1]) / 2

    assert ranges.check(images[0], tolerance=0.5) == []
    described = describe_appearance(blurred, SEQUENCES)
    (finding,) = ranges.check(described, tolerance=0.5)
    assert finding.topic == "DWI unusual"
    assert "its measures together lie" in finding.sentence and "Is it another sequence?" in finding.sentence
    assert ranges.check(described, tolerance=0.5, joint_tolerance=1000.0) == []


def test_file_of_earlier_weights_compares_by_the_ranges_that_it_has(ranges, make_image, tmp_path):
    ranges.write(tmp_path / "model_appearance.json")
    stored = json.loads((tmp_path / "model_appearance.json").read_text())
    del stored["joint"]
    for known in stored["ranges"].values():
        for name in ("deep_p05", "deep_p50", "deep_p95"):
            del known[name]
    (tmp_path / "model_appearance.json").write_text(json.dumps(stored))

    earlier = read_appearance(tmp_path / "model.pt")

    assert earlier is not None and earlier.joint == {}
    assert earlier.check(describe_appearance(make_image(99), SEQUENCES), tolerance=2.0) == []
    dark = make_image(99, contrast=0.3)
    assert [finding.topic for finding in earlier.check(describe_appearance(dark, SEQUENCES), tolerance=2.0)] == [
        "DWI unusual",
        "FLAIR unusual",
    ]


def test_tolerance_is_in_widths_of_the_range():
    known = dict.fromkeys(set(STATISTICS) - {"p99"}, (0.0, 1.0))
    ranges = AppearanceRanges({"t2": {**known, "p99": (2.0, 4.0)}})
    described = {"t2": {**dict.fromkeys(known, 0.5), "p99": 5.5}}  # three quarters of a width above
    assert ranges.check(described, tolerance=0.8) == []
    (finding,) = ranges.check(described, tolerance=0.7)
    assert "percentile 99 of the brightness is 5.50, there 2.00 to 4.00." in finding.sentence


def test_few_images_make_the_check_more_tolerant():
    known = dict.fromkeys(STATISTICS, (0.0, 1.0))
    described = {"t2": {**dict.fromkeys(known, 0.5), "p99": 2.4}}  # 1.4 widths above
    assert AppearanceRanges({"t2": known}, {"t2": 20}).check(described, tolerance=0.5) == []  # 30 / 20 are allowed
    assert AppearanceRanges({"t2": known}, {"t2": 30}).check(described, tolerance=0.5)
    assert AppearanceRanges({"t2": known}, {"t2": 30}).check(described, tolerance=1.5) == []


def test_what_is_not_known_of_the_training_is_not_held_against_a_sequence(make_image):
    ranges = AppearanceRanges({})
    assert ranges.check(describe_appearance(make_image(), SEQUENCES), tolerance=0.0) == []


def test_ranges_come_back_from_the_file_beside_the_weights(ranges, tmp_path):
    ranges.write(tmp_path / "model_appearance.json")
    assert read_appearance(tmp_path / "model.pt") == ranges
    assert json.loads((tmp_path / "model_appearance.json").read_text())["images"] == {"dwi": 12, "flair": 12}


def test_weights_without_the_file_have_no_ranges(tmp_path):
    assert read_appearance(tmp_path / "model.pt") is None


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"ranges": {"dwi": {}}, "images": {}}',
        '{"ranges": {"dwi": 3}}',
        '{"ranges": {}, "images": {}, "joint": {"dwi": {}}}',
    ],
)
def test_damaged_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "model_appearance.json").write_text(content)
    with pytest.raises(InputError, match=r"model_appearance\.json does not hold the appearance"):
        read_appearance(tmp_path / "model.pt")


def test_ranges_of_few_images_are_refused(make_image):
    for descriptions in ([describe_appearance(make_image(), SEQUENCES)], []):
        with pytest.raises(InputError, match="No sequence has 10 images"):
            AppearanceRanges.fit(descriptions)


def test_sequence_of_few_images_has_no_range_and_costs_the_others_none(make_image):
    described = describe_appearance(make_image(), SEQUENCES)
    rare, *others = described
    without = {sequence: described[sequence] for sequence in others}

    ranges = AppearanceRanges.fit([described] * 9 + [without] * 3)

    assert set(ranges.ranges) == set(others)
    assert rare not in ranges.images


def test_measure_that_is_not_known_is_refused_when_the_file_is_read(tmp_path, make_image):
    file = tmp_path / "model_appearance.json"
    AppearanceRanges.fit([describe_appearance(make_image(), SEQUENCES)] * 10).write(file)
    cloud = {"measures": ["kurtosis"], "mean": [0], "deviation": [1], "correlation": [[1]], "limit": 1, "images": 30}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"joint": {"dwi": cloud}}))
    with pytest.raises(InputError, match="unknown measures: kurtosis"):
        read_appearance(tmp_path / "model.pt")
