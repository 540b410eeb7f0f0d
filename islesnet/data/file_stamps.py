"""The stamps that scans bear in their own files, wherever they were copied to."""

from collections.abc import Iterable
from pathlib import Path

from islesnet.data.case import Case
from islesnet.stamps import stamps_in
from islesnet.volumes.nifti import read_nifti_description
from islesnet.volumes.volume import VolumeError


def stamps_in_file(path: Path) -> list[str]:
    """Give the stamps in a volume's header, e.g. "PHANTOM"; none for a format without a description of islesnet's.

    A file that is missing or damaged has none either: what is wrong with it, the checks of the data set say.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return []
    try:
        return stamps_in(read_nifti_description(path))
    except VolumeError:
        return []


def stamps_in_files(cases: Iterable[Case]) -> list[str]:
    """Give the stamps in the headers of the patients' references, each once."""
    return list(dict.fromkeys(stamp for case in cases for stamp in stamps_in_file(case.sequences[case.reference])))
