"""A mask's way through preprocessing and back: it lies where the lesion lies, on whatever grid the scan has."""

import nibabel
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from tests.bundle.conftest import open_recipe

CENTRE_MM, LESION_MM, HEAD_MM = np.array([3.0, -4.0, 2.0]), np.array([17.0, 13.0, 15.0]), np.array([32.0, 28.0, 30.0])
TISSUE, LESION = 100.0, 300.0


def affine_of(spacing, shape, turn=(0, 0, 0), flips=(1, 1, 1), shift=(0, 0, 0)):
    """Place a grid about the lesion."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_rotvec(turn, degrees=True).as_matrix() @ np.diag(np.array(spacing) * flips)
    affine[:3, 3] = CENTRE_MM + shift - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def outside_mm(affine, shape, radii_mm):
    """About how many mm each voxel's centre lies outside an ellipsoid."""
    places = np.indices(shape).reshape(3, -1).T @ affine[:3, :3].T + affine[:3, 3] - CENTRE_MM
    reach = np.linalg.norm(places / radii_mm, axis=1)
    gradient = np.linalg.norm(places / radii_mm**2, axis=1) / np.maximum(reach, 1e-9)
    return ((reach - 1) / np.maximum(gradient, 1e-9)).reshape(shape)


def segment(path, output_dir):
    """Send a scan through the bundle with a network that knows lesions by their brightness; gives the mask."""
    weights = path.parent.parent / "model.pt"
    weights.write_bytes(b"none: what is given for a prediction comes from no network")
    places = {"dataset_dir": str(path.parent), "output_dir": str(output_dir), "checkpoint": str(weights)}
    parser = open_recipe("inference", "inference", **places, prepare_scans=False).parser
    loaded = parser.get_parsed_content("dataset")[0]
    # The reference on the working grid, before it is normalised: half of the step is where the border lies.
    logit = (loaded["reference"][0] - (TISSUE + LESION) / 2) / (LESION - TISSUE) * 20
    prediction = torch.stack([torch.zeros_like(logit), logit])
    masked = parser.get_parsed_content("postprocessing")({**loaded, "pred": prediction})
    parser.get_parsed_content("writing")(masked)
    return nibabel.load(output_dir / f"{path.parent.name}_lesion.nii.gz")


GRIDS = {
    "oblique": ((1.2, 1.2, 1.2), (64, 64, 60), {"turn": (12, -9, 15)}),
    "anisotropic": ((0.9, 0.9, 5.0), (80, 80, 16), {"turn": (18, 4, 0)}),
    "flipped": ((1.8, 1.8, 4.0), (42, 42, 18), {"flips": (-1, 1, -1)}),
    "cropped": ((1.0, 1.0, 2.0), (32, 64, 36), {"shift": (12, 0, 0)}),
    "coarse": ((3.0, 3.0, 3.0), (24, 24, 24), {"turn": (0, 0, 20)}),
}


@pytest.mark.parametrize("name", GRIDS)
def test_mask_comes_back_within_half_a_voxel_and_keeps_its_volume(tmp_path, name):
    spacing, shape, place = GRIDS[name]
    affine = affine_of(spacing, shape, **place)
    outside = outside_mm(affine, shape, LESION_MM)
    image = np.where(outside < 0, LESION, TISSUE) * (outside_mm(affine, shape, HEAD_MM) < 0)
    (tmp_path / "anna").mkdir()
    nibabel.save(nibabel.Nifti1Image(image.astype(np.float32), affine), tmp_path / "anna/dwi.nii.gz")

    mask = segment(tmp_path / "anna/dwi.nii.gz", tmp_path / "out")

    found, true = np.asarray(mask.dataobj) > 0, outside < 0
    assert np.abs(outside[found != true]).max(initial=0) <= 0.5 * max(spacing)
    assert found.sum() == pytest.approx(true.sum(), rel=0.02)
    assert np.array_equal(mask.affine, nibabel.load(tmp_path / "anna/dwi.nii.gz").affine)
