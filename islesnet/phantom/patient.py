"""One synthetic patient: anatomy, infarct and mimics, seen through four sequences."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.phantom.anatomy import Anatomy, make_anatomy
from islesnet.phantom.artefacts import PILE_UPS, acquire, draw_scan, pile_up
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.lesion_masks import take_infarct_from_masks
from islesnet.phantom.lesions import Infarct, grow_infarct
from islesnet.phantom.mimics import grow_hyperintensities, grow_old_infarct
from islesnet.phantom.mr_signal import SEQUENCES, draw_protocol, draw_tissues, image_signal
from islesnet.phantom.settings import DEFAULT_SETTINGS, PhantomSettings

CLEARANCE_MM = 8.0
FAT_LEFT = 0.1  # echo-planar imaging shifts fat by centimetres, so it is always suppressed


@dataclass(frozen=True)
class Phantom:
    """A synthetic patient.

    Args:
        images: ``dwi``, ``t1``, ``t2`` and ``flair``, float32, whole numbers as scanners store them; 0 outside
            the brain, or outside the head where the skull is not stripped.
        brain: uint8, 1 in the brain and the fluid around it.
        label: uint8, 1 where more than half of the voxel is acute infarct.
        affine: voxel indices to mm, RAS+.
        lesion_volume_ml: volume of the label.
        components: connected parts of the label (voxels that touch, corners included).
        stage: of the infarct: hyperacute, acute or subacute.
        origin: artery whose territory the infarct began in, or the file that it was taken from.
        hyperintensities_ml: volume of the white-matter hyperintensities.
        has_old_infarct: whether there is an old infarct.
        tesla: field strength.

    Shapes:
        images, brain and label ``(X, Y, Z)``, affine ``(4, 4)``.
    """

    images: dict[str, FloatArray]
    brain: NDArray[np.uint8]
    label: NDArray[np.uint8]
    affine: FloatArray
    lesion_volume_ml: float
    components: int
    stage: str
    origin: str
    hyperintensities_ml: float
    has_old_infarct: bool
    tesla: float


@dataclass(frozen=True)
class Disease:
    """What is wrong in the N voxels of a brain, as shares of each voxel, ``(N,)`` each."""

    infarct: Infarct
    hyperintensity: FloatArray
    cavity: FloatArray
    gliosis: FloatArray


def make_patient(seed: int, settings: PhantomSettings = DEFAULT_SETTINGS) -> Phantom:
    """Make a synthetic patient.

    The seed fixes every bit. Anatomy, disease and scanner draw from streams of their own, so that a setting of
    one leaves the others as they were, and the same seed is the same person at every spacing.

    Args:
        seed: 0 or more.
        settings: choices of the cohort.

    Raises:
        InputError: the settings' lesion masks cannot be used.
    """
    for_anatomy, for_infarct, for_mimics, for_tissues, for_scans = np.random.default_rng(seed).spawn(5)
    anatomy = make_anatomy(for_anatomy, settings.spacing_mm, settings.is_skull_stripped)
    disease = _fall_ill(for_infarct, for_mimics, anatomy, settings)
    stage = str(for_tissues.choice(settings.stages))
    protocol = draw_protocol(for_tissues)
    tissues = draw_tissues(for_tissues, protocol.tesla, stage)
    shares = _mix(for_tissues, anatomy, disease)
    images = {}
    for sequence, rng in zip(SEQUENCES, for_scans.spawn(len(SEQUENCES)), strict=True):
        signals = {name: image_signal(tissues[name], sequence, protocol) for name in shares}
        if sequence == "dwi" and "fat" in signals:
            signals["fat"] *= FAT_LEFT
        images[sequence] = _scan(rng, anatomy, _add_up(shares, signals), sequence, settings)
    label = _whole(anatomy, disease.infarct.share > 0.5).astype(np.uint8)
    return Phantom(
        images=images,
        brain=_whole(anatomy, anatomy.brain).astype(np.uint8),
        label=label,
        affine=anatomy.grid.affine,
        lesion_volume_ml=float(label.sum() * anatomy.grid.voxel_ml),
        components=int(ndimage.label(label, np.ones((3, 3, 3)))[1]),
        stage=stage,
        origin=disease.infarct.artery,
        hyperintensities_ml=float((disease.hyperintensity > 0.5).sum() * anatomy.grid.voxel_ml),
        has_old_infarct=bool(disease.cavity.any()),
        tesla=protocol.tesla,
    )


def _fall_ill(
    for_infarct: np.random.Generator, for_mimics: np.random.Generator, anatomy: Anatomy, settings: PhantomSettings
) -> Disease:
    if settings.lesion_masks is None:
        volume_ml = _log_uniform(for_infarct, settings.volume_ml)
        foci = int(for_infarct.integers(settings.foci[0], settings.foci[1] + 1))
        infarct = grow_infarct(for_infarct, anatomy, volume_ml, foci)
    else:
        infarct = take_infarct_from_masks(for_infarct, anatomy, settings.lesion_masks, settings.volume_ml)
    taken = infarct.share > 0.05
    volume_ml = _log_uniform(for_mimics, settings.hyperintensities_ml)
    hyperintensity = grow_hyperintensities(for_mimics, anatomy, volume_ml, forbidden=taken)
    cavity = gliosis = np.zeros_like(hyperintensity)
    volume_ml = _log_uniform(for_mimics, (0.3, 25.0))
    if for_mimics.uniform() < settings.old_infarct_probability:
        cavity, gliosis = grow_old_infarct(for_mimics, anatomy, volume_ml, forbidden=_widen(anatomy, taken))
    return Disease(infarct, hyperintensity, cavity, gliosis)


def _mix(rng: np.random.Generator, anatomy: Anatomy, disease: Disease) -> dict[str, FloatArray]:
    """Share every voxel out among healthy and diseased tissues, ``(N,)`` each, adding up to 1."""
    shares = dict(anatomy.tissues)
    # No tissue is the same throughout: up to a quarter of the white matter is, smoothly, a little greyer.
    paler = np.clip(0.08 + 0.06 * anatomy.smooth_field(rng, 22.0), 0, 0.25).astype(np.float32) * shares["white"]
    shares["white"] = shares["white"] - paler
    shares["grey"] = shares["grey"] + paler
    for name in ("cavity", "gliosis", "hyperintensity"):
        taken = getattr(disease, name)
        if name == "hyperintensity":
            taken = taken * (1 - shares["cavity"] - shares["gliosis"])
        shares = {other: share * (1 - taken) for other, share in shares.items()}
        shares[name] = taken
    # An infarct is not uniform: its severity varies smoothly, and its border is partly spared.
    severity = np.clip(0.9 + 0.15 * anatomy.smooth_field(rng, 12.0), 0.5, 1).astype(np.float32)
    infarcted = disease.infarct.share * severity
    for name in ("white", "grey", "pallidum"):
        shares[f"infarct_{name}"] = shares[name] * infarcted
        shares[name] = shares[name] * (1 - infarcted)
    return shares


def _add_up(shares: Mapping[str, FloatArray], signals: Mapping[str, float]) -> FloatArray:
    total = np.zeros_like(shares["csf"])
    for name, share in shares.items():
        total += np.float32(signals[name]) * share
    return total


def _scan(
    rng: np.random.Generator, anatomy: Anatomy, signal: FloatArray, sequence: str, settings: PhantomSettings
) -> FloatArray:
    """Turn the N voxels' signal into the stored image on the whole grid."""
    scan = draw_scan(rng, sequence, settings)
    amounts = [rng.uniform(0, 0.5) for _ in PILE_UPS]
    if sequence == "dwi":
        signal = signal * pile_up(anatomy.mni_mm, amounts)
    sensitivity: FloatArray = np.exp(np.float32(scan.bias) * anatomy.smooth_field(rng, 70.0))
    acquired = acquire(rng, anatomy.spread(signal * sensitivity), anatomy.grid.spacing_mm, scan)[anatomy.inside]
    stored = np.rint(acquired * np.float32(scan.brightness / signal.mean()))
    # None of these voxels is 0, so that `image > 0` is the stripped brain, as users take it to be.
    return _whole(anatomy, np.clip(stored, 1, np.iinfo(np.int16).max))


def _widen(anatomy: Anatomy, voxels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add what lies within about `CLEARANCE_MM`, so that an old infarct does not hide in or at the new one."""
    size = 2 * max(round(CLEARANCE_MM / anatomy.grid.spacing_mm), 1) + 1
    near: FloatArray = ndimage.maximum_filter(anatomy.spread(voxels.astype(np.float32)), size)[anatomy.inside]
    return near > 0


def _whole(anatomy: Anatomy, values: FloatArray | NDArray[np.bool_]) -> FloatArray:
    whole = np.zeros(anatomy.grid.shape, dtype=np.float32)
    whole[anatomy.box] = anatomy.spread(values.astype(np.float32))
    return whole


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))
