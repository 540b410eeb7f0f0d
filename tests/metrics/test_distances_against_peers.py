"""How far the distances of other libraries agree, and by how much they differ where they do."""

import math

import numpy as np
import pytest
import torch
from monai.metrics import HausdorffDistanceMetric, SurfaceDistanceMetric
from scipy import ndimage

from islesnet.metrics import surface_distances

SPACINGS = [(1.0, 1.0, 1.0), (1.0, 2.0, 5.0), (0.9, 0.9, 6.5)]


def random_masks(seed):
    """Blobs for an even seed, specks for an odd one."""
    random = np.random.default_rng(seed)
    if seed % 2:
        return random.random((2, 18, 16, 10)) < 0.03
    noise = ndimage.gaussian_filter(random.normal(size=(2, 18, 16, 10)), (0, 1.5, 1.5, 1.5))
    return noise > np.quantile(noise, 0.8)


def shifted_cube_and_a_far_blob():
    """A cube of 10^3 against one 2 voxels aside, with a blob of 3^3 far off that is 5.06 % of the marked surface."""
    marked, lesion = np.zeros((2, 40, 40, 40), bool)
    lesion[5:15, 5:15, 5:15] = True
    marked[7:17, 5:15, 5:15] = True
    marked[35:38, 35:38, 35:38] = True
    return marked, lesion


def monai_hausdorff(marked, lesion, spacing, percentile):
    pair = (torch.as_tensor(mask[None, None].astype(np.float32)) for mask in (marked, lesion))
    return float(HausdorffDistanceMetric(percentile=percentile)(*pair, spacing=spacing))


def monai_surface_distance(marked, lesion, spacing):
    pair = (torch.as_tensor(mask[None, None].astype(np.float32)) for mask in (marked, lesion))
    return float(SurfaceDistanceMetric(symmetric=True)(*pair, spacing=spacing))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_all_three_are_medpy_s(spacing, seed):
    medpy = pytest.importorskip("medpy.metric.binary")
    marked, lesion = random_masks(seed)
    distances = surface_distances(marked, lesion, spacing)
    assert distances.hd == pytest.approx(medpy.hd(marked, lesion, spacing), abs=1e-9)
    assert distances.hd95 == pytest.approx(medpy.hd95(marked, lesion, spacing), abs=1e-9)
    assert distances.assd == pytest.approx(medpy.assd(marked, lesion, spacing), abs=1e-9)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_hd_and_assd_are_monai_s(spacing, seed):
    marked, lesion = random_masks(seed)
    distances = surface_distances(marked, lesion, spacing)
    assert distances.hd == pytest.approx(monai_hausdorff(marked, lesion, spacing, 100), abs=1e-5)
    assert distances.assd == pytest.approx(monai_surface_distance(marked, lesion, spacing), abs=1e-5)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_hd95_is_at_most_monai_s_which_takes_the_worse_direction(spacing, seed):
    marked, lesion = random_masks(seed)
    monai = monai_hausdorff(marked, lesion, spacing, 95)
    assert surface_distances(marked, lesion, spacing).hd95 <= monai + 1e-5


def test_hd95_of_a_far_blob_tells_the_libraries_apart():
    # 488 and 514 surface voxels. Of both together the blob's 26 are 2.6 %, and the 95th percentile is the cube's shift;
    # of the marked ones alone they are 5.06 %, and it lies between the shift and the blob's nearest voxel, 36.4 away.
    marked, lesion = shifted_cube_and_a_far_blob()
    assert surface_distances(marked, lesion, (1, 1, 1)).hd95 == pytest.approx(2.0)
    assert monai_hausdorff(marked, lesion, (1.0, 1.0, 1.0), 95) == pytest.approx(14.031, abs=1e-3)


def test_hd95_of_medpy_on_the_far_blob_is_ours():
    medpy = pytest.importorskip("medpy.metric.binary")
    assert medpy.hd95(*shifted_cube_and_a_far_blob()) == pytest.approx(2.0)


def test_hd95_of_surface_distance_on_the_far_blob_is_18_times_ours():
    # The worse direction, and by area, of which the small blob has more for each voxel; it does not interpolate.
    peer = pytest.importorskip("surface_distance")
    found = peer.compute_surface_distances(*shifted_cube_and_a_far_blob(), (1, 1, 1))
    assert peer.compute_robust_hausdorff(found, 95) == pytest.approx(36.401, abs=1e-3)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_hd_of_surface_distance_is_ours_but_for_a_voxel(spacing, seed):
    # Its surfaces run through the corners between voxels, half a voxel off the centres on either side.
    peer = pytest.importorskip("surface_distance")
    marked, lesion = random_masks(seed)
    found = peer.compute_surface_distances(marked, lesion, spacing)
    one_voxel = float(np.linalg.norm(spacing))
    hd = surface_distances(marked, lesion, spacing).hd
    assert peer.compute_robust_hausdorff(found, 100) == pytest.approx(hd, abs=one_voxel)


@pytest.mark.filterwarnings("ignore:the prediction of class:UserWarning")
def test_missed_lesion_has_no_distance_by_monai_and_drops_out_of_its_mean():
    # MONAI issue 9095. Ours is the diagonal of the image, so that a missed lesion is not the better for it.
    empty, lesion = np.zeros((2, 6, 6, 6), bool)
    lesion[2:4, 2:4, 2:4] = True
    assert math.isnan(monai_hausdorff(empty, lesion, (1.0, 1.0, 1.0), 95))
    assert math.isinf(monai_surface_distance(empty, lesion, (1.0, 1.0, 1.0)))
    assert surface_distances(empty, lesion, (1, 1, 1)).hd95 == pytest.approx(108**0.5)

    metric = HausdorffDistanceMetric(percentile=95)
    truths = torch.as_tensor(np.stack([lesion, lesion])[:, None].astype(np.float32))
    masks = torch.as_tensor(np.stack([empty, lesion])[:, None].astype(np.float32))
    metric(masks, truths)
    assert float(metric.aggregate()) == 0.0  # of the one patient that was found


def test_medpy_refuses_an_empty_mask():
    medpy = pytest.importorskip("medpy.metric.binary")
    empty, lesion = np.zeros((6, 6, 6), bool), np.ones((6, 6, 6), bool)
    with pytest.raises(RuntimeError, match="does not contain any binary object"):
        medpy.hd95(empty, lesion)
