"""The four sequences: their names, which of them is preferred, and how a reader sees them named."""

from collections.abc import Mapping

from islesnet.errors import InputError

SEQUENCES = ("dwi", "t1", "t2", "flair")
# The first of these that a patient has is the reference: an infarct is seen earliest and best on DWI, then on FLAIR.
REFERENCE_ORDER = ("dwi", "flair", "t2", "t1")
# With the map that a report shows beside them.
DISPLAY_NAMES: Mapping[str, str] = {"dwi": "DWI", "adc": "ADC", "t1": "T1", "t2": "T2", "flair": "FLAIR"}


def require_sequences(options: Mapping[str, object]) -> None:
    """Refuse options that are no list of different sequences.

    Args:
        options: what was given, by the option's name.

    Raises:
        InputError: naming the option, what was given and what would be right.
    """
    for option, value in options.items():
        names = value if isinstance(value, list | tuple) else ()
        if not names or any(name not in SEQUENCES for name in names) or len({*names}) < len(names):
            raise InputError(
                f"{option} is {value!r}; it must be a list of different ones among {', '.join(SEQUENCES)}, "
                f'as in --{option} "[dwi, flair]".'
            )
