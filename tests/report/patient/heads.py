"""A symmetric head as a function of place, to be scanned on any grid in any pose."""

import numpy as np

from islesnet.report.patient.volumes import PatientVolumes

CENTRE = np.array([4.0, -10.0, 6.0])


def normal_of(turn=0.0, tilt=0.0):
    """The direction to a head's right, turned about the vertical and tilted sideways, degrees."""
    turn, tilt = np.radians([turn, tilt])
    return np.array([np.cos(turn) * np.cos(tilt), np.sin(turn) * np.cos(tilt), np.sin(tilt)])


def at(right, front, up):
    """A place by its distance from the head's centre, mm."""
    return CENTRE + np.array([right, front, up])


def axial(spacing=(4.0, 4.0, 4.0), span=(176.0, 200.0, 150.0)):
    """Affine and shape of a grid about the head, along right, anterior, superior."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = CENTRE - np.array(span) / 2
    return affine, tuple(round(length / step) for length, step in zip(span, spacing, strict=True))


def points_of(affine, shape):
    voxels = np.stack(np.meshgrid(*(np.arange(size) for size in shape), indexing="ij"), axis=-1)
    return voxels @ affine[:3, :3].T + affine[:3, 3]


def head(affine, shape, normal=(1.0, 0.0, 0.0)):
    """Values of a head whose halves are alike: 100 in the brain, dark ventricles, a bright spot on each side."""
    points = points_of(affine, shape) - CENTRE
    across = np.abs(points @ np.asarray(normal))
    along = points - (points @ np.asarray(normal))[..., None] * np.asarray(normal)
    front, up = along[..., 1], along[..., 2]
    image = 100.0 * ((across / 66) ** 2 + (front / 82) ** 2 + (up / 62) ** 2 < 1)
    image -= 70.0 * ((((across - 14) / 8) ** 2 + (front / 30) ** 2 + ((up - 8) / 12) ** 2) < 1)
    image += 60.0 * ((((across - 40) / 12) ** 2 + ((front - 30) / 12) ** 2 + (up / 12) ** 2) < 1)
    return image


def ball(affine, shape, centre, radius):
    """A mask of what lies within a radius, mm."""
    return np.linalg.norm(points_of(affine, shape) - np.asarray(centre), axis=-1) < radius


def patient(affine, shape, mask, normal=(1.0, 0.0, 0.0), **known):
    """A patient whose DWI is twice as bright, and whose T1 half as bright, in the lesion."""
    image = head(affine, shape, normal)
    images = {"dwi": np.where(mask, 2.0, 1.0) * image, "t1": np.where(mask, 0.5, 1.0) * image}
    return PatientVolumes(mask, affine, images, **known)
