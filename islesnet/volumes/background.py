"""The space around a head made 0, so that nobody has to ask what value it has."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

SKULL_STRIPPED_SHARE = 0.2  # of the voxels have one value, where the skull was taken away
LOUDEST_NOISE = 0.1  # of the way from the darkest to the brightest percent
DARKER_SHARE = 0.1  # of a brain, below the value around it: normalised, as no ringing and no noise goes so far
_CORNER_SHARE = 0.1  # of each edge
_MOST_VOXELS = 100_000  # that are looked at


def on_zero(values: NDArray[Any]) -> NDArray[Any]:
    """Make the space around a head 0, and a brain that was normalised within itself brighter than that.

    A scan whose background is 0 already is given back itself. Of a stripped brain that was normalised to mean 0, half
    is darker than the 0 around it: it is lifted, so that its darkest percent is 0.

    Args:
        values: finite, of any scale.

    Shapes:
        ``(X, Y, Z)``, in any order -> the same.
    """
    background = background_of(values)
    shifted = values - background if background else values
    sample = _sample(shifted)
    within = sample[sample != 0]
    is_stripped = within.size <= (1 - SKULL_STRIPPED_SHARE) * sample.size
    if not is_stripped or np.count_nonzero(within < 0) <= DARKER_SHARE * within.size:
        return shifted
    return np.where(shifted != 0, shifted - np.percentile(within, 1), 0).astype(shifted.dtype)


def background_of(values: NDArray[Any]) -> float:
    """Give the value of the space around a head, or around a brain where the skull was taken away.

    It is exactly 0 where the corners of the field of view are 0 but for noise, as those of a raw scan are, whatever
    is darker within. Elsewhere it is the one value that much of the field of view has, or else that of the darkest
    percent, where the corners have it too: those of a narrow field of view show tissue, and tell nothing.

    Args:
        values: finite, of any scale.

    Shapes:
        ``(X, Y, Z)``, in any order.
    """
    sample = _sample(values)
    if not sample.size:
        return 0.0
    low, high = (float(end) for end in np.percentile(sample, (1, 99)))
    noise = LOUDEST_NOISE * (high - low)
    corners = _corners_of(values)
    if noise == 0.0 or abs(corners) <= noise:
        return 0.0
    found, counts = np.unique(sample, return_counts=True)
    most = int(counts.argmax())
    is_stripped = counts[most] >= SKULL_STRIPPED_SHARE * sample.size and found[most] < high
    background = float(found[most]) if is_stripped else low
    return background if abs(corners - background) <= noise else 0.0


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    """Take voxels at even steps along every axis: steps through the flat array could all fall on one slice."""
    step = max(1, int(np.ceil(np.cbrt(values.size / _MOST_VOXELS))))
    return values[::step, ::step, ::step].ravel()


def _corners_of(values: NDArray[Any]) -> float:
    """Give the median in the eight corners."""
    ends = [(slice(edge), slice(-edge, None)) for edge in (max(1, round(_CORNER_SHARE * n)) for n in values.shape)]
    return float(np.median(np.concatenate([values[corner].ravel() for corner in product(*ends)])))
