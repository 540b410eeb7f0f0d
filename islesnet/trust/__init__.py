"""Whether a patient's mask deserves trust: rules of scan, anatomy and agreement, and their reasons in sentences."""

from islesnet.trust.appearance import (
    FEWEST_IMAGES,
    AppearanceRanges,
    appearance_file,
    describe_appearance,
    read_appearance,
)
from islesnet.trust.assess import AssessTrustd, TrustLimits

__all__ = [
    "FEWEST_IMAGES",
    "AppearanceRanges",
    "AssessTrustd",
    "TrustLimits",
    "appearance_file",
    "describe_appearance",
    "read_appearance",
]
