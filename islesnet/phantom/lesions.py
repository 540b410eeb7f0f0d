"""Infarcts grown from a model of the arterial territories: where they begin, how they spread, where they stop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.fields import FloatArray

MIDLINE_MM = 1.5  # nearest that a grown infarct comes to the plane between the hemispheres


@dataclass(frozen=True)
class Site:
    """A place where infarcts begin.

    Args:
        artery: whose territory it lies in.
        mni_mm: the place on the right; the left is its mirror image.
        capacity_ml: largest infarct that is drawn here.
        weight: how often infarcts begin here, relative to the other sites.
    """

    artery: str
    mni_mm: tuple[float, float, float]
    capacity_ml: float
    weight: float


# Places and extents after the maps of Liu et al., Scientific Data 10:74, 2023 (atlas of arterial territories);
# about two thirds of the infarcts lie in the middle cerebral artery's territory (Bogousslavsky, Stroke 19:1083, 1988).
SITES = (
    Site("middle", (45, -5, 32), 150, 3),  # frontal and central convexity
    Site("middle", (52, -35, 6), 150, 2.5),  # temporal lobe
    Site("middle", (38, 2, 2), 400, 3),  # insula and trunk
    Site("middle", (46, -42, 36), 120, 2),  # parietal lobe
    Site("middle", (42, 24, 16), 100, 1.5),  # lateral frontal lobe
    Site("middle", (25, 4, 4), 20, 2),  # striatum
    Site("middle", (25, -12, 27), 12, 2),  # corona radiata
    Site("anterior", (9, 36, 24), 50, 0.7),
    Site("anterior", (9, -12, 58), 50, 0.7),
    Site("posterior", (14, -80, 6), 80, 1.5),  # occipital lobe
    Site("posterior", (26, -50, -8), 60, 0.7),  # medial temporal lobe
    Site("posterior", (11, -18, 6), 4, 1),  # thalamus
    Site("basilar", (6, -27, -30), 2.5, 0.7),  # pons
    Site("basilar", (26, -60, -26), 25, 0.8),  # upper cerebellum
    Site("basilar", (22, -66, -44), 40, 1),  # lower cerebellum
)

# Where single perforating arteries end: small infarcts beside the ventricles, among the white-matter hyperintensities.
DEEP_SITES = (
    Site("middle", (25, 4, 4), 20, 1),  # striatum
    Site("middle", (24, -12, 8), 20, 1.5),  # internal capsule
    Site("middle", (25, -12, 27), 20, 1.5),  # corona radiata
    Site("posterior", (11, -18, 6), 20, 1),  # thalamus
    Site("basilar", (6, -27, -30), 20, 0.5),  # pons
)


@dataclass(frozen=True)
class Infarct:
    """A soft infarct on the N voxels of a brain.

    Args:
        share: share of each voxel that is infarct, 0 to 1, ``(N,)``; above 0.5 the voxel counts as infarct.
        artery: the territory it lies in, or where it was taken from.
    """

    share: FloatArray
    artery: str


@dataclass(frozen=True)
class Spread:
    """How an infarct would spread over the N voxels of a brain, whatever its volume.

    Args:
        depth_mm: how deep each voxel lies in the nearest focus; the deepest voxels die first, ``(N,)``.
        eligible: voxels that it can reach, ``(N,)``.
        edge_mm: width of its edge.
        artery: the territory it begins in.
    """

    depth_mm: FloatArray
    eligible: NDArray[np.bool_]
    edge_mm: float
    artery: str

    def fill(self, anatomy: Anatomy, volume_ml: float) -> FloatArray:
        """Let the deepest `volume_ml` die: the infarcted share of each voxel, ``(N,)``."""
        return take_deepest(self.depth_mm, self.eligible, volume_ml / anatomy.grid.voxel_ml, self.edge_mm)


def grow_infarct(
    rng: np.random.Generator, anatomy: Anatomy, volume_ml: float, foci: int, sites: Sequence[Site] = SITES
) -> Infarct:
    """Grow an infarct of a given volume in one hemisphere, mostly within one artery's territory.

    Args:
        rng: source of randomness.
        anatomy: the brain that it grows in.
        volume_ml: its volume; at least one voxel, at most the tissue of the hemisphere.
        foci: how many places it begins at.
        sites: of which it begins at one.
    """
    nowhere = np.zeros(anatomy.mni_mm.shape[1], dtype=bool)
    spread = draw_spread(rng, anatomy, volume_ml, foci, nowhere, sites)
    return Infarct(spread.fill(anatomy, volume_ml), spread.artery)


def draw_spread(
    rng: np.random.Generator,
    anatomy: Anatomy,
    volume_ml: float,
    foci: int,
    forbidden: NDArray[np.bool_],
    sites: Sequence[Site] = SITES,
) -> Spread:
    """Draw where an infarct begins and how it spreads: each focus with its own size, proportions and ragged border.

    Args:
        rng: source of randomness.
        anatomy: the brain that it spreads in.
        volume_ml: about how large it is to become, which sets the scale of its border.
        foci: how many places it begins at.
        forbidden: voxels that it spares, ``(N,)``.
        sites: of which it begins at one.
    """
    side = rng.choice((-1.0, 1.0))
    first = _draw_site(rng, volume_ml, sites)
    depth_mm, radius_mm = _depth_in_foci(rng, anatomy, _draw_foci(rng, first, foci, side), volume_ml)
    # Collaterals blur the border between territories: crossing it costs depth, but is not impossible.
    depth_mm = depth_mm - np.minimum(_mm_across_border(anatomy.mni_mm, first.artery), np.float32(0.8) * radius_mm)
    eligible = (side * anatomy.mni_mm[0] > MIDLINE_MM) & (anatomy.parenchyma > 0.5) & ~forbidden
    return Spread(depth_mm, eligible, rng.uniform(0.5, 1.2), first.artery)


def take_deepest(depth: FloatArray, eligible: NDArray[np.bool_], voxels: float, edge: float) -> FloatArray:
    """Fill the deepest eligible voxels, with a soft edge.

    Args:
        depth: how deep each voxel lies, ``(N,)``.
        eligible: voxels that may be filled, ``(N,)``.
        voxels: how many are to end above one half, at least one.
        edge: width of the edge in the unit of `depth`.

    Returns:
        The filled share of each voxel, 0 to 1, ``(N,)``: `voxels` of them (rounded) above 0.5, or all but one of
        the eligible where these are fewer.
    """
    candidates = np.sort(depth[eligible])[::-1]
    if len(candidates) < 2:  # a coarse grid with nowhere to go
        return np.zeros_like(depth)
    count = int(np.clip(round(voxels), 1, len(candidates) - 1))
    level = (candidates[count - 1] + candidates[count]) / 2
    steepness = np.clip((depth - level) * np.float32(4 / edge), -30, 30)
    return np.where(eligible, 1 / (1 + np.exp(-steepness)), 0).astype(np.float32)


def _draw_site(rng: np.random.Generator, volume_ml: float, sites: Sequence[Site]) -> Site:
    weights = np.array([site.weight * (site.capacity_ml >= volume_ml) for site in sites])
    return sites[rng.choice(len(sites), p=weights / weights.sum())]


def _draw_foci(rng: np.random.Generator, first: Site, foci: int, side: float) -> list[tuple[FloatArray, float]]:
    """Draw the foci's centres, in MNI mm, and their shares of the volume; the first is the largest."""
    shares = np.sort(rng.dirichlet(np.full(foci, 1.2)))[::-1]
    neighbours = [site for site in SITES if site.artery == first.artery]
    sites = [first] + [neighbours[rng.integers(len(neighbours))] for _ in range(foci - 1)]
    drawn = []
    for place, (site, share) in enumerate(zip(sites, shares, strict=True)):
        jitter_mm = 5.0 if place == 0 else 9.0
        centre = np.array(site.mni_mm) + rng.normal(0, jitter_mm, 3)
        centre[0] = max(centre[0], 2 * MIDLINE_MM) * side
        drawn.append((centre.astype(np.float32), float(share)))
    return drawn


def _depth_in_foci(
    rng: np.random.Generator, anatomy: Anatomy, foci: list[tuple[FloatArray, float]], volume_ml: float
) -> tuple[FloatArray, FloatArray]:
    """Measure how deep each voxel lies in its nearest focus, and that focus's radius, both in mm."""
    whole_radius_mm = _radius_mm(volume_ml)
    # Large infarcts have large lobes, small ones small: the border's detail scales with the size.
    ragged = np.float32(0.8) * anatomy.smooth_field(rng, float(np.clip(0.8 * whole_radius_mm, 5, 25)))
    ragged += np.float32(0.5) * anatomy.smooth_field(rng, float(np.clip(0.3 * whole_radius_mm, 3, 9)))
    # Emboli spare some of the white matter or some of the cortex.
    ragged += np.float32(rng.uniform(-0.3, 0.8)) * anatomy.tissues["grey"]
    depth = np.full(anatomy.mni_mm.shape[1], -np.inf, dtype=np.float32)
    radius = np.ones_like(depth)
    for centre, share in foci:
        radius_mm = np.float32(max(_radius_mm(volume_ml * share), 2.0))
        stretch = np.exp(rng.normal(0, 0.3, 3)).astype(np.float32)
        offset = (anatomy.mni_mm - centre[:, None]) / (stretch / stretch.prod() ** np.float32(1 / 3))[:, None]
        distance = np.sqrt((offset**2).sum(axis=0))
        here = radius_mm * (1 + np.float32(0.45) * ragged) - distance
        radius = np.where(here > depth, radius_mm, radius)
        depth = np.maximum(depth, here)
    return depth.astype(np.float32), radius


def _radius_mm(volume_ml: float) -> float:
    return float((3000 * volume_ml / (4 * np.pi)) ** (1 / 3))


def _mm_across_border(mni_mm: FloatArray, artery: str) -> FloatArray:
    """Measure how much nearer each place is to another artery's sites than to those of `artery`; 0 at home."""
    own = np.full(mni_mm.shape[1], np.inf, dtype=np.float32)
    others = own.copy()
    folded = np.abs(mni_mm[0])
    for site in SITES:
        x, y, z = (np.float32(place) for place in site.mni_mm)
        nearest = own if site.artery == artery else others
        np.minimum(nearest, (folded - x) ** 2 + (mni_mm[1] - y) ** 2 + (mni_mm[2] - z) ** 2, out=nearest)
    across: FloatArray = np.maximum(np.sqrt(own) - np.sqrt(others), np.float32(0))
    return across
