"""Tables and pictures of what was segmented, headless."""

from islesnet.report.pictures import largest_slice, outlined_slice

__all__ = ["largest_slice", "outlined_slice"]
