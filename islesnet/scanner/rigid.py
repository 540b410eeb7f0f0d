"""Rigid transforms: made, averaged, measured in mm and degrees, and written into an image's header."""

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Points = NDArray[np.float64]


def rigid_transform(rotation: NDArray[np.float64], centre: Points, shift: Points) -> sitk.Euler3DTransform:
    """Make the transform that turns about `centre` and then shifts, in mm.

    Shapes:
        rotation ``(3, 3)``, centre and shift ``(3,)``.
    """
    transform = sitk.Euler3DTransform()
    transform.SetCenter(np.asarray(centre, float).tolist())
    transform.SetMatrix(np.asarray(rotation, float).ravel().tolist(), 1e-6)
    transform.SetTranslation(np.asarray(shift, float).tolist())
    return transform


def turned(degrees: Points, centre: Points, shift: Points) -> sitk.Euler3DTransform:
    """Make the transform that turns by a rotation vector in degrees about `centre` and then shifts, in mm."""
    return rigid_transform(Rotation.from_rotvec(degrees, degrees=True).as_matrix(), centre, shift)


def rotation_of(transform: sitk.Euler3DTransform) -> NDArray[np.float64]:
    """Give the rotation matrix, ``(3, 3)``."""
    return np.array(transform.GetMatrix()).reshape(3, 3)


def rotation_degrees(transform: sitk.Euler3DTransform) -> float:
    """Give the angle that a transform turns by."""
    return float(np.rad2deg(Rotation.from_matrix(rotation_of(transform)).magnitude()))


def inverse(transform: sitk.Euler3DTransform) -> sitk.Euler3DTransform:
    """Give the rigid transform that undoes a rigid transform."""
    centre = np.array(transform.GetCenter())
    back = rotation_of(transform).T
    return rigid_transform(back, centre, -back @ np.array(transform.GetTranslation()))


def halfway(first: sitk.Euler3DTransform, second: sitk.Euler3DTransform, centre: Points) -> sitk.Euler3DTransform:
    """Average two rigid transforms: half of the rotation between them, and half of the way between them at `centre`."""
    begin = Rotation.from_matrix(rotation_of(first))
    between = Rotation.from_matrix(rotation_of(second)) * begin.inv()
    half = Rotation.from_rotvec(between.as_rotvec() / 2) * begin
    landed = np.mean([transform.TransformPoint(centre.tolist()) for transform in (first, second)], axis=0)
    return rigid_transform(half.as_matrix(), centre, landed - centre)


def move_points(transform: sitk.Transform, points: Points) -> Points:
    """Apply a transform to points in mm, ``(N, 3)`` -> ``(N, 3)``."""
    return np.array([transform.TransformPoint(point) for point in points.tolist()])


def mean_distance_mm(first: sitk.Transform, second: sitk.Transform, points: Points) -> float:
    """Give how far apart two transforms bring points ``(N, 3)``, on average."""
    return float(np.linalg.norm(move_points(first, points) - move_points(second, points), axis=1).mean())


def move_header(image: sitk.Image, transform: sitk.Euler3DTransform) -> sitk.Image:
    """Give the image with origin and direction moved so that it lies where the reference lies; no voxel is changed.

    Args:
        image: the moving image of a registration.
        transform: what the registration found: it takes points of the reference to points of the moving image.
    """
    back = inverse(transform)
    moved = sitk.Image(image)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    moved.SetOrigin(back.TransformPoint(image.GetOrigin()))
    moved.SetDirection((rotation_of(back) @ direction).ravel().tolist())
    return moved
