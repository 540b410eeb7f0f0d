"""What anatomy forbids: a head that is cut off, a lesion larger than an infarct can be."""

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import apply_orientation, io_orientation
from scipy import ndimage

from islesnet.trust.finding import Finding

# Of the brain of the MNI152 (2009) template, which is 154 mm high, a section 19 mm below the vertex has this share of
# the largest axial section; with skull and scalp, a section about as far below the skin has it.
TOP_SHARE = 0.4
# A sphere's cap with this share of the largest section is a tenth of the radius thick: 7 mm of a brain.
SIDE_SHARE = 0.2
# The smallest section that counts as head, in cm2: above specks of noise, below the tip of a brain.
SECTION_CM2 = 5.0
# Axis and end of a right-anterior-superior volume -> what it is called. The neck may leave it below.
FACES = {(0, 0): "left", (0, -1): "right", (1, 0): "back", (1, -1): "front", (2, -1): "top"}


def check_field_of_view(
    head: np.ndarray, affine: np.ndarray, field: tuple[np.ndarray, tuple[int, ...]] | None = None
) -> list[Finding]:
    """Find out whether part of the head lies outside of what the scanner saw.

    The scan's first and last planes are looked at, wherever they lie on the grid of the head. A plane is named by the
    direction that it faces in the patient, so the last slice of an oblique stack is still its top.

    Args:
        head: bool, on a grid that is cropped at most to the head.
        affine: of the head, to right, anterior, superior in mm.
        field: affine and shape of the scan as it was taken; None where the head is on its grid.

    Shapes:
        head ``(X, Y, Z)``, affine ``(4, 4)``.
    """
    field_affine, shape = field or (affine, head.shape)
    # Beyond the head's grid its nearest voxel counts: there lies air that was cropped away, or the rest of the grid's
    # last plane, less than a voxel of it.
    seen = ndimage.affine_transform(
        head.astype(np.uint8), np.linalg.solve(affine, field_affine), output_shape=shape, order=0, mode="nearest"
    )
    turn = io_orientation(field_affine)  # the scan's axes nearest to right, anterior, superior
    seen = apply_orientation(seen, turn)
    spacing = voxel_sizes(field_affine)[np.argsort(turn[:, 0])]
    # Where the scan's planes are thinner than the head's voxels, those nearest to its last plane may have their centres
    # just outside of the scan: as many planes are looked at as a voxel is thick.
    planes = np.ceil(voxel_sizes(affine).max() / spacing - 1e-3).astype(int).tolist()
    cut = [name for (axis, end), name in FACES.items() if _is_cut(seen, axis, end, planes[axis])]
    if not cut:
        return []
    sentence = f"The head reaches the edge of the scan ({', '.join(cut)}): what lies beyond is not seen."
    return [Finding("head cut", sentence)]


def check_height(head: np.ndarray, spacing: tuple[float, ...], minimum_height_mm: float) -> list[Finding]:
    """Find out whether too little of a head is shown from bottom to top.

    Args:
        head: bool, axes nearest to right, anterior, superior; the brain where it is known.
        spacing: of its voxels in mm.
        minimum_height_mm: fewer than this show too little of a brain.

    Shapes:
        ``(X, Y, Z)``.
    """
    sections_cm2 = head.sum(axis=(0, 1)) * spacing[0] * spacing[1] / 100
    height_mm = float((sections_cm2 > SECTION_CM2).sum() * spacing[2])
    if height_mm >= minimum_height_mm:
        return []
    return [
        Finding(
            "low scan",
            f"The scan shows {height_mm:.0f} mm of the head from bottom to top; at least "
            f"{minimum_height_mm:.0f} mm are expected of a whole brain.",
        )
    ]


def check_volume(lesion_ml: float, brain_ml: float, maximum_ml: float, maximum_share: float) -> list[Finding]:
    """Find out whether a lesion is larger than infarcts are.

    Args:
        lesion_ml: of all lesions together.
        brain_ml: of the brain, or of the head where the scan is not skull-stripped.
        maximum_ml: more is implausible.
        maximum_share: of the brain; more is implausible.
    """
    if lesion_ml > maximum_ml:
        return [Finding("volume", f"{lesion_ml:.0f} ml of lesion are more than an infarct's {maximum_ml:.0f} ml.")]
    if lesion_ml > maximum_share * brain_ml:
        return [
            Finding(
                "volume",
                f"{lesion_ml:.0f} ml of lesion are {lesion_ml / max(brain_ml, 1.0):.0%} of the {brain_ml:.0f} ml of "
                f"brain in the scan; more than {maximum_share:.0%} is implausible.",
            )
        ]
    return []


def _is_cut(head: np.ndarray, axis: int, end: int, planes: int) -> bool:
    """Tell whether much of a head lies in one of the planes at an end of an axis."""
    sections = head.sum(axis=tuple(other for other in range(3) if other != axis))
    last = sections[:planes] if end == 0 else sections[-planes:]
    return bool(last.max() > (TOP_SHARE if axis == 2 else SIDE_SHARE) * sections.max())
