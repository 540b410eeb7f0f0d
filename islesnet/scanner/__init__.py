"""Raw scans to co-registered, brain-extracted volumes."""

from islesnet.scanner.coregistration import Coregistered, coregister
from islesnet.scanner.registration import Alignment, align

__all__ = ["Alignment", "Coregistered", "align", "coregister"]
