import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.scanner.similarity import Likeness


def box(low, high, spacing=1.0):
    array = np.zeros((60, 60, 60), np.float32)
    array[low:high, low:high, low:high] = 100
    image = sitk.GetImageFromArray(array)
    image.SetSpacing([spacing] * 3)
    return image


def test_scans_whose_heads_share_next_to_nothing_are_unlike():
    # Smoothing undershoots 0 beside an edge; where a scan shows no more than that, it is dark.
    likeness = Likeness(box(15, 45), box(15, 45))
    values = [likeness.under(sitk.TranslationTransform(3, [shift] * 3)) for shift in (0.0, 30.0, 36.0, 42.0, 48.0)]

    assert values[0] == pytest.approx(2)
    assert all(1.0 <= value < 1.6 for value in values[1:])
