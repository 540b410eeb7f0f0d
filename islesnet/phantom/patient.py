"""One synthetic patient: anatomy, infarct and mimics, seen through four sequences."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from islesnet.phantom.anatomy import Anatomy, make_anatomy
from islesnet.phantom.appearance import choroid_plexus
from islesnet.phantom.face import fill_face
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.lesion_masks import NoMaskFitsError, take_infarct_from_masks
from islesnet.phantom.lesions import DEEP_SITES, SITES, Infarct, grow_infarct
from islesnet.phantom.mimics import grow_hyperintensities, grow_old_infarct, hollow_out
from islesnet.phantom.mr_signal import draw_protocol, draw_tissues, image_signals
from islesnet.phantom.ranges import draw, draw_log
from islesnet.phantom.scan import Subject, scan
from islesnet.phantom.settings import DEFAULT_SETTINGS, PhantomSettings
from islesnet.sequences import SEQUENCES

CLEARANCE_MM = 8.0
LEAST_SEEN = 0.1  # where its fullest voxel holds no larger share of a lesion, nothing is seen of it


@dataclass(frozen=True)
class Phantom:
    """A synthetic patient.

    Args:
        images: ``dwi`` (not of a chronic infarct), ``t1``, ``t2`` and ``flair``, float32, whole numbers as scanners
            store them; 0 outside the brain, or outside the head where the skull is not stripped.
        brain: uint8, 1 in the brain and the fluid around it.
        label: uint8, 1 where more than half of the voxel is infarct, acute or (of a chronic patient) old; of a wide
            patient as far as the DWI's voxels show it, and where none is half infarct, as in thick slices, the fullest
            of them. None where hardly anything is seen, as beyond the field of view.
        affine: voxel indices to mm, RAS+.
        lesion_volume_ml: volume of the label.
        components: connected parts of the label (voxels that touch, corners included).
        stage: of the infarct: hyperacute, acute, subacute or chronic.
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
    is_chronic: bool = False


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
    ranges = settings.ranges
    anatomy = make_anatomy(for_anatomy, settings.spacing_mm, settings.is_skull_stripped, ranges)
    disease = _fall_ill(for_infarct, for_mimics, anatomy, settings)
    stage = str(for_tissues.choice(settings.stages))
    protocol = draw_protocol(for_tissues, ranges)
    tissues = draw_tissues(for_tissues, protocol.tesla, stage, ranges)
    if stage == "chronic":
        disease = _grow_old(for_tissues, anatomy, disease, draw(for_tissues, ranges.cavity_share))
    shares = _mix(for_tissues, anatomy, disease, settings)
    subject = Subject(anatomy, shares, disease.infarct.share)
    scans = {}
    for sequence, rng in zip(SEQUENCES, for_scans.spawn(len(SEQUENCES)), strict=True):
        if sequence == "dwi" and stage == "chronic":
            continue
        signals = image_signals({name: tissues[name] for name in shares}, sequence, protocol)
        scans[sequence] = scan(rng, subject, signals, sequence, settings)
    images = {sequence: scanned.image for sequence, scanned in scans.items()}
    # An expert outlines what the DWI shows (of a chronic infarct the FLAIR): not what is lost in a thick slice.
    outlined = scans["dwi" if "dwi" in scans else "flair"].seen
    share = outlined if ranges.is_disturbed else _whole(anatomy, disease.infarct.share)
    label = _outline(share)
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


def _outline(share: FloatArray) -> NDArray[np.uint8]:
    """Mark what is more than half infarct; where no voxel is, the fullest, as many as have the infarct's volume."""
    is_infarct = share > 0.5
    if not is_infarct.any() and share.max() > LEAST_SEEN:
        voxels = max(1, round(float(share.sum())))
        is_infarct = share >= np.sort(share, axis=None)[-voxels]
    return is_infarct.astype(np.uint8)


def _fall_ill(
    for_infarct: np.random.Generator, for_mimics: np.random.Generator, anatomy: Anatomy, settings: PhantomSettings
) -> Disease:
    infarct = _draw_infarct(for_infarct, anatomy, settings)
    taken = infarct.share > 0.05
    volume_ml = draw_log(for_mimics, settings.hyperintensities_ml)
    hyperintensity = grow_hyperintensities(for_mimics, anatomy, volume_ml, forbidden=taken)
    cavity = gliosis = np.zeros_like(hyperintensity)
    ranges = settings.ranges
    for place in range(round(ranges.old_infarcts[1])):
        volume_ml = draw_log(for_mimics, ranges.old_infarct_ml)
        share = draw(for_mimics, ranges.cavity_share)
        # The first one with the probability asked for, each further one in half of those that have the one before.
        if for_mimics.uniform() >= (settings.old_infarct_probability if place == 0 else 0.5):
            break
        forbidden = _widen(anatomy, taken) | (cavity + gliosis > 0.05)
        hole, scar = grow_old_infarct(for_mimics, anatomy, volume_ml, forbidden, share)
        cavity, gliosis = np.maximum(cavity, hole), np.maximum(gliosis, scar)
    return Disease(infarct, hyperintensity, cavity, gliosis)


def _draw_infarct(rng: np.random.Generator, anatomy: Anatomy, settings: PhantomSettings) -> Infarct:
    if settings.lesion_masks is not None:
        try:
            return take_infarct_from_masks(rng, anatomy, settings.lesion_masks, settings.volume_ml, settings.mask_part)
        except NoMaskFitsError:
            if not settings.grow_where_no_mask_fits:
                raise
        volume_ml = math.sqrt(math.prod(settings.volume_ml))
    else:
        volume_ml = draw_log(rng, settings.volume_ml)
    foci = int(rng.integers(settings.foci[0], settings.foci[1] + 1))
    return grow_infarct(rng, anatomy, volume_ml, foci, DEEP_SITES if settings.is_deep else SITES)


def _grow_old(rng: np.random.Generator, anatomy: Anatomy, disease: Disease, cavity_share: float) -> Disease:
    """Let the months pass: what was to be the acute infarct is a cavity with gliosis.

    It is the only one: no image tells it from other old infarcts, which the label would have to hold too.
    """
    hole, scar = hollow_out(rng, anatomy, disease.infarct.share, cavity_share)
    return replace(disease, cavity=hole, gliosis=scar, is_chronic=True)


def _mix(
    rng: np.random.Generator, anatomy: Anatomy, disease: Disease, settings: PhantomSettings
) -> dict[str, FloatArray]:
    """Share every voxel out among healthy and diseased tissues, ``(N,)`` each, adding up to 1."""
    shares = dict(anatomy.tissues)
    if settings.ranges.face[1] > 0 and not settings.is_skull_stripped:
        shares = fill_face(rng, anatomy)
    if settings.ranges.choroid_plexus_mm[1] > 0:
        shares["plexus"] = choroid_plexus(rng, anatomy, settings.ranges)
        shares["csf"] = shares["csf"] - shares["plexus"]
    # No tissue is the same throughout: up to a quarter of the white matter is, smoothly, a little greyer.
    paler = np.clip(0.08 + 0.06 * anatomy.smooth_field(rng, 22.0), 0, 0.25).astype(np.float32) * shares["white"]
    shares["white"] = shares["white"] - paler
    shares["grey"] = shares["grey"] + paler
    for name in ("cavity", "gliosis", "hyperintensity"):
        taken = getattr(disease, name)
        if name == "hyperintensity":
            taken = taken * np.clip(1 - shares["cavity"] - shares["gliosis"], 0, 1)
        shares = {other: share * (1 - taken) for other, share in shares.items()}
        shares[name] = taken
    if disease.is_chronic:
        return shares
    # An infarct is not uniform: its severity varies smoothly, and its border is partly spared.
    severity = np.clip(draw(rng, settings.ranges.severity) + 0.15 * anatomy.smooth_field(rng, 12.0), 0.5, 1).astype(
        np.float32
    )
    infarcted = disease.infarct.share * severity
    for name in ("white", "grey", "pallidum"):
        shares[f"infarct_{name}"] = shares[name] * infarcted
        shares[name] = shares[name] * (1 - infarcted)
    return shares


def _widen(anatomy: Anatomy, voxels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add what lies within about `CLEARANCE_MM`, so that an old infarct does not hide in or at the new one."""
    size = 2 * max(round(CLEARANCE_MM / anatomy.grid.spacing_mm), 1) + 1
    near: FloatArray = ndimage.maximum_filter(anatomy.spread(voxels.astype(np.float32)), size)[anatomy.inside]
    return near > 0


def _whole(anatomy: Anatomy, values: FloatArray | NDArray[np.bool_]) -> FloatArray:
    whole = np.zeros(anatomy.grid.shape, dtype=np.float32)
    whole[anatomy.box] = anatomy.spread(values.astype(np.float32))
    return whole
