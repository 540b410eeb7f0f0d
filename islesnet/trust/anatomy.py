"""What anatomy forbids: a head that is cut off, a lesion larger than an infarct can be."""

import numpy as np

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


def check_field_of_view(head: np.ndarray, spacing: tuple[float, ...], minimum_height_mm: float) -> list[Finding]:
    """Find out whether part of the head lies outside of the volume.

    Args:
        head: bool, axes nearest to right, anterior, superior; cropped at most to the head.
        spacing: of its voxels in mm.
        minimum_height_mm: fewer than this show too little of a brain.

    Shapes:
        ``(X, Y, Z)``.
    """
    cut = [name for (axis, end), name in FACES.items() if _is_cut(head, axis, end)]
    findings = []
    if cut:
        findings.append(
            Finding(
                "head cut", f"The head reaches the edge of the scan ({', '.join(cut)}): what lies beyond is not seen."
            )
        )
    sections_cm2 = head.sum(axis=(0, 1)) * spacing[0] * spacing[1] / 100
    height_mm = float((sections_cm2 > SECTION_CM2).sum() * spacing[2])
    if height_mm < minimum_height_mm:
        findings.append(
            Finding(
                "low scan",
                f"The scan shows {height_mm:.0f} mm of the head from bottom to top; at least "
                f"{minimum_height_mm:.0f} mm are expected of a whole brain.",
            )
        )
    return findings


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


def _is_cut(head: np.ndarray, axis: int, end: int) -> bool:
    sections = head.sum(axis=tuple(other for other in range(3) if other != axis))
    return bool(sections[end] > (TOP_SHARE if axis == 2 else SIDE_SHARE) * sections.max())
