import pytest

from islesnet.trust import NetworkRecord, SubsetScores
from tests.trust.conftest import LIMITS, SEQUENCES


def sentences(findings):
    return [finding.sentence for finding in findings]


def test_nothing_known_is_no_reason_and_is_noted(make_image):
    record = NetworkRecord()

    assert record.check_subset(SEQUENCES, LIMITS) == []
    assert record.check_appearance(make_image(3, contrast=9.0), SEQUENCES, LIMITS) == []
    assert record.tell(SEQUENCES) == ""
    assert sentences(record.note(SEQUENCES, LIMITS)) == [
        "Not compared with the training's images, of which nothing is known: DWI, FLAIR."
    ]


def test_image_unlike_the_training_is_found(make_image, ranges):
    record = NetworkRecord(ranges)

    assert record.check_appearance(make_image(3), SEQUENCES, LIMITS) == []
    strange = record.check_appearance(make_image(3, contrast=9.0), SEQUENCES, LIMITS)
    assert [finding.topic for finding in strange] == ["DWI unusual", "FLAIR unusual"]
    assert record.note(SEQUENCES, LIMITS) == []


@pytest.mark.parametrize(
    ("dice", "reasons", "notes"), [(0.09, ["too few sequences"], []), (0.2, [], ["few sequences"]), (0.25, [], [])]
)
def test_limits_decide_what_is_next_to_nothing_and_what_is_little(ranges, dice, reasons, notes):
    record = NetworkRecord(ranges, SubsetScores({"dwi+flair": dice}, {"dwi+flair": 21}))

    assert [finding.topic for finding in record.check_subset(SEQUENCES, LIMITS)] == reasons
    assert [finding.topic for finding in record.note(SEQUENCES, LIMITS)] == notes
    assert f"mean Dice of {dice:.2f} on 21" in record.tell(SEQUENCES)


def test_uncalibrated_probabilities_are_noted_last(ranges):
    notes = sentences(NetworkRecord(is_calibrated=False).note(SEQUENCES, LIMITS))

    assert len(notes) == 2 and "confidences are the network's own" in notes[-1]
    assert len(NetworkRecord(ranges, is_calibrated=False).note(SEQUENCES, LIMITS)) == 1
