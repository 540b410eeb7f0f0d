"""Reproduce the paper: its recipe on its data, to its tables and figures, with the statistics it lacks.

    python -m workflows.reproduce_paper --data SISS2015_Training --out results/paper
    python -m workflows.reproduce_paper --data phantom --quick --out results/phantom

F. Aboudi, C. Drissi, T. Kraiem, "A Hybrid ResNet50-UNet Model for Ischemic Stroke Brain Segmentation from MRI Images",
IJCSNS 22(11), 2022. One network for each of FLAIR, DWI and T1 (the paper's figures 7-9), one for all four sequences,
and beside them the default recipe and a plain U-Net trained as long as it, an empty mask and a DWI threshold. Where
the paper contradicts itself, an option chooses. `--data phantom` makes 28 synthetic patients with SISS's volumes.
"""

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from islesnet.data import (
    Case,
    cases_in_datalist,
    lesion_volume_ml,
    slice_thickness_mm,
    split_cases,
    write_slice_split,
)
from islesnet.errors import InputError
from islesnet.files import require_writable
from islesnet.metrics import EMPTY_MASK
from workflows.claims import claim_folder
from workflows.commands import add_at_once, answer, command_line, say, say_failures, shares_of_machine
from workflows.datasets import (
    SISS_SPACING_MM,
    Patients,
    checksum_of_files,
    open_patients,
    require_stamps,
    write_split,
)
from workflows.experiment import Experiment, run_all
from workflows.paper_figures import draw_figures
from workflows.results import (
    Comparison,
    empty_mask_of,
    say_missing,
    say_steps,
    score_baselines,
    write_comparison,
    write_run_provenance,
)
from workflows.systems import (
    FINE_TUNED,
    PAPER_SYSTEMS,
    Pace,
    System,
    add_pretrained,
    encoder_weights,
    say_encoders,
    say_pace,
    shares_of,
    start_encoders,
    systems_named,
)

# The first is the one the report is about; then the paper's figures 7, 8 and 9, and what to compare with.
DEFAULT_SYSTEMS = ("paper_all", "paper_flair", "paper_dwi", "paper_t1", "default", "plain_unet")
SPLIT = (0.7, 0.2, 0.1)
QUICK_SPACING_MM = 2.0
QUICK = Pace(epochs=4, steps_per_epoch=10, patients_per_step=2)
# At 1e-5 a network moves nowhere in so few steps.
QUICK_PAPER_LEARNING_RATE = 1e-2


def main(words: Sequence[str] | None = None) -> int:
    """Run the reproduction."""
    parser = command_line("reproduce_paper", __doc__)
    parser.add_argument("--data", required=True, help='the folder SISS2015_Training, another data set, or "phantom"')
    parser.add_argument("--out", type=Path, default=Path("results/paper"), help="folder for everything")
    parser.add_argument("--quick", action="store_true", help="2 mm, few steps: within ten minutes on two cores")
    parser.add_argument("--systems", nargs="+", default=list(DEFAULT_SYSTEMS), help="what is trained")
    parser.add_argument(
        "--split", choices=("patients", "slices"), default="patients", help="slices: LEAKY, as many papers"
    )
    parser.add_argument("--grid", choices=("native", "network"), default="native", help="that the masks are scored on")
    parser.add_argument("--head", choices=("softmax", "sigmoid"), default="softmax", help="with cross-entropy, or BCE")
    parser.add_argument(
        "--encoder", choices=("frozen", "finetune", "staged"), default="frozen", help="of the paper's recipe"
    )
    add_pretrained(parser)
    parser.add_argument("--epochs", type=int, help="instead of each recipe's own")
    parser.add_argument("--seed", type=int, default=0, help="of the split, the trainings and the phantoms")
    add_at_once(parser)
    return answer(parser, reproduce, words)


def reproduce(arguments: argparse.Namespace) -> int:
    """Split, train, score and report."""
    began = time.time()
    out: Path = arguments.out.absolute()
    require_writable(out)
    choices = Choices.of(arguments)
    shares = shares_of_machine(arguments.at_once)
    systems = [choices.apply(system) for system in systems_named(arguments.systems)]
    spacing_mm = QUICK_SPACING_MM if arguments.quick else SISS_SPACING_MM
    patients = open_patients(arguments.data, out, spacing_mm, 28, arguments.seed)
    if arguments.split == "slices":
        systems = [system.on_slices_of(slice_thickness_mm(patients.cases)) for system in systems]
    split = Split.make(patients, arguments.split, choices.stamps, arguments.seed, out)

    counts = ", ".join(f"{len(cases)} {section}" for section, cases in split.sections.items())
    say(f"{len(patients.cases)} patients ({counts}), {len(systems)} systems")
    planned = {system.name: split.experiment(system, arguments, choices.pace, out) for system in systems}
    failures = run_all(list(planned.values()), shares)
    done = {name: experiment for name, experiment in planned.items() if experiment.is_done}
    say_failures("reproduce_paper", failures)
    if not done:
        return 1

    say("Report")
    by_steps = {name: [experiment] for name, experiment in done.items()}
    remarks = [*choices.remarks, say_steps(by_steps), *say_missing(planned, done)]
    figures = draw_figures(split.sections["test"], done, out / "pictures", split.stamps)
    page = write_comparison(out, replace(split.compare(done, " ".join(filter(None, remarks))), figures=figures))
    write_run_provenance(
        out,
        arguments,
        began=began,
        seeds={"split, trainings and phantoms": arguments.seed},
        split={section: [case.patient for case in cases] for section, cases in split.sections.items()},
        weights=[experiment.weights for experiment in done.values()],
        datalist=split.datalist,
        stamps=split.stamps,
    )
    shutil.rmtree(out / "cache", ignore_errors=True)
    print(f"\nReport   {page}\nFigures  {', '.join(path.name for path in figures.pictures)} in {out / 'pictures'}")
    print(f"This run took {(time.time() - began) / 60:.1f} minutes.")
    return 1 if failures else 0


@dataclass(frozen=True)
class Choices:
    """What was chosen where the paper contradicts itself, or where this run departs from it.

    Args:
        encoder: how the paper's encoder is trained.
        pretrained: what it starts from.
        everyone: choices of all systems, in training and use.
        epochs: of all systems; None leaves each recipe its own.
        pace: of a quick run.
        stamps: what the choices make of the outputs.
        remarks: how the run differs from the paper's text, a sentence each.
    """

    encoder: str
    pretrained: str | bool
    everyone: dict[str, object]
    epochs: int | None
    pace: Pace | None
    stamps: tuple[str, ...]
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Choices":
        """Read them off the command line.

        Raises:
            InputError: for choices that do not go together.
        """
        pretrained = encoder_weights(arguments.pretrained, arguments.data, arguments.systems)
        said, stamps = say_encoders(systems_named(arguments.systems), pretrained, arguments.encoder)
        remarks = [said]
        everyone: dict[str, object] = {"head": arguments.head}
        if arguments.head != "softmax" and FINE_TUNED in arguments.systems:
            raise InputError(f"--head {arguments.head}: the weights that {FINE_TUNED!r} starts from have a softmax")
        if arguments.split == "slices":
            if "volumetric" in arguments.systems:
                raise InputError("--split slices deals single slices: there is no volume for the system 'volumetric'")
            if FINE_TUNED in arguments.systems:
                raise InputError(
                    f"--split slices shows each slice alone; {FINE_TUNED!r} starts from weights that see three"
                )
            # The neighbours of a slice may be on the other side of the split.
            everyone["context"] = 0
            remarks.append(
                "Slices, not patients, were split: the same patients are on both sides, and every score is too high. "
                "Each slice is seen alone, without its neighbours. What hangs on neighbours (lesion counts, surface "
                "distances) is left out."
            )
        pace = None
        if arguments.epochs is not None and arguments.epochs < 1:
            raise InputError(f"--epochs is {arguments.epochs}: 1 or more")
        if arguments.encoder != "frozen" and not set(arguments.systems) & set(PAPER_SYSTEMS):
            raise InputError(f"--encoder {arguments.encoder} is of the paper's recipe, and none of the systems has it")
        if arguments.epochs == 1 and arguments.encoder == "staged":
            raise InputError("--encoder staged opens the encoder after a first epoch; --epochs is 1")
        if arguments.quick:
            pace = replace(QUICK, epochs=arguments.epochs or QUICK.epochs)
            stamps = (*stamps, "QUICK")
            remarks.append(f"Quick: {say_pace(pace, [system.small() for system in systems_named(arguments.systems)])}")
            if set(arguments.systems) & set(PAPER_SYSTEMS):
                remarks.append(
                    f"The paper's recipe has a learning rate of {QUICK_PAPER_LEARNING_RATE:g}, since at its 1e-5 "
                    "nothing would be seen."
                )
        elif arguments.epochs:
            remarks.append(f"{arguments.epochs} epochs instead of each recipe's own.")
        if arguments.grid == "network":
            remarks.append(
                "Scored on the network's grid, which is not the same for every system: their rows cannot be compared, "
                "and there are no masks for the paper's figures 7 to 9."
            )
        return cls(arguments.encoder, pretrained, everyone, arguments.epochs, pace, stamps, tuple(remarks))

    def apply(self, system: System) -> System:
        """Give a system these choices."""
        chosen = (system.small() if self.pace else system).with_choices(self.everyone)
        if self.epochs and not self.pace:
            chosen = chosen.trained_with({"epochs": self.epochs, **shares_of(self.epochs)})
        if self.pace and system.name in PAPER_SYSTEMS:
            chosen = chosen.trained_with({"learning_rate": QUICK_PAPER_LEARNING_RATE})
        (started,) = start_encoders([chosen], self.pretrained, self.encoder)
        return started


@dataclass(frozen=True)
class Split:
    """Who is trained on, validated on and tested on.

    Args:
        patients: all of them.
        sections: "training", "validation", "test".
        folder: that the datalist's paths are relative to.
        datalist: the split on disk.
        kind: "patients" or "slices".
        stamps: of every output.
    """

    patients: Patients
    sections: dict[str, list[Case]]
    folder: Path
    datalist: Path
    kind: str
    stamps: tuple[str, ...]

    @classmethod
    def make(cls, patients: Patients, kind: str, stamps: tuple[str, ...], seed: int, out: Path) -> "Split":
        """Split 70/20/10 as the paper, by patients alike in lesion volume, or by slices.

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


if __name__ == "__main__":
    sys.exit(main())
