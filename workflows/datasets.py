"""The patients that a workflow works on: a data set on disk, or phantoms made for it."""

from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from islesnet.data import Case, find_cases, lesion_volume_ml
from islesnet.errors import InputError
from islesnet.phantom import PhantomSettings, write_siss_like_dataset
from workflows.commands import say

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
    def name(self) -> str:
        """What the data set is called in a sentence."""
        return "synthetic patients" if self.stamps else self.folder.name


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
    stamps: tuple[str, ...] = ()
    if data == "phantom":
        # The name tells the choices apart, so that a second run with others makes others.
        folder = out / "data" / f"phantoms_{patients}_of_{spacing_mm:g}_mm_seed_{seed}"
        stamps = ("PHANTOM",)
        _make_phantoms(folder, patients, spacing_mm, seed)
    cases = [case for case in find_cases(folder) if case.label is not None]
    if not cases:
        raise InputError(f"{folder}: no patient has a label; training and scoring need expert lesion masks")
    return Patients(folder, cases, {case.patient: lesion_volume_ml(case) for case in cases}, stamps)


def _make_phantoms(folder: Path, patients: int, spacing_mm: float, seed: int) -> None:
    say(f"{patients} synthetic patients of {spacing_mm:g} mm with the lesion volumes of SISS")
    with Progress() as bar:
        task = bar.add_task("Phantoms", total=patients)
        settings = PhantomSettings(spacing_mm=spacing_mm)
        write_siss_like_dataset(
            folder, patients, seed, settings, progress=lambda done, _: bar.update(task, completed=done)
        )
