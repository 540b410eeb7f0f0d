"""Checks of a volume's values: numbers that are none, images without contrast, labels that are not masks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from islesnet.volumes.finding import Finding, error, warning

_WHITE = 255  # of a mask that was kept as a picture
_LABEL_TOLERANCE = 1e-3


def check_values(array: NDArray[Any]) -> list[Finding]:
    """Check the values of a sequence: all finite, not all the same."""
    findings = _check_finite(array)
    if not findings and array.min() == array.max():
        findings.append(error(f"every voxel is {_number(array.min())}: the image is empty"))
    return findings


def check_label_values(array: NDArray[Any]) -> list[Finding]:
    """Check the values of a label: 0 and 1 (0.9999999998 too), some of each."""
    findings = _check_finite(array)
    if findings:
        return findings
    ones = np.abs(array.astype(np.float32, copy=False) - 1) <= _LABEL_TOLERANCE
    zeros = (array >= -_LABEL_TOLERANCE) & (array <= _LABEL_TOLERANCE)
    others = ~(ones | zeros)
    count = int(others.sum())
    if count:
        values = np.unique(array[others][:1_000_000])
        if values.tolist() == [_WHITE] and not ones.any():
            return [warning(f"the label's lesion is {_WHITE}, not 1; it is taken as a mask")]
        told = ", ".join(_number(value) for value in values[:5]) + (" ..." if len(values) > 5 else "")
        return [error(f"the label is not a mask: {count:,} voxels are neither 0 nor 1 but {told}; right is 0 and 1")]
    if not ones.any():
        return [warning("the label is empty: no voxel is marked as lesion")]
    if ones.all():
        return [error("the label marks every voxel as lesion")]
    return []


def _check_finite(array: NDArray[Any]) -> list[Finding]:
    # The extremes tell in one pass each whether there is anything to count.
    if array.dtype.kind != "f" or (np.isfinite(array.min()) and np.isfinite(array.max())):
        return []
    nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    counts = [f"{count:,} voxels are {name}" for name, count in (("NaN", nan), ("infinite", infinite)) if count]
    return [error(f"{' and '.join(counts)}, of {array.size:,}; every voxel must be a number")]


def _number(value: Any) -> str:
    return f"{float(value):g}"
