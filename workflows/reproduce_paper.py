"""Reproduce the paper: its recipe on its data, to its tables and figures, with the statistics it lacks.

    python -m workflows.reproduce_paper --data SISS2015_Training --out results/paper
    python -m workflows.reproduce_paper --data phantom --quick --out results/phantom

F. Aboudi, C. Drissi, T. Kraiem, "A Hybrid ResNet50-UNet Model for Ischemic Stroke Brain Segmentation from MRI Images",
IJCSNS 22(11), 2022. One network for each of FLAIR, DWI and T1 (the paper's figures 7-9), one for all four sequences,
and beside them the default recipe and a plain U-Net trained in as many steps, an empty mask and a DWI threshold. Where
the paper contradicts itself, an option chooses. `--data phantom` makes 28 synthetic patients with SISS's volumes.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from islesnet.data import Case, cases_in_datalist, lesion_volume_ml, split_cases, write_datalist, write_slice_split
from islesnet.errors import input_error_behind
from islesnet.files import require_writable
from islesnet.provenance import write_provenance
from islesnet.report import draw_patient, draw_sequences
from workflows.commands import say
from workflows.datasets import SISS_SPACING_MM, Patients, open_patients
from workflows.experiment import Experiment, run_all
from workflows.results import Comparison, open_scan, score_baselines, write_comparison
from workflows.systems import PAPER_SYSTEMS, RANDOM_ENCODER, Pace, System, encoder_weights, systems_named

# In the order of the paper's figures 7, 8 and 9; then what the paper does not show.
DEFAULT_SYSTEMS = ("paper_flair", "paper_dwi", "paper_t1", "paper_all", "default", "plain_unet")
FIGURES = {"paper_flair": 7, "paper_dwi": 8, "paper_t1": 9}
SPLIT = (0.7, 0.2, 0.1)
QUICK_SPACING_MM = 2.0
QUICK = Pace(epochs=4, steps_per_epoch=20)
# At 1e-5 a network moves nowhere in so few steps.
QUICK_PAPER_LEARNING_RATE = 1e-2


def main(words: Sequence[str] | None = None) -> int:
    """Run the reproduction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    parser.add_argument("--pretrained", default="imagenet", help='imagenet, a file of the weights, or "none"')
    parser.add_argument("--epochs", type=int, help="instead of each recipe's own")
    parser.add_argument("--seed", type=int, default=0, help="of the split, the trainings and the phantoms")
    try:
        return reproduce(parser.parse_args(words))
    except Exception as error:
        cause = input_error_behind(error)
        if cause is None:
            raise
        sys.stderr.write(f"reproduce_paper: {cause}\n")
        return 1


def reproduce(arguments: argparse.Namespace) -> int:
    """Split, train, score and report."""
    began = time.time()
    out: Path = arguments.out.absolute()
    require_writable(out)
    choices = Choices.of(arguments)
    systems = [choices.apply(system) for system in systems_named(arguments.systems)]
    spacing_mm = QUICK_SPACING_MM if arguments.quick else SISS_SPACING_MM
    patients = open_patients(arguments.data, out, spacing_mm, 28, arguments.seed)
    split = Split.make(patients, arguments.split, choices.stamps, arguments.seed, out)

    counts = ", ".join(f"{len(cases)} {section}" for section, cases in split.sections.items())
    say(f"{len(patients.cases)} patients ({counts}), {len(systems)} systems")
    pace = QUICK if arguments.quick else None
    experiments = {
        system.name: split.experiment(system, arguments.seed, pace, arguments.grid, out) for system in systems
    }
    failures = run_all(list(experiments.values()))
    if failures:
        sys.stderr.write("reproduce_paper: not all ended well; the same command goes on where it was.\n")
        sys.stderr.write("\n".join(failures) + "\n")
        return 1

    say("Report")
    page = write_comparison(out, split.compare(experiments, choices))
    figures = draw_figures(split, experiments, out / "pictures")
    write_provenance(
        out,
        began=began,
        config={"arguments": {name: str(value) for name, value in vars(arguments).items()}},
        seeds={"split, trainings and phantoms": arguments.seed},
        split={section: [case.patient for case in cases] for section, cases in split.sections.items()},
        weights=[experiment.weights for experiment in experiments.values()],
        datalist=split.datalist,
        stamps=split.stamps,
    )
    print(f"\nReport   {page}\nFigures  {', '.join(path.name for path in figures)} in {out / 'pictures'}")
    print(f"This run took {(time.time() - began) / 60:.1f} minutes.")
    return 0


@dataclass(frozen=True)
class Choices:
    """What was chosen where the paper contradicts itself, or where this run departs from it.

    Args:
        training: choices of the paper's systems, in training alone.
        everyone: choices of all systems, in training and use.
        is_quick: 2 mm and few steps.
        stamps: what the choices make of the outputs.
        remarks: how the run differs from the paper's text, a sentence each.
    """

    training: dict[str, object]
    everyone: dict[str, object]
    is_quick: bool
    stamps: tuple[str, ...]
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "Choices":
        """Read them off the command line."""
        pretrained = encoder_weights(arguments.pretrained, arguments.data)
        stamps, remarks = [], [_say_encoder(arguments.encoder, pretrained)]
        training: dict[str, object] = {"encoder_training": arguments.encoder, "pretrained": pretrained}
        everyone: dict[str, object] = {"head": arguments.head}
        if pretrained is False:
            stamps.append(RANDOM_ENCODER)
        if arguments.split == "slices":
            # The neighbours of a slice may be on the other side of the split.
            everyone["context"] = 0
            remarks.append(
                "Slices, not patients, were split: the same patients are on both sides, and every score is too high."
            )
        if arguments.quick:
            stamps.append("QUICK")
            training["learning_rate"] = QUICK_PAPER_LEARNING_RATE
            remarks.append(
                f"Quick: {QUICK.epochs} epochs of {QUICK.steps_per_epoch} steps of 16 slices at 2 mm; the paper's "
                f"recipe has a learning rate of {QUICK_PAPER_LEARNING_RATE:g}: at its 1e-5 nothing would be seen."
            )
        if arguments.epochs:
            everyone["epochs"] = arguments.epochs
            remarks.append(f"{arguments.epochs} epochs instead of each recipe's own.")
        return cls(training, everyone, arguments.quick, tuple(stamps), tuple(remarks))

    def apply(self, system: System) -> System:
        """Give a system these choices."""
        for_all = {name: value for name, value in self.everyone.items() if name != "epochs"}
        longer = {name: value for name, value in self.everyone.items() if name == "epochs"}
        chosen = (system.small() if self.is_quick else system).with_choices(for_all).trained_with(longer)
        return chosen.trained_with(self.training) if system.name in PAPER_SYSTEMS else chosen


def _say_encoder(training: str, pretrained: str | bool) -> str:
    origin = "from random weights, not ImageNet's (--pretrained FILE)" if pretrained is False else f"from {pretrained}"
    return f"The paper's recipe here: encoder {training}, {origin}; momentum 0.9 (the paper's 9 diverges)."


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
        """Split 70/20/10 as the paper, by patients alike in lesion volume, or by slices."""
        stamps = (*patients.stamps, *stamps)
        if kind == "slices":
            folder = out / "data" / f"slices_seed_{seed}"
            datalist = folder / "datalist.json"
            if not datalist.is_file():
                write_slice_split(patients.cases, folder, SPLIT, seed, stamps)
            sections = cases_in_datalist(datalist)
            return cls(patients, sections, folder, datalist, kind, (*stamps, "LEAKY"))
        sections = split_cases(patients.cases, SPLIT, seed, patients.volumes_ml)
        about = {"seed": seed, "split": SPLIT, "volumes_ml": patients.volumes_ml, "stamps": list(stamps)}
        write_datalist(out / "datalist.json", sections, patients.folder, about)
        return cls(patients, sections, patients.folder, out / "datalist.json", kind, stamps)

    def experiment(self, system: System, seed: int, pace: Pace | None, grid: str, out: Path) -> Experiment:
        """Plan a system on this split."""
        training = {**(pace.choices(len(self.sections["training"])) if pace else {}), "cache_dir": out / "cache"}
        return Experiment(
            out / "systems" / system.name, system, self.folder, self.datalist, seed, grid=grid, training=training
        )

    def compare(self, experiments: dict[str, Experiment], choices: Choices) -> Comparison:
        """Put the systems' scores together, and score the baselines on the same patients."""
        ours = next(iter(experiments.values()))
        is_siss = not self.stamps and any("VSD.Brain" in str(case.label) for case in self.patients.cases)
        volumes = {name: [lesion_volume_ml(case) for case in cases] for name, cases in self.sections.items()}
        return Comparison(
            title="The paper, reproduced: ResNet50-UNet on " + ("ISLES 2015 SISS" if is_siss else self.patients.name),
            by_system={name: experiment.scores() for name, experiment in experiments.items()},
            baselines=score_baselines(self.sections["training"], self.sections["test"]),
            data=f"{len(self.sections['test'])} test {self.kind_of_test} of {self.patients.name}, split by {self.kind}",
            cases={case.patient: case for case in self.sections["test"]},
            masks=None if ours.grid == "network" else {case.patient: ours.results for case in self.sections["test"]},
            tensorboard={name: experiment.tensorboard for name, experiment in experiments.items()},
            volumes_by_section=volumes,
            reliability=[ours.results / "reliability.csv"],
            grid=f"{ours.grid} grid",
            is_siss=is_siss,
            about=" ".join(choices.remarks),
            stamps=self.stamps,
        )

    @property
    def kind_of_test(self) -> str:
        """What a row of the scores is."""
        return "patients" if self.kind == "patients" else "stacks of slices"


def draw_figures(split: Split, experiments: dict[str, Experiment], folder: Path) -> list[Path]:
    """Draw the paper's figures 2, 7, 8 and 9; its figures 3, 10 and 11 are the report's own charts.

    All show one test patient: the one with the median lesion volume.
    """
    test = sorted(split.sections["test"], key=lesion_volume_ml)
    case = test[len(test) // 2]
    images, truth, _ = open_scan(case, None)
    figures = [draw_sequences(images, truth, folder / "figure_2.png", f"Patient {case.patient}", split.stamps)]
    for name, number in FIGURES.items():
        if name in experiments and experiments[name].grid == "native":
            images, truth, mask = open_scan(case, experiments[name].results)
            scores = experiments[name].scores().set_index("patient").loc[case.patient]
            title = f"{name.removeprefix('paper_').upper()} alone, patient {case.patient}\nDice {scores['dice']:.3f}"
            figures.append(draw_patient(images, truth, mask, folder / f"figure_{number}.png", title, split.stamps))
    return figures


if __name__ == "__main__":
    sys.exit(main())
