from pathlib import Path

import pytest

from islesnet.data import are_of_siss

AS_DISTRIBUTED = [Path(f"{number}/VSD.Brain.XX.O.OT.{number}/VSD.Brain.XX.O.OT.{number}.nii") for number in range(28)]


@pytest.mark.parametrize(
    "labels",
    [AS_DISTRIBUTED, AS_DISTRIBUTED[:1], [Path("vsd.brain.xx.o.ot.7.nii.gz")], [Path("VSD.Brain.XX.O.OT.7/mask.nii")]],
    ids=["all", "one", "files alone", "folders alone"],
)
def test_masks_with_the_names_of_siss_are_its(labels):
    assert are_of_siss(labels) is True


def test_synthetic_patients_with_the_names_of_siss_are_others():
    assert are_of_siss(AS_DISTRIBUTED, ["PHANTOM"]) is False


@pytest.mark.parametrize(
    ("labels", "sequences"),
    [
        ([], []),
        ([*AS_DISTRIBUTED[:3], Path("case_0001.nii.gz")], []),
        ([*AS_DISTRIBUTED, Path("VSD.Brain.XX.O.OT.99.nii")], []),
        (AS_DISTRIBUTED[:2], [4, 2]),
        ([Path("VSD.Brain_3more.XX.O.OT.42283.mha")], []),
    ],
    ids=["none", "a copy among them", "too many", "a sequence is absent", "BRATS"],
)
def test_of_other_names_numbers_and_sequences_it_is_not_known(labels, sequences):
    assert are_of_siss(labels, [], sequences) is None
