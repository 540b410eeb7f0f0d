"""The average brain that every patient starts from: MNI ICBM 2009 tissue maps, as nilearn ships them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.phantom.fields import FloatArray

# Averaging 152 people blurs the maps. Raising the shares to this power gives back about one person's edges:
# chosen by eye, so that sulci are black on FLAIR and the cortical ribbon stays 3 to 4 mm wide.
SHARPNESS = 1.6


@dataclass(frozen=True)
class Templates:
    """Maps of the average brain in MNI space.

    Args:
        maps: ``white``, ``grey``, ``csf`` (shares that add up to 1 in the brain), ``hull`` (1 in the brain and the
            fluid around it), ``periventricular`` (1 in the lateral ventricles, falling off over about 8 mm), ``depth``
            (mm below the hull), ``surface_x``, ``_y``, ``_z`` (MNI mm of the nearest place on it) and ``cerebrum``
            (1 there, 0 in cerebellum and brainstem).
        origin_mm: MNI coordinates of the first voxel's centre.
        spacing_mm: edge of the maps' voxels.
    """

    maps: dict[str, FloatArray]
    origin_mm: tuple[float, float, float]
    spacing_mm: float = 1.0

    def sample(self, name: str, mni_mm: FloatArray, beyond: float = 0.0) -> FloatArray:
        """Read a map at MNI coordinates, linearly; `beyond` where the map has ended.

        Shapes:
            mni_mm ``(3, ...)`` -> ``(...)``.
        """
        voxels = [(place - first) / self.spacing_mm for place, first in zip(mni_mm, self.origin_mm, strict=True)]
        sampled: FloatArray = ndimage.map_coordinates(self.maps[name], voxels, output=np.float32, order=1, cval=beyond)
        return sampled


@lru_cache(maxsize=4)
def load_templates(spacing_mm: float) -> Templates:
    """Load the maps once per process, smoothed for sampling at `spacing_mm`.

    Source: Fonov et al., NeuroImage 54:313, 2011 (ICBM 152 nonlinear 2009).
    """
    if spacing_mm <= 1:
        return _load_sharp()
    fine = load_templates(1.0)
    # Without it, sampling every `spacing_mm` would alias gyri into speckle and know no partial volume.
    sigma = 0.35 * spacing_mm
    stride = max(int(spacing_mm / 2), 1)  # what is smooth needs no fine grid
    maps = {
        name: ndimage.gaussian_filter(values, sigma)[::stride, ::stride, ::stride] for name, values in fine.maps.items()
    }
    return Templates(maps, fine.origin_mm, float(stride))


def _load_sharp() -> Templates:
    # Here, because nilearn takes a second to import: only those who make a phantom should wait for it.
    from nilearn import datasets

    image = datasets.load_mni152_template(resolution=1)
    hull = (_values(image) > 0).astype(np.float32)
    box = tuple(slice(max(part.start - 5, 0), part.stop + 5) for part in ndimage.find_objects(hull.astype(np.uint8))[0])
    x, y, z = (float(first) + part.start for first, part in zip(image.affine[:3, 3], box, strict=True))
    hull = hull[box]
    grey = np.clip(_values(datasets.load_mni152_gm_template(resolution=1))[box], 0, 1)
    white = np.clip(_values(datasets.load_mni152_wm_template(resolution=1))[box], 0, 1)
    powers = [share**SHARPNESS for share in (white, grey, np.clip(hull - grey - white, 0, 1))]
    total = np.maximum(sum(powers), np.float32(1e-6))
    maps: dict[str, FloatArray] = {
        name: power / total for name, power in zip(("white", "grey", "csf"), powers, strict=True)
    }
    maps["hull"] = ndimage.gaussian_filter(hull, 1.0)
    maps["periventricular"] = _near_ventricles(maps["csf"], (x, y, z))
    maps |= _below_hull(hull, (x, y, z))
    return Templates(maps, (x, y, z))


def _below_hull(hull: FloatArray, origin_mm: tuple[float, ...]) -> dict[str, FloatArray]:
    """Measure how deep each place lies below the hull, below which place on it, and whether that is the cerebrum's."""
    depth, nearest = ndimage.distance_transform_edt(hull > 0.5, return_indices=True)
    maps = {"depth": depth.astype(np.float32)}
    for name, index, first in zip("xyz", nearest, origin_mm, strict=True):
        # Smooth, so that no fold breaks where the nearest place jumps.
        maps[f"surface_{name}"] = ndimage.gaussian_filter(index.astype(np.float32) + np.float32(first), 2.0)
    places = np.indices(hull.shape, dtype=np.float32) + np.array(origin_mm, dtype=np.float32).reshape(3, 1, 1, 1)
    maps["cerebrum"] = 1 - hindbrain(places)
    return maps


def hindbrain(mni_mm: FloatArray) -> FloatArray:
    """Tell what lies below the tentorium, a roof over cerebellum and brainstem: 1 below it, 0 above, ``(N,)``.

    Args:
        mni_mm: ``(3, N)``.
    """
    x, y, z = mni_mm
    # The roof's ridge rises to the front, its sides fall to the ears; in front of the brainstem is the temporal lobe.
    below = np.float32(-3) - 0.45 * np.abs(x) + 0.25 * np.minimum(y + 50, 0) - z
    behind = np.minimum(-14 - y, 24 - np.abs(x) + np.maximum(-30 - y, 0))
    share: FloatArray = (1 / (1 + np.exp(-np.clip(np.minimum(below, behind) / 2, -30, 30)))).astype(np.float32)
    return share


def _values(image: Any) -> FloatArray:
    return np.asarray(image.dataobj, dtype=np.float32)


def _near_ventricles(csf: FloatArray, origin_mm: tuple[float, ...]) -> FloatArray:
    """Find the lateral ventricles as the fluid joined to their bodies, and let their nearness fall off smoothly."""
    first = [round(low - start) for low, start in zip((-40, -55, -8), origin_mm, strict=True)]
    last = [round(high - start) for high, start in zip((40, 40, 36), origin_mm, strict=True)]
    region = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
    parts, _ = ndimage.label(csf[region] > 0.7)
    bodies = [
        parts[tuple(round(place - start) - low for place, start, low in zip(body, origin_mm, first, strict=True))]
        for body in ((9, 0, 20), (-9, 0, 20))
    ]
    ventricles: NDArray[np.float32] = np.zeros_like(csf)
    ventricles[region] = np.isin(parts, bodies) & (parts > 0)
    nearness = ndimage.gaussian_filter(ventricles, 6.0)
    capped: FloatArray = np.minimum(nearness / np.float32(0.3), np.float32(1))
    return capped
