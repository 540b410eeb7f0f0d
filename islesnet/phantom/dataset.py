"""Synthetic patients on disk: a cohort laid out as SISS 2015, or one patient's folder as a clinic hands it over."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from islesnet.errors import InputError
from islesnet.files import whole_file
from islesnet.phantom.fields import FloatArray
from islesnet.phantom.lesion_masks import list_masks
from islesnet.phantom.patient import Phantom, make_patient
from islesnet.phantom.settings import DEFAULT_SETTINGS, PhantomSettings
from islesnet.processes import usable_cores, work_through
from islesnet.stamps import PHANTOM, describe

# SISS numbers its files through: case 1 has DWI 70613, FLAIR 70614, T1 70615, T2 70616, then the ground truth.
FIRST_ID = 70613
SISS_NAMES = {"dwi": "MR_DWI", "flair": "MR_Flair", "t1": "MR_T1", "t2": "MR_T2", "label": "OT"}


def write_dataset(
    folder: Path,
    patients: int,
    seed: int = 0,
    settings: PhantomSettings = DEFAULT_SETTINGS,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    first: int = 1,
) -> list[Path]:
    """Write synthetic patients in the layout of ISLES 2015 SISS.

    Each lies in ``<folder>/<n>/VSD.Brain.XX.O.<what>.<id>/VSD.Brain.XX.O.<what>.<id>.nii`` and appears only when it
    is complete. Patient n depends on `seed`, n and `settings` (with the masks they name) alone, so a cohort can be
    extended later by `first`. Every file's header says PHANTOM.

    Args:
        folder: where the patients' folders go; made where absent.
        patients: how many.
        seed: of the cohort, 0 or more.
        settings: choices of the cohort.
        workers: processes at work; None takes one for every core that this process may use.
        progress: called with the number done and the number in all after every patient.
        first: number of the first patient, 1 or more.

    Returns:
        The patients' folders, in order.

    Raises:
        InputError: a patient's folder exists already (then nothing is written), a number is out of range, or the
            lesion masks cannot be used.
    """
    check_numbers(patients, seed, workers, first)
    if settings.lesion_masks is not None:
        list_masks(settings.lesion_masks)
    numbers = range(first, first + patients)
    targets = [folder / str(number) for number in numbers]
    _refuse_existing(targets)
    folder.mkdir(parents=True, exist_ok=True)
    jobs = {number: partial(write_numbered_patient, folder, seed, settings, number) for number in numbers}
    for done, _ in enumerate(work_through(jobs, workers or usable_cores()), start=1):
        if progress is not None:
            progress(done, patients)
    return targets


def write_missing_patients(
    folder: Path,
    seed: int,
    settings_of: Mapping[int, PhantomSettings],
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write those patients of a cohort that are not there yet, each by its own settings.

    Args:
        folder: where the patients' folders go; made where absent.
        seed: of the cohort.
        settings_of: the settings of each patient, by number.
        workers: processes at work; None takes one for every core that this process may use.
        progress: called with the number done and the number in all after every patient.

    Returns:
        The patients' folders, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = {
        number: partial(write_numbered_patient, folder, seed, settings, number)
        for number, settings in settings_of.items()
        if not (folder / str(number)).exists()
    }
    there = len(settings_of) - len(jobs)
    for done, _ in enumerate(work_through(jobs, workers or usable_cores()), start=there + 1):
        if progress is not None:
            progress(done, len(settings_of))
    return [folder / str(number) for number in settings_of]


def write_numbered_patient(folder: Path, seed: int, settings: PhantomSettings, number: int) -> Path:
    """Make patient `number` of the cohort `seed` and write it in the layout of SISS.

    Args:
        folder: the cohort's folder; it exists.
        seed: of the cohort.
        settings: choices of the cohort.
        number: of the patient, 1 or more.

    Returns:
        The patient's folder.

    Raises:
        InputError: the patient's folder exists already, or the lesion masks cannot be used.
    """
    phantom = make_patient(patient_seed(seed, number), settings)
    with _appearing(folder / str(number)) as unfinished:
        for place, (key, name) in enumerate(SISS_NAMES.items()):
            if key != "label" and key not in phantom.images:
                continue
            stem = f"VSD.Brain.XX.O.{name}.{FIRST_ID + (number - 1) * len(SISS_NAMES) + place}"
            (unfinished / stem).mkdir()
            values = phantom.label if key == "label" else phantom.images[key]
            _save(values, phantom.affine, unfinished / stem / f"{stem}.nii")
    return folder / str(number)


def write_patient(folder: Path, phantom: Phantom, with_label: bool = False) -> Path:
    """Write one patient as a clinic hands it over: a folder with a compressed volume for each sequence.

    The files are ``dwi.nii.gz``, ``t1.nii.gz``, ``t2.nii.gz`` and ``flair.nii.gz``.

    Args:
        folder: the patient's own folder, which names the patient; it must not exist, its parents are made.
        phantom: the patient.
        with_label: write the truth too, as ``label.nii.gz``.

    Returns:
        `folder`.

    Raises:
        InputError: the folder exists already.
    """
    _refuse_existing([folder])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _appearing(folder) as unfinished:
        for sequence, image in phantom.images.items():
            _save(image, phantom.affine, unfinished / f"{sequence}.nii.gz")
        if with_label:
            _save(phantom.label, phantom.affine, unfinished / "label.nii.gz")
    return folder


def patient_seed(seed: int, number: int) -> int:
    """Derive the seed of patient `number` from the cohort's, so that neighbouring cohorts share no patient."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])


def check_numbers(patients: int, seed: int, workers: int | None, first: int) -> None:
    """Refuse numbers of a cohort that are out of range.

    Raises:
        InputError: naming the number.
    """
    for name, value, least in (("patients", patients, 1), ("seed", seed, 0), ("first", first, 1)):
        if value < least:
            raise InputError(f"{name} is {value}: it is {least} or more")
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}: it is 1 or more, or None for every core")


def _refuse_existing(targets: Iterable[Path]) -> None:
    existing = [str(target) for target in targets if target.exists()]
    if existing:
        named = ", ".join(existing[:5]) + (f" and {len(existing) - 5} more" if len(existing) > 5 else "")
        raise InputError(f"{named}: exists already; remove it, or choose another folder or other patient numbers")


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside `target` to write in, and rename it to `target` once all went well."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    unfinished.mkdir()
    try:
        yield unfinished
        # A rename would silently replace an empty folder that someone made in the meantime.
        _refuse_existing([target])
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _save(values: FloatArray | NDArray[np.uint8], affine: FloatArray, file: Path) -> None:
    """Save a volume: a label as uint8, an image as int16 without a scale factor."""
    stored = values if values.dtype == np.uint8 else np.rint(values).astype(np.int16)
    make_image: Any = nib.Nifti1Image  # nibabel leaves its constructor without annotations
    image = make_image(stored, affine)
    image.set_qform(affine, code="scanner")
    image.set_sform(affine, code="scanner")
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = describe([PHANTOM])  # wherever the file goes, it says what it is
    with whole_file(file) as part:
        nib.save(image, part)
