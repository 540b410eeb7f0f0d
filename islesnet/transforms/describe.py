"""What a reader wants to know of each lesion: how large, how sure, and where."""

from typing import Any

import numpy as np
from nibabel.orientations import io_orientation

from islesnet.components import label_lesions
from islesnet.transforms.lesions import voxel_volume_ml


def describe_lesions(mask: np.ndarray, probability: np.ndarray, affine: np.ndarray) -> list[dict[str, Any]]:
    """Describe each lesion of a mask, the largest first.

    A lesion's confidence is the mean probability of its voxels, never below the threshold that made the mask. It is the
    share of them that is expected to be lesion only where probabilities are right.

    Args:
        mask: bool.
        probability: of lesion, 0 to 1.
        affine: from voxels to mm in world space, right-anterior-superior.

    Shapes:
        mask and probability ``(X, Y, Z)``, affine ``(4, 4)``.

    Returns:
        for each lesion (26-connected) volume_ml, confidence, centroid_mm (x, y, z), and first_slice and last_slice:
        the lowest and the highest number of an axial slice that it is in, as the file numbers them from 1. Axial are
        the slices across the axis that runs nearest to superior or inferior.
    """
    lesions, count = label_lesions(mask)
    if not count:
        return []
    voxels = np.nonzero(lesions)
    numbers = lesions[voxels] - 1
    sizes = np.bincount(numbers)
    confidences = np.bincount(numbers, weights=probability[voxels]) / sizes
    centers = np.stack([np.bincount(numbers, weights=axis) / sizes for axis in voxels], axis=1)
    centroids_mm = centers @ affine[:3, :3].T + affine[:3, 3]
    slices = voxels[int(np.flatnonzero(io_orientation(affine)[:, 0] == 2)[0])] + 1
    first, last = np.full(count, max(mask.shape)), np.zeros(count, dtype=int)
    np.minimum.at(first, numbers, slices)
    np.maximum.at(last, numbers, slices)
    return [
        {
            "volume_ml": round(float(sizes[lesion]) * voxel_volume_ml(affine), 4),
            "confidence": round(float(confidences[lesion]), 3),
            "centroid_mm": [round(float(length), 1) for length in centroids_mm[lesion]],
            "first_slice": int(first[lesion]),
            "last_slice": int(last[lesion]),
        }
        for lesion in np.argsort(-sizes, kind="stable")
    ]
