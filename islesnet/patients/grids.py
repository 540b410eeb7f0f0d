"""What the files beside each other are to each other: on one grid or not, and the ADC map that belongs to a DWI."""

from collections.abc import Iterable
from pathlib import Path

from islesnet.volumes import VolumeError, read_header
from islesnet.volumes.file_names import SEQUENCE_WORDS, stem_of, without_words, words_of
from islesnet.volumes.geometry import lie_on_one_grid


def is_on_one_grid(files: Iterable[Path]) -> bool:
    """Tell whether files hold one 3D volume each, all with the same voxels; only headers are read."""
    try:
        first, *others = (read_header(path) for path in files)
    except VolumeError:
        return False
    return all(lie_on_one_grid(first, other) for other in others)


def adc_beside(dwi: Path) -> Path | None:
    """Find the ADC map of a DWI: the file beside it that is called as it is but for the sequence, on its grid."""
    wanted = without_words(stem_of(dwi.name) or dwi.name, SEQUENCE_WORDS["dwi"])
    for path in sorted(dwi.parent.iterdir()):
        stem = stem_of(path.name)
        if stem is not None and "adc" in words_of(stem) and without_words(stem, {"adc"}) == wanted:
            return path if is_on_one_grid([dwi, path]) else None
    return None
