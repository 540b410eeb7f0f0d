"""What is known of a network: how its training's images look, how much it finds, whether it is calibrated."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from islesnet.trust.appearance import AppearanceRanges
from islesnet.trust.description import describe_appearance
from islesnet.trust.finding import Finding
from islesnet.trust.limits import TrustLimits
from islesnet.trust.subsets import SubsetScores

NOT_CALIBRATED = (
    "Probabilities and confidences are the network's own, which are too high as a rule: no operating point with a "
    "temperature lies beside the weights."
)


@dataclass(frozen=True)
class NetworkRecord:
    """What was written down of a network when it was trained and tested, as far as it was.

    Args:
        appearance: how the training's images look; None where that is not known, which is noted.
        subsets: how much the network finds with each subset of the sequences; None where nobody measured it.
        is_calibrated: whether probabilities were brought nearer to right for these weights; where not, that is noted.
    """

    appearance: AppearanceRanges | None = None
    subsets: SubsetScores | None = None
    is_calibrated: bool = True

    def tell(self, present: Sequence[str]) -> str:
        """Say what the network reached with the sequences of a patient; nothing where that was not measured."""
        return "" if self.subsets is None else self.subsets.tell(present)

    def check_subset(self, present: Sequence[str], limits: TrustLimits) -> list[Finding]:
        """Find out whether the network finds next to nothing with the sequences of a patient."""
        return [] if self.subsets is None else self.subsets.check(present, limits.minimum_subset_dice)

    def check_appearance(self, image: torch.Tensor, sequences: Sequence[str], limits: TrustLimits) -> list[Finding]:
        """Find the sequences that look unlike those that the network was trained on.

        Args:
            image: as it entered the network; a channel of zeros is an absent sequence.
            sequences: names of its channels.
            limits: from where on that is so.

        Shapes:
            image ``(C, X, Y, Z)``.
        """
        if self.appearance is None:
            return []
        description = describe_appearance(image, sequences)
        return self.appearance.check(description, limits.appearance_tolerance, limits.joint_tolerance)

    def note(self, present: Sequence[str], limits: TrustLimits) -> list[Finding]:
        """Note that little is found with the sequences of a patient, and what is not known of the network."""
        notes = []
        if self.subsets is not None:
            notes += self.subsets.note(present, limits.minimum_subset_dice, limits.doubtful_subset_dice)
        known = {} if self.appearance is None else self.appearance.ranges
        if unchecked := ", ".join(name.upper() for name in present if name not in known):
            notes.append(
                Finding(
                    "not compared",
                    f"Not compared with the training's images, of which nothing is known: {unchecked}.",
                )
            )
        return notes if self.is_calibrated else [*notes, Finding("", NOT_CALIBRATED)]
