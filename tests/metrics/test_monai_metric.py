import subprocess
import sys
from dataclasses import astuple

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor, list_data_collate
from monai.handlers import IgniteMetricHandler
from monai.metrics import DiceMetric

from islesnet.metrics import score_mask
from islesnet.metrics.monai_metric import SCORES, MaskScoresMetric

SPACING = (1.0, 2.0, 5.0)
COARSE = (3.0, 3.0, 3.0)


def masks(patients=3, seed=0):
    return torch.as_tensor(np.random.default_rng(seed).random((2, patients, 1, 6, 5, 4)) < 0.3).float()


def rows(prediction, truth, spacing):
    """Every patient by score_mask."""
    pairs = zip(prediction[:, 0].numpy(), truth[:, 0].numpy(), strict=True)
    return np.array([astuple(score_mask(*pair, spacing)) for pair in pairs])


def on_grids(batch, *spacings):
    """A batch as MONAI's loader collates it, each patient with the affine of its own voxels."""
    affines = [torch.diag(torch.tensor([*spacing, 1.0])) for spacing in spacings]
    return list_data_collate([MetaTensor(mask, affine) for mask, affine in zip(batch, affines, strict=True)])


def test_scores_are_those_of_score_mask():
    prediction, truth = masks()
    metric = MaskScoresMetric()
    scored = metric(prediction, truth, spacing=SPACING)
    assert scored.shape == (3, len(SCORES))
    assert scored.dtype == torch.float64
    np.testing.assert_array_equal(scored.numpy(), rows(prediction, truth, SPACING))
    np.testing.assert_array_equal(metric.get_buffer().numpy(), scored.numpy())


def test_buffer_holds_a_row_a_patient_over_batches_until_reset():
    metric = MaskScoresMetric()
    for seed in range(2):
        metric(*masks(seed=seed))
    assert metric.get_buffer().shape == (6, len(SCORES))
    metric.reset()
    metric(*masks(patients=1))
    assert metric.get_buffer().shape == (1, len(SCORES))


def test_aggregate_is_the_mean_over_patients_and_nan_only_where_none_has_the_score():
    prediction, truth = masks()
    metric = MaskScoresMetric()
    metric(prediction, truth)
    mean = dict(zip(SCORES, metric.aggregate().tolist(), strict=True))
    assert mean["dice"] == pytest.approx(rows(prediction, truth, (1, 1, 1))[:, SCORES.index("dice")].mean())
    assert {name for name, value in mean.items() if np.isnan(value)} == {"brain_accuracy", "brain_empty_mask_accuracy"}


def test_dice_is_that_of_monai_s_metric_beside_it():
    prediction, truth = masks()
    dice = DiceMetric(ignore_empty=False)(prediction, truth)[:, 0]
    torch.testing.assert_close(MaskScoresMetric()(prediction, truth)[:, SCORES.index("dice")].float(), dice)


def test_list_of_patients_is_scored_like_a_batch():
    prediction, truth = masks()
    scored = MaskScoresMetric()(list(prediction), list(truth), spacing=SPACING)
    np.testing.assert_array_equal(scored.numpy(), rows(prediction, truth, SPACING))


def test_size_of_a_voxel_comes_from_each_truth_s_affine():
    prediction, truth = masks(patients=2)
    scored = MaskScoresMetric()(prediction, on_grids(truth, SPACING, COARSE))
    expected = rows(prediction[:1], truth[:1], SPACING), rows(prediction[1:], truth[1:], COARSE)
    np.testing.assert_allclose(scored.numpy(), np.concatenate(expected), rtol=1e-6)


def test_size_of_a_voxel_comes_from_the_affine_in_a_list_too():
    prediction, truth = masks(patients=1)
    truths = [MetaTensor(truth[0], torch.diag(torch.tensor([*COARSE, 1.0])))]
    np.testing.assert_allclose(MaskScoresMetric()(list(prediction), truths), rows(prediction, truth, COARSE), rtol=1e-6)


def test_spacing_that_is_given_goes_before_the_affine():
    prediction, truth = masks(patients=1)
    scored = MaskScoresMetric()(prediction, on_grids(truth, COARSE), spacing=SPACING)
    np.testing.assert_array_equal(scored.numpy(), rows(prediction, truth, SPACING))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.bfloat16, torch.float64])
def test_any_number_type_is_a_mask(dtype):
    prediction, truth = masks()
    scored = MaskScoresMetric()(prediction.to(dtype), truth.to(dtype))
    np.testing.assert_array_equal(scored.numpy(), rows(prediction, truth, (1, 1, 1)))


def test_handler_of_monai_keeps_a_row_a_patient_beside_its_dice():
    prediction, truth = masks(patients=2)
    truth = on_grids(truth, SPACING, SPACING)
    engine = Engine(lambda _, patients: ([prediction[number] for number in patients], [truth[n] for n in patients]))
    IgniteMetricHandler(MaskScoresMetric()).attach(engine, "scores")
    IgniteMetricHandler(DiceMetric(ignore_empty=False)).attach(engine, "dice")
    engine.run([[0], [1]])
    expected = rows(prediction, torch.as_tensor(truth), SPACING)
    np.testing.assert_allclose(engine.state.metric_details["scores"].numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(engine.state.metrics["scores"].numpy(), expected.mean(axis=0), rtol=1e-6)
    assert engine.state.metrics["dice"] == pytest.approx(float(engine.state.metrics["scores"][SCORES.index("dice")]))


@pytest.mark.parametrize("shape", [(1, 2, 4, 4, 4), (1, 1, 4, 4), (4, 4, 4)])
def test_other_than_one_channel_of_volumes_is_refused(shape):
    with pytest.raises(ValueError, match=r"one shape \(B, 1, X, Y, Z\) are needed, not"):
        MaskScoresMetric()(torch.zeros(shape), torch.zeros(shape))


def test_missing_truth_and_one_on_another_grid_are_refused():
    with pytest.raises(ValueError, match=r"not \(1, 1, 4, 4, 4\) and None"):
        MaskScoresMetric()(torch.zeros(1, 1, 4, 4, 4))
    with pytest.raises(ValueError, match=r"not \(1, 1, 4, 4, 4\) and \(1, 1, 4, 4, 5\)"):
        MaskScoresMetric()(torch.zeros(1, 1, 4, 4, 4), torch.zeros(1, 1, 4, 4, 5))


def test_aggregate_before_any_patient_is_refused():
    with pytest.raises(ValueError, match="no patient has been scored"):
        MaskScoresMetric().aggregate()


def test_other_metrics_load_neither_torch_nor_monai():
    code = "import sys, islesnet.metrics; sys.exit(any(name in sys.modules for name in ('torch', 'monai')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
