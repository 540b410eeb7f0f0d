"""From where on a mask is not to be trusted."""

from dataclasses import dataclass

from islesnet.errors import require_numbers
from islesnet.metrics import LARGEST_LESION_ML


@dataclass(frozen=True)
class TrustLimits:
    """From where on a mask is not to be trusted.

    Args:
        appearance_tolerance: how far outside of the training's range a measure of a sequence may lie, in widths of
            that range; a range of few images allows more (`AppearanceRanges.check`).
        joint_tolerance: how far all measures of a sequence together may lie from the middle of the training's, in the
            distance that 99 % of the training's images keep.
        minimum_height_mm: of the head within the volume. The MNI152 (2009) template's brain is 154 mm high, clinical
            scans of 20 slices of 5 mm show 100 mm.
        maximum_lesion_ml: of all lesions together.
        maximum_brain_share: of lesion; the largest of SISS is a sixth of a brain of 1.4 litres.
        minimum_agreement: mean Dice under flips, where they are on.
        minimum_subset_dice: mean Dice on test patients with the sequences that a patient has; less is next to nothing.
        doubtful_subset_dice: the same, and less is little, which is noted.

    Raises:
        InputError: for a limit below 0, or a share, agreement or Dice above 1.
    """

    appearance_tolerance: float = 0.5
    joint_tolerance: float = 1.0
    minimum_height_mm: float = 100.0
    maximum_lesion_ml: float = LARGEST_LESION_ML
    maximum_brain_share: float = 0.33
    minimum_agreement: float = 0.7
    minimum_subset_dice: float = 0.1
    doubtful_subset_dice: float = 0.25

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            highest = 1.0 if name.endswith(("_share", "_agreement", "_dice")) else float("inf")
            require_numbers({f"trust_limits::{name}": value}, minimum=0.0, maximum=highest)
