"""The four sequences: their names, which of them is preferred, and how a reader sees them named."""

from collections.abc import Mapping

SEQUENCES = ("dwi", "t1", "t2", "flair")
# The first of these that a patient has is the reference: an infarct is seen earliest and best on DWI, then on FLAIR.
REFERENCE_ORDER = ("dwi", "flair", "t2", "t1")
# With the map that a report shows beside them.
DISPLAY_NAMES: Mapping[str, str] = {"dwi": "DWI", "adc": "ADC", "t1": "T1", "t2": "T2", "flair": "FLAIR"}
