"""The paper's split, by patients or, which leaks, by slices, and the comparison of systems on it."""

import argparse
import hashlib
from dataclasses import dataclass
from pathlib import Path

from islesnet.data import Case, cases_in_datalist, lesion_volume_ml, split_cases, write_slice_split
from islesnet.errors import InputError
from islesnet.metrics import EMPTY_MASK
from workflows.baselines import empty_mask_of, score_baselines
from workflows.claims import claim_folder
from workflows.comparison import Comparison
from workflows.datasets import Patients, checksum_of_files, require_stamps, write_split
from workflows.experiment import Experiment
from workflows.systems import Pace, System

SPLIT = (0.7, 0.2, 0.1)


@dataclass(frozen=True)
class Split:
    """Who is trained on, validated on and tested on.

    Args:
        patients: all of them.
        sections: "training", "validation", "test".
        folder: that the datalist's paths are relative to.
        datalist: the split on disk.
        kind: "patients" or "slices".
        stamps: that every output carries.
    """

    patients: Patients
    sections: dict[str, list[Case]]
    folder: Path
    datalist: Path
    kind: str
    stamps: tuple[str, ...]

    @classmethod
    def make(cls, patients: Patients, kind: str, stamps: tuple[str, ...], seed: int, out: Path) -> "Split":
        """Split 70/20/10 as the paper does, by patients (sections alike in lesion volume) or by slices.

        Raises:
            InputError: where the folder holds another split.
        """
        stamps = (*patients.stamps, *stamps)
        if kind == "slices":
            source = hashlib.sha256(str(patients.folder).encode()).hexdigest()[:8]  # others may have the same name
            folder = out / "data" / f"slices_of_{patients.folder.name}_{source}_seed_{seed}"
            datalist = folder / "datalist.json"
            stamps = (*stamps, "LEAKY")
            cut = {case.patient: checksum_of_files(case) for case in patients.cases}
            claim_folder(folder, "cut_from.json", {"patients": cut})
            if datalist.is_file():
                require_stamps(datalist, stamps)
            else:
                write_slice_split(patients.cases, folder, SPLIT, seed, stamps)
            return cls(patients, cases_in_datalist(datalist), folder, datalist, kind, stamps)
        sections = split_cases(patients.cases, SPLIT, seed, patients.volumes_ml)
        if empty := [name for name, cases in sections.items() if not cases]:
            raise InputError(f"{len(patients.cases)} patients are too few: nobody is left for {' and '.join(empty)}")
        write_split(out / "datalist.json", sections, patients, {"seed": seed, "split": SPLIT, "stamps": list(stamps)})
        return cls(patients, sections, patients.folder, out / "datalist.json", kind, stamps)

    def experiment(self, system: System, arguments: argparse.Namespace, pace: Pace | None, out: Path) -> Experiment:
        """Plan a system on this split."""
        return Experiment(
            out / "systems" / system.name,
            system,
            self.folder,
            self.datalist,
            arguments.seed,
            grid=arguments.grid,
            training=pace.choices(len(self.sections["training"])) if pace else {},
            cache_dir=out / "cache",
        )

    def compare(self, done: dict[str, Experiment], about: str) -> Comparison:
        """Put the systems' scores together, and score the baselines on the same patients."""
        ours = next(iter(done.values()))
        test = self.sections["test"]
        if ours.grid == "native":
            baselines = score_baselines(self.sections["training"], test)
        else:
            baselines = {EMPTY_MASK: empty_mask_of(ours.scores())}
        return Comparison(
            title=f"The paper, reproduced: ResNet50-UNet on {self.patients.name}",
            by_system={name: experiment.scores() for name, experiment in done.items()},
            baselines=baselines,
            data=f"{len(test)} of {len(self.patients.cases)} {self.patients.name}"
            + (", split by slices" if self.kind == "slices" else ""),
            cases={case.patient: case for case in test},
            masks=None if ours.grid == "network" else {case.patient: ours.results for case in test},
            tensorboard={name: experiment.tensorboard for name, experiment in done.items()},
            volumes_by_section={name: [lesion_volume_ml(case) for case in own] for name, own in self.sections.items()},
            reliability=[ours.results / "reliability.csv"],
            grid=f"{ours.grid} grid",
            of_slices=self.kind == "slices",
            is_siss=self.patients.is_siss,
            about=about,
            stamps=self.stamps,
        )
