"""Slices with outlines of truth and prediction."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

TRUTH_COLOUR = (0.1, 0.9, 0.2)
PREDICTION_COLOUR = (1.0, 0.25, 0.1)
BOTH_COLOUR = (1.0, 0.9, 0.1)
# What is darker than this share of its window's span is taken for the space around the head.
HEAD_LEVEL = 0.08


def largest_slice(*masks: np.ndarray) -> int:
    """Choose the axial slice where the first mask that marks anything is largest; the middle where none does.

    Shapes:
        each ``(X, Y, Z)``.
    """
    for mask in masks:
        areas = mask.sum(axis=(0, 1))
        if areas.max() > 0:
            return int(areas.argmax())
    return masks[0].shape[2] // 2


def outlined_slice(
    images: Mapping[str, np.ndarray], truth: np.ndarray | None, prediction: np.ndarray, index: int, magnify: int = 3
) -> np.ndarray:
    """Draw one axial slice of every sequence side by side, truth outlined green, prediction red, both yellow.

    Radiological convention for RAS volumes: the patient's right on the left, anterior up.

    Args:
        images: volumes by sequence, on one RAS grid.
        truth: mask, or None where it is unknown.
        prediction: mask.
        index: slice along the last axis.
        magnify: pixels a voxel becomes, so that an outline is thinner than a voxel.

    Shapes:
        volumes ``(X, Y, Z)`` -> ``(magnify * Y, magnify * X * sequences, 3)`` in 0..1, float32.
    """
    marks = np.zeros_like(prediction[..., index], dtype=bool) if truth is None else truth[..., index] > 0
    drawn_truth = _outline(to_screen(marks, magnify))
    drawn_prediction = _outline(to_screen(prediction[..., index] > 0, magnify))
    panels = []
    for volume in images.values():
        panel = np.repeat(to_screen(grey_slice(volume, index), magnify)[..., None], 3, axis=2)
        panel[drawn_truth] = TRUTH_COLOUR
        panel[drawn_prediction] = PREDICTION_COLOUR
        panel[drawn_truth & drawn_prediction] = BOTH_COLOUR
        panels.append(panel)
    return np.concatenate(panels, axis=1).astype(np.float32)


def grey_slice(volume: np.ndarray, index: int) -> np.ndarray:
    """Take one axial slice as 0..1 by the window of its whole volume, so that slices compare; NaN is black."""
    return scale_to_window(volume[..., index], grey_window(volume))


def grey_window(volume: np.ndarray) -> tuple[float, float]:
    """Choose the values that are drawn black and white: percentiles 1 and 99.8, NaN counting as 0."""
    low, high = np.percentile(np.nan_to_num(volume), [1.0, 99.8])
    return float(low), float(high)


def scale_to_window(values: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Scale values to 0..1 and clip them; NaN counts as 0."""
    low, high = window
    return np.asarray(np.clip((np.nan_to_num(values) - low) / max(high - low, 1e-6), 0.0, 1.0))


def to_screen(plane: np.ndarray, magnify: int = 1) -> np.ndarray:
    """Turn an axial plane of a RAS volume as a radiologist looks at it, a voxel becoming so many pixels square.

    Shapes:
        ``(X, Y)`` -> ``(magnify * Y, magnify * X)``.
    """
    # x grows to the patient's right, y to anterior. Rows run down the screen, columns to its right.
    screen = plane[::-1, ::-1].T
    return np.repeat(np.repeat(screen, magnify, axis=0), magnify, axis=1)


def _outline(mask: np.ndarray) -> np.ndarray:
    return np.asarray(mask & ~ndimage.binary_erosion(mask))
