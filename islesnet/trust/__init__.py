"""Whether a patient's mask deserves trust: rules of scan, sequences, anatomy, agreement; reasons in sentences."""

from islesnet.trust.appearance import (
    FEWEST_IMAGES,
    AppearanceRanges,
    appearance_file,
    read_appearance,
)
from islesnet.trust.assess import AssessTrustd
from islesnet.trust.description import describe_appearance
from islesnet.trust.limits import TrustLimits
from islesnet.trust.record import NetworkRecord
from islesnet.trust.subsets import SubsetScores, read_subsets, subsets_file

__all__ = [
    "FEWEST_IMAGES",
    "AppearanceRanges",
    "AssessTrustd",
    "NetworkRecord",
    "SubsetScores",
    "TrustLimits",
    "appearance_file",
    "describe_appearance",
    "read_appearance",
    "read_subsets",
    "subsets_file",
]
