"""Volumes in NIfTI, NRRD or MetaImage files, with what dcm2niix and FSL leave beside them."""

from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from islesnet.scanner.candidate import Candidate, Grid, UnusableError
from islesnet.scanner.facts import Facts, words_in
from islesnet.scanner.patient import Image
from islesnet.scanner.recognition import b_value_by_words, recognise
from islesnet.scanner.sidecars import facts_beside, read_b_values
from islesnet.volumes import Header, VolumeError, VolumeStack, read_header, read_volume_stack
from islesnet.volumes.axes import RAS_TO_LPS
from islesnet.volumes.file_names import stem_of, without_patient
from islesnet.volumes.geometry import check_grid
from islesnet.volumes.values import check_values
from islesnet.volumes.volume import MOST_VOLUMES

_MOST_NAN = 0.5


def candidates_in_file(path: Path, source: str, patient: str, folder: str) -> list[Candidate]:
    """Describe the volumes of a file; only its header is read.

    Args:
        path: the file.
        source: how messages name the file.
        patient: name of the patient's folder, which is ignored at the beginning of the file's name.
        folder: name of the folder that the file lies in, below the patient's; empty where it lies directly in that.

    Raises:
        UnusableError: for a file that is no volume at all.
    """
    try:
        header = read_header(path, MOST_VOLUMES)
    except VolumeError as error:
        raise UnusableError(error.reason) from error
    stem = stem_of(path.name) or path.name
    words = words_in(without_patient(stem, patient))
    facts = facts_beside(path.with_name(f"{stem}.json"), words, words_in(folder))
    values = _b_values(path.with_name(f"{stem}.bval"), header)
    findings = check_grid(header)
    faults = [f"cannot be used: {finding.message}" for finding in findings if finding.severity == "error"]
    notes = [f"{source}: {finding.message}." for finding in findings if finding.severity == "warning"]
    return [
        Candidate(
            source=f"{source}, volume {index + 1} of {len(values)}" if len(values) > 1 else source,
            series=str(path),
            study="",
            facts=_with_b_value(facts, value),
            grid=None if faults else grid_of(header),
            load=partial(_load, path, index, source),
            file=path if len(values) == 1 else None,
            fault="; ".join(faults),
            notes=tuple(notes),
        )
        for index, value in enumerate(values)
    ]


def sequence_of_file(path: Path) -> str | None:
    """Say which of `ROLES` a file is, by its name and the files beside it (.json, .bval); None where none says so."""
    stem = stem_of(path.name) or path.name
    if path.with_name(f"{stem}.bval").is_file():
        return "dwi"
    return recognise(facts_beside(path.with_name(f"{stem}.json"), words_in(stem), ())).role


def grid_of(header: Header) -> Grid:
    """Turn a right-anterior-superior affine with right angles into SimpleITK's geometry."""
    turned = RAS_TO_LPS @ header.affine
    spacing = header.spacing
    # The nearest matrix with exact right angles: SimpleITK takes no other.
    left, _, right = np.linalg.svd(turned[:3, :3] / np.array(spacing))
    x, y, z = (float(value) for value in turned[:3, 3])
    return Grid(header.shape, spacing, (x, y, z), left @ right)


def forget_files() -> None:
    """Free the memory of the file that was read last."""
    _stack.cache_clear()


def without_nan(array: np.ndarray, source: str) -> tuple[np.ndarray, list[str]]:
    """Replace NaN and infinite voxels with 0, and note how many there were.

    Raises:
        UnusableError: where most voxels are NaN or infinite, or all have one value.
    """
    bad = ~np.isfinite(array)
    count = int(bad.sum())
    if count > _MOST_NAN * array.size:
        raise UnusableError(f"has {count:,} voxels of {array.size:,} that are NaN or infinite")
    if count:
        array = np.where(bad, np.float32(0), array)
    if errors := check_values(array):
        raise UnusableError(f"cannot be used: {errors[0].message}")
    return array, [f"{source}: {count:,} voxels are NaN or infinite and were set to 0."] if count else []


def _b_values(path: Path, header: Header) -> list[float | None]:
    try:
        values = read_b_values(path)
    except ValueError as error:
        if header.volumes == 1:
            return [None]
        raise UnusableError(
            f"holds {header.volumes} volumes, and {path.name} beside it cannot be read as b-values; right are "
            f"{header.volumes} numbers parted by blanks"
        ) from error
    if header.volumes == 1:  # if it was extracted from several, the file may still list the b-values of all
        return [values[0] if values and len(values) == 1 else None]
    if values is None:
        raise UnusableError(
            f"holds {header.volumes} volumes, and no {path.name} beside it says which b-value each has; add it, or "
            "save the one that is meant as its own file"
        )
    if len(values) != header.volumes:
        raise UnusableError(
            f"holds {header.volumes} volumes, but {path.name} gives {len(values)} b-values; each volume needs one"
        )
    return list(values)


def _with_b_value(facts: Facts, value: float | None) -> Facts:
    if value is None:
        value = facts.b_value if facts.b_value is not None else b_value_by_words(facts)
    return replace(facts, b_value=value)


@lru_cache(maxsize=1)
def _stack(path: Path, changed_ns: int) -> VolumeStack:
    # One file of many directions is unpacked once, not once a direction.
    return read_volume_stack(path)


def _load(path: Path, index: int, source: str) -> tuple[Image, list[str]]:
    import SimpleITK as sitk  # noqa: N813

    try:
        stack = _stack(path, path.stat().st_mtime_ns)
    except VolumeError as error:
        raise UnusableError(error.reason) from error
    except OSError as error:
        raise UnusableError(f"cannot be read ({(error.strerror or str(error)).lower()})") from error
    volume = stack.volume(index)
    notes = [f"{source}: goes on after its last voxel; the header may be wrong."] if stack.has_surplus else []
    array, repaired = without_nan(np.asarray(volume.array, dtype=np.float32), source)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))  # (X, Y, Z) -> (Z, Y, X)
    return grid_of(volume.header).put_on(image), notes + repaired
