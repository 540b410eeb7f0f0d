"""The apparent diffusion coefficient: its units made one, and the map computed where the scanner gave none."""

import numpy as np

from islesnet.scanner.candidate import UnusableError
from islesnet.scanner.patient import Image

USUAL_UNIT = "1e-3 mm2/s"
# Median of the positive voxels as stored -> factor to 1e-3 mm2/s. Tissue and CSF lie at 0.6 to 3.2e-3 mm2/s.
_UNITS = (
    (0.1, 10.0, 1.0, USUAL_UNIT),
    (100.0, 10_000.0, 1e-3, "1e-6 mm2/s"),
    (1e-4, 1e-2, 1e3, "mm2/s"),
    (1e-10, 1e-8, 1e9, "m2/s"),
)
_HIGHEST = 10.0  # 1e-3 mm2/s; water at body temperature has 3
_BACKGROUND = 0.05  # of the bright voxels of b = 0


def in_usual_unit(image: Image) -> tuple[Image, str]:
    """Bring an ADC map to 1e-3 mm2/s.

    Returns:
        The map, and the unit that it came in.

    Raises:
        UnusableError: where the values fit none of the units.
    """
    import SimpleITK as sitk  # noqa: N813

    values = sitk.GetArrayViewFromImage(image)
    positive = values[values > 0]
    if not positive.size:
        raise UnusableError("has no value above 0")
    usual = float(np.median(positive))
    for lowest, highest, factor, unit in _UNITS:
        if lowest <= usual < highest:
            return image * factor, unit  # of float32, as the image is
    raise UnusableError(
        f"has a median of {usual:.3g} where tissue has about 0.8e-3 mm2/s: its unit cannot be told (right are 1e-3, "
        "1e-6 mm2/s, mm2/s)"
    )


def tell_unit(source: str, unit: str) -> list[str]:
    """Note that a map came in another unit than the usual one; nothing where it did not."""
    return [] if unit == USUAL_UNIT else [f"{source}: the ADC map came in {unit}; it was brought to {USUAL_UNIT}."]


def adc_from(b0: Image, dwi: Image, lower: float, higher: float) -> Image:
    """Compute ADC = ln(S_lower / S_higher) / (b_higher - b_lower) in 1e-3 mm2/s, 0 outside the head.

    Source: Stejskal and Tanner, J Chem Phys 42:288 (1965), doi 10.1063/1.1695690.

    Args:
        b0: image of the lower b-value.
        dwi: image of the higher one, on the same grid.
        lower: its b-value in s/mm2.
        higher: likewise.
    """
    import SimpleITK as sitk  # noqa: N813

    unweighted, weighted = (sitk.GetArrayFromImage(image) for image in (b0, dwi))
    is_signal = unweighted > _BACKGROUND * np.percentile(unweighted, 99)
    ratio = np.where(is_signal, unweighted, 1.0) / np.where(is_signal, np.maximum(weighted, 1e-6), 1.0)
    coefficient = np.clip(np.log(np.maximum(ratio, 1e-6)) / (higher - lower) * 1000, 0, _HIGHEST)
    computed: Image = sitk.GetImageFromArray(coefficient.astype(np.float32))
    computed.CopyInformation(dwi)
    return computed
