"""What fills the head outside the brain in no two people alike: muscle, air, eyes."""

import numpy as np

from islesnet.phantom.anatomy import Anatomy
from islesnet.phantom.fields import FloatArray

EYES_MNI_MM = ((32.0, 60.0, -36.0), (-32.0, 60.0, -36.0))
EYE_RADIUS_MM = 12.0  # 24 mm across: Bekerman et al., J Ophthalmol 2014:503645


def fill_face(rng: np.random.Generator, anatomy: Anatomy) -> dict[str, FloatArray]:
    """Put muscle and air among the fat and bone around a brain, and eyes of fluid in front.

    Args:
        rng: source of randomness.
        anatomy: with skull and scalp.

    Returns:
        The shares of all tissues, ``muscle`` and ``air`` among them, ``(N,)`` each, adding up to 1.
    """
    shares = dict(anatomy.tissues)
    muscle = _patches(anatomy.smooth_field(rng, 14.0), rng.uniform(-0.5, 1.0)) * shares["fat"]
    shares["fat"] = shares["fat"] - muscle
    # Sinuses, nose, ears: holes in what is bone, mostly.
    hollow = _patches(anatomy.smooth_field(rng, 12.0), rng.uniform(0.6, 2.0))
    air = hollow * (shares["bone"] + np.float32(0.3) * muscle)
    shares["bone"] = shares["bone"] - hollow * shares["bone"]
    shares["muscle"] = muscle - np.float32(0.3) * hollow * muscle
    shares["air"] = air
    if rng.uniform() < 0.7:
        eye = np.zeros_like(air)
        for place in EYES_MNI_MM:
            offset = anatomy.mni_mm - np.array(place, dtype=np.float32)[:, None]
            eye = np.maximum(eye, np.clip(np.float32(EYE_RADIUS_MM) + 1 - np.sqrt((offset**2).sum(axis=0)), 0, 1))
        eye = eye * ~anatomy.brain
        shares = {name: share * (1 - eye) for name, share in shares.items()}
        shares["csf"] = shares["csf"] + eye  # vitreous is water
    return shares


def _patches(field: FloatArray, level: float) -> FloatArray:
    """Turn a smooth field of unit variance into patches of 1 where it exceeds a level."""
    patches: FloatArray = np.clip(np.float32(3) * (field - np.float32(level)), 0, 1)
    return patches
