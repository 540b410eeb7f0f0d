import pytest
import torch
from ignite.engine import Engine
from monai.handlers import from_engine

from islesnet.handlers import VoxelRatio
from islesnet.handlers.voxel_ratio import RATIOS, VoxelRatioMetric
from islesnet.metrics import score_mask


def volume(*lesion):
    mask = torch.zeros(1, 4, 4, 2)
    for voxel in lesion:
        mask[(0, *voxel)] = 1.0
    return mask


EMPTY, ONE, TWO = volume(), volume((0, 0, 0)), volume((0, 0, 0), (0, 0, 1))


def validate(ratio, *patients):
    """Run an engine over patients' masks and truths and give its metric."""
    engine = Engine(lambda engine, patient: [dict(zip(("pred", "label"), patient, strict=True))])
    VoxelRatio(ratio, from_engine(["pred", "label"])).attach(engine, "val")
    return engine.run(patients).metrics["val"]


def test_patient_with_an_empty_mask_counts_in_the_mean_precision():
    assert validate("precision", (ONE, TWO), (EMPTY, TWO)) == pytest.approx(0.5)  # 1 and 0, not 1 alone


def test_mean_is_over_patients_not_voxels():
    assert validate("sensitivity", (ONE, TWO), (ONE, ONE), (EMPTY, EMPTY)) == pytest.approx((0.5 + 1 + 1) / 3)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(("mask", "truth"), [(ONE, TWO), (TWO, ONE), (EMPTY, ONE), (ONE, EMPTY), (EMPTY, EMPTY)])
def test_ratio_is_that_of_the_scores(ratio, mask, truth):
    scores = score_mask(mask[0].numpy(), truth[0].numpy(), (1, 1, 1))

    assert validate(ratio, (mask, truth)) == pytest.approx(getattr(scores, ratio))


def test_every_patient_of_a_batch_has_a_value():
    metric = VoxelRatioMetric("dice")
    assert metric(torch.stack([ONE, EMPTY]), torch.stack([TWO, EMPTY])).tolist() == [[pytest.approx(2 / 3)], [1.0]]
    assert metric.aggregate().item() == pytest.approx(5 / 6)


def test_unknown_ratio_is_refused():
    with pytest.raises(ValueError, match=r"unknown ratio 'recall'; known: dice, precision"):
        VoxelRatio("recall")


def test_masks_of_another_shape_than_the_truth_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        VoxelRatioMetric("dice")(torch.zeros(1, 1, 2, 2, 2), torch.zeros(1, 1, 2, 2, 3))


def test_no_patient_has_no_mean():
    with pytest.raises(ValueError, match="no patient"):
        VoxelRatioMetric("dice").aggregate()
