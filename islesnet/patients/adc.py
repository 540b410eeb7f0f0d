"""The ADC map that belongs to a DWI: found beside it, and read."""

from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError
from islesnet.patients.images import read_image
from islesnet.scanner import UnusableError, in_usual_unit, tell_unit
from islesnet.volumes import VolumeError
from islesnet.volumes.file_names import SEQUENCE_WORDS, stem_of, without_words, words_of


def adc_beside(dwi: Path) -> Path | None:
    """Find the ADC map of a DWI: the file beside it that is called as it is but for the sequence."""
    wanted = without_words(stem_of(dwi.name) or dwi.name, SEQUENCE_WORDS["dwi"])
    for path in sorted(dwi.parent.iterdir()):
        stem = stem_of(path.name)
        if stem is not None and "adc" in words_of(stem) and without_words(stem, {"adc"}) == wanted:
            return path
    return None


def read_adc(path: Path) -> tuple[sitk.Image, list[str]]:
    """Read an ADC map in 1e-3 mm2/s, 0 where it has no value.

    Returns:
        The map, and a note where it came in another unit.

    Raises:
        UnusableError: where it cannot be read, or is none.
    """
    try:
        image, unit = in_usual_unit(read_image(path))
    except VolumeError as error:
        raise UnusableError(error.reason) from error
    except InputError as error:  # a grid that no image can have
        raise UnusableError(f"cannot be used: {error}") from error
    return image, tell_unit(path.name, unit)
