"""Whether true masks are those of ISLES 2015 SISS, as far as their files tell."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from islesnet.stamps import PHANTOM

# Those whose truth was published.
SISS_PATIENTS = 28
_NAME = "vsd.brain.xx.o.ot."


def are_of_siss(labels: Collection[Path], stamps: Sequence[str] = (), sequences: Iterable[int] = ()) -> bool | None:
    """Tell whether patients are those of SISS by what their true masks, or the masks' folders, are called.

    Copies under other names may be SISS too, so for them the answer is not known. SPES uses the same names, but has
    more patients and other sequences.

    Args:
        labels: the true masks of all patients.
        stamps: of the patients; synthetic ones, whatever they are called, are others.
        sequences: how many each patient has, of those whose images are known.

    Returns:
        None where it is not known.
    """
    if PHANTOM in stamps:
        return False
    is_named = all(path.name.lower().startswith(_NAME) or path.parent.name.lower().startswith(_NAME) for path in labels)
    is_siss = is_named and 0 < len(labels) <= SISS_PATIENTS and all(count == 4 for count in sequences)
    return True if is_siss else None
