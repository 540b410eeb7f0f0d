"""The patients that a workflow works on: a data set on disk, or phantoms made for it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.progress import Progress

from islesnet.data import (
    Case,
    are_of_siss,
    cases_in_datalist,
    find_cases,
    lesion_volume_ml,
    stamps_in_files,
    stamps_of,
    write_datalist,
)
from islesnet.errors import InputError
from islesnet.files import sha256_of
from islesnet.phantom import PhantomSettings, write_siss_like_dataset
from islesnet.stamps import PHANTOM
from workflows.command_line import say_step

SISS_SPACING_MM = 1.0


@dataclass(frozen=True)
class Patients:
    """Labelled patients of one data set.

    Args:
        folder: that holds all files.
        cases: the patients with a label.
        volumes_ml: lesion volume of each.
        stamps: what every output made from them must carry.
    """

    folder: Path
    cases: list[Case]
    volumes_ml: dict[str, float]
    stamps: tuple[str, ...]

    @property
    def is_siss(self) -> bool | None:
        """Whether these are the patients of ISLES 2015 SISS; None where that is not known."""
        labels = [case.label for case in self.cases if case.label is not None]
        return are_of_siss(labels, self.stamps, [len(case.sequences) for case in self.cases])

    @property
    def name(self) -> str:
        """What the data set is called in a sentence."""
        return "synthetic patients" if PHANTOM in self.stamps else f"patients of {self.folder.name}"


def open_patients(data: str, out: Path, spacing_mm: float, patients: int, seed: int) -> Patients:
    """Open a data set, or make phantoms with the lesion volumes of SISS.

    Args:
        data: a data set's folder in any known layout, or "phantom".
        out: folder of the workflow; phantoms are made in it, once.
        spacing_mm: voxel size of phantoms.
        patients: how many phantoms.
        seed: of the phantoms.

    Raises:
        InputError: where there is no labelled patient.
    """
    folder = Path(data).absolute()
    if data == "phantom":
        # The folder is named after the choices, so that a run with others makes phantoms of its own.
        folder = out / "data" / f"phantoms_{patients}_of_{spacing_mm:g}_mm_seed_{seed}"
        _make_phantoms(folder, patients, spacing_mm, seed)
    cases = [case for case in find_cases(folder) if case.label is not None]
    if not cases:
        raise InputError(f"{folder}: no patient has a label; training and scoring need expert lesion masks")
    # The files of phantoms made by earlier versions do not bear the stamp.
    stamps = dict.fromkeys([*([PHANTOM] if data == "phantom" else []), *stamps_in_files(cases)])
    return Patients(folder, cases, {case.patient: lesion_volume_ml(case) for case in cases}, tuple(stamps))


def write_split(
    path: Path, sections: Mapping[str, Sequence[Case]], patients: Patients, about: Mapping[str, object]
) -> None:
    """Write a datalist, or make sure that the one there says the same.

    Raises:
        InputError: where it is of another split, which would not be the one that networks here were trained on, or
            bears other stamps, which masks and scores would carry.
    """
    if path.is_file():
        require_stamps(path, [str(stamp) for stamp in about.get("stamps", ())])  # type: ignore[attr-defined]
        earlier = cases_in_datalist(path, patients.folder)
        if {name: _names(own) for name, own in earlier.items()} != {
            name: _names(own) for name, own in sections.items()
        }:
            raise InputError(
                f"{path} splits the patients in another way. Go on with the data, seed and folds it was begun with, or "
                "name another folder with --out."
            )
        return
    write_datalist(path, sections, patients.folder, {**about, "volumes_ml": patients.volumes_ml})


def require_stamps(datalist: Path, stamps: Iterable[str]) -> None:
    """Make sure that a datalist that is there bears these stamps, and no others.

    Raises:
        InputError: where it does not.
    """
    there = set(stamps_of(datalist))
    if there != (here := set(stamps)):
        raise InputError(
            f"{datalist} was begun with the stamps {sorted(there) or 'none'}; with these choices they are "
            f"{sorted(here) or 'none'}. Name another folder with --out."
        )


def checksum_of_files(case: Case) -> str:
    """Give one checksum of the content of all of a patient's files, the label among them, which may get corrected."""
    known = (f"{key} {_checksum_of(path, path.stat().st_mtime_ns)}" for key, path in case.files.items())
    return hashlib.sha256("\n".join(known).encode()).hexdigest()


@cache  # every experiment asks for every patient
def _checksum_of(path: Path, _changed_ns: int) -> str:  # the time is in the cache's key: a changed file is read again
    return sha256_of(path)


def _names(cases: Sequence[Case]) -> list[str]:
    return [case.patient for case in cases]


def _make_phantoms(folder: Path, patients: int, spacing_mm: float, seed: int) -> None:
    say_step(f"{patients} synthetic patients of {spacing_mm:g} mm with the lesion volumes of SISS")
    with Progress() as bar:
        task = bar.add_task("Phantoms", total=patients)
        settings = PhantomSettings(spacing_mm=spacing_mm)
        write_siss_like_dataset(
            folder, patients, seed, settings, progress=lambda done, _: bar.update(task, completed=done)
        )
        bar.update(task, completed=patients)  # those of an earlier run too
