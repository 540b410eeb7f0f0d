"""The leaky split that many papers have: the slices of every patient, not the patients, dealt to the sections."""

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from islesnet.data.case import Case
from islesnet.data.datalist import BY_SLICES, LEAKY, write_datalist
from islesnet.data.file_stamps import stamps_in_files
from islesnet.data.splits import SECTIONS, require_once, require_shares, share_out
from islesnet.errors import InputError
from islesnet.files import whole_file
from islesnet.stamps import describe
from islesnet.volumes.file_names import natural_key
from islesnet.volumes.geometry import lie_on_one_grid, require_sound_grid
from islesnet.volumes.volume import Header, read_header, read_volume


def write_slice_split(
    cases: Sequence[Case],
    folder: Path,
    fractions: tuple[float, float, float] = (0.7, 0.2, 0.1),
    seed: int = 0,
    stamps: Sequence[str] = (),
) -> Path:
    """Deal the axial slices of every patient to training, validation and test, and write them as stacks.

    The same patients are in all sections, and a slice's neighbours, nearly its copies, are on the other side: every
    score on such a split is too high. It is here to show by how much, and all that comes of it is stamped LEAKY.

    A stack, ``<folder>/<patient>_ses-<section>/<sequence>.nii.gz``, holds slices that were apart in the head. Train on
    it with context 0 and on a grid whose slices are as thick as these, or the network sees, or resampling mixes,
    neighbours that are none.

    Args:
        cases: each patient once; those without a label are left out.
        folder: for the stacks and ``datalist.json``; made where absent.
        fractions: shares of training, validation and test slices; they sum to 1.
        seed: of the dealing, which for a patient depends on nothing else.
        stamps: further words that everything made of these patients bears, beside those in the scans' own headers.

    Returns:
        The datalist, whose stamps say LEAKY.

    Raises:
        InputError: for fractions that do not sum to 1, a patient given twice, no labelled patient, or one whose
            files do not lie on one grid.
    """
    require_shares(fractions)
    require_once(cases)
    labelled = sorted((case for case in cases if case.label is not None), key=lambda case: natural_key(case.patient))
    if not labelled:
        raise InputError(f"none of the {len(cases)} patients has a label; a split needs expert lesion masks")
    # All before the first is written.
    slices = {case.patient: _deal_slices(case, fractions, seed) for case in labelled}
    all_stamps = list(dict.fromkeys([*stamps, *stamps_in_files(labelled), LEAKY]))
    sections: dict[str, list[Case]] = {section: [] for section in SECTIONS}
    volumes_ml: dict[str, float] = {}
    for case in labelled:
        for section, stack in _write_stacks(case, slices[case.patient], folder, all_stamps, volumes_ml).items():
            sections[section].append(stack)
    about = {"split_by": BY_SLICES, "stamps": all_stamps, "seed": seed, "split": fractions}
    write_datalist(folder / "datalist.json", sections, folder, {**about, "volumes_ml": volumes_ml})
    return folder / "datalist.json"


def slice_thickness_mm(cases: Sequence[Case]) -> float:
    """Say how far apart the axial slices of all labelled patients lie.

    Raises:
        InputError: where they differ by more than a hundredth, or nobody has a label.
    """
    lengths = [read_header(case.label).canonical().spacing[2] for case in cases if case.label is not None]
    if not lengths:
        raise InputError(f"none of the {len(cases)} patients has a label; a split needs expert lesion masks")
    if max(lengths) > 1.01 * min(lengths):
        raise InputError(
            f"the patients' slices are {min(lengths):g} to {max(lengths):g} mm apart; a split by slices needs one "
            "distance, or the network's grid would mix slices that were apart in the head: split by patients"
        )
    return float(lengths[0])


def _deal_slices(case: Case, fractions: tuple[float, float, float], seed: int) -> dict[str, list[int]]:
    """Deal a patient's axial slices, in the order from the feet up; a section that gets none is left out."""
    depth = _one_grid(case).shape[2]
    dealt = [section for section, count in share_out(depth, fractions).items() for _ in range(count)]
    random.Random(f"{seed} {case.patient}").shuffle(dealt)
    return {
        section: [index for index, own in enumerate(dealt) if own == section]
        for section in SECTIONS
        if section in dealt
    }


def _one_grid(case: Case) -> Header:
    """Return the grid that all files of a patient have in common, once their axes are in one order."""
    headers = {key: read_header(path) for key, path in case.files.items()}
    for key, header in headers.items():
        require_sound_grid(case.files[key], header)
    reference = headers[case.reference].canonical()
    for key, header in headers.items():
        if not lie_on_one_grid(header.along(reference), reference):
            raise InputError(
                f"patient {case.patient!r}: {case.files[key]} and {case.files[case.reference]} lie on different grids; "
                "a split by slices needs all files of a patient on one: resample them, or split by patients"
            )
    return reference


def _write_stacks(
    case: Case, slices: Mapping[str, list[int]], folder: Path, stamps: Sequence[str], volumes_ml: dict[str, float]
) -> dict[str, Case]:
    """Write a patient's stacks, reading one file at a time; note the lesion volume of each."""
    grid = _one_grid(case)
    files: dict[str, dict[str, Path]] = {section: {} for section in slices}
    for key, path in case.files.items():
        volume = read_volume(path).along(grid)
        values = (volume.array > 0.5).astype(np.uint8) if key == "label" else _writable(volume.array)
        for section, indices in slices.items():
            stack = values[..., indices]  # (X, Y, Z) -> (X, Y, slices of the section)
            name = f"{case.patient}_ses-{section}"
            files[section][key] = folder / name / f"{key}.nii.gz"
            _write(stack, volume.affine, stamps, files[section][key])
            if key == "label":
                volumes_ml[name] = float(stack.sum()) * math.prod(volume.spacing) / 1000.0
    stacks = {}
    for section, own in files.items():
        label = own.pop("label")
        stacks[section] = Case(f"{case.patient}_ses-{section}", own, label)
    return stacks


def _writable(array: NDArray[np.generic]) -> NDArray[np.generic]:
    # NIfTI has no truth values, no half precision; what is scaled or wider needs no more than float32.
    is_kept = array.dtype.kind in "iu" and array.dtype.itemsize <= 2
    return array if is_kept else array.astype(np.float32)


def _write(array: NDArray[np.generic], affine: NDArray[np.float64], stamps: Sequence[str], path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(array.astype(array.dtype.newbyteorder("=")), affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = describe(stamps)
    with whole_file(path) as part:
        nibabel.save(image, part)
