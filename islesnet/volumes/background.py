"""What value the space around a head has, so that nobody has to take it for 0."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

SKULL_STRIPPED_SHARE = 0.2  # of the voxels have one value, where the skull was taken away
LOUDEST_NOISE = 0.1  # of the way from the darkest to the brightest percent
_CORNER_SHARE = 0.1  # of each edge
_MOST_VOXELS = 100_000  # that are looked at


def background_of(values: NDArray[Any]) -> float:
    """Give the value of the space around a head, or around a brain where the skull was taken away.

    It is exactly 0 where the corners of the field of view are 0 but for noise, as those of a raw scan are, whatever
    is darker within. Elsewhere it is the one value that much of the field of view has, or else that of the darkest
    percent: the corners of a narrow field of view show tissue.

    Args:
        values: finite, of any scale.

    Shapes:
        ``(X, Y, Z)``, in any order.
    """
    sample = values.ravel()[:: max(1, values.size // _MOST_VOXELS)]
    if not sample.size:
        return 0.0
    low, high = (float(end) for end in np.percentile(sample, (1, 99)))
    noise = LOUDEST_NOISE * (high - low)
    if noise == 0.0 or abs(_corners_of(values)) <= noise:
        return 0.0
    found, counts = np.unique(sample, return_counts=True)
    most = int(counts.argmax())
    is_stripped = counts[most] >= SKULL_STRIPPED_SHARE * sample.size and found[most] < high
    background = float(found[most]) if is_stripped else low
    return background if abs(background) > noise else 0.0


def _corners_of(values: NDArray[Any]) -> float:
    """Give the median in the eight corners."""
    ends = [(slice(edge), slice(-edge, None)) for edge in (max(1, round(_CORNER_SHARE * n)) for n in values.shape)]
    return float(np.median(np.concatenate([values[corner].ravel() for corner in product(*ends)])))
