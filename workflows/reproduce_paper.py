"""Reproduce the paper: its recipe on its data, to its tables and figures, with the statistics it lacks.

    python -m workflows.reproduce_paper --data SISS2015_Training --out results/paper
    python -m workflows.reproduce_paper --data phantom --quick --out results/phantom

F. Aboudi, C. Drissi, T. Kraiem, "A Hybrid ResNet50-UNet Model for Ischemic Stroke Brain Segmentation from MRI Images",
IJCSNS 22(11), 2022. One network for each of FLAIR, DWI and T1 (the paper's figures 7-9), one for all four sequences,
and beside them the default recipe, a plain U-Net trained as long as that, an empty mask and a DWI threshold. Where the
paper contradicts itself, an option chooses. `--data phantom` makes 28 synthetic patients with SISS's volumes.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from islesnet.data import slice_thickness_mm
from islesnet.files import require_writable
from workflows.claims import alone_in
from workflows.command_line import answer, command_line, say_failures, say_step
from workflows.comparison import write_comparison
from workflows.datasets import SISS_SPACING_MM, open_patients
from workflows.experiment import Experiment, run_all
from workflows.machine import add_at_once, shares_of_machine
from workflows.paper_choices import Choices
from workflows.paper_figures import draw_figures
from workflows.paper_split import Split
from workflows.run_record import say_missing, say_steps, write_run_provenance
from workflows.systems import add_pretrained, systems_named

# The first is the one the report is about; then the paper's figures 7, 8 and 9, and what to compare with.
DEFAULT_SYSTEMS = ("paper_all", "paper_flair", "paper_dwi", "paper_t1", "default", "plain_unet")
QUICK_SPACING_MM = 2.0


def main(words: Sequence[str] | None = None) -> int:
    """Run the reproduction."""
    parser = command_line("reproduce_paper", __doc__)
    parser.add_argument("--data", required=True, help='the folder SISS2015_Training, another data set, or "phantom"')
    parser.add_argument("--out", type=Path, default=Path("results/paper"), help="folder for everything")
    parser.add_argument("--quick", action="store_true", help="2 mm, few steps: within ten minutes on two cores")
    parser.add_argument("--systems", nargs="+", default=list(DEFAULT_SYSTEMS), help="what is trained")
    parser.add_argument(
        "--split", choices=("patients", "slices"), default="patients", help="slices: LEAKY, as in many papers"
    )
    parser.add_argument("--grid", choices=("native", "network"), default="native", help="that the masks are scored on")
    parser.add_argument(
        "--head",
        choices=("softmax", "sigmoid"),
        default="softmax",
        help="softmax with cross-entropy, or sigmoid with binary cross-entropy",
    )
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
    began, out = time.time(), arguments.out.absolute()
    require_writable(out)
    choices = Choices.of(arguments)
    shares = shares_of_machine(arguments.at_once)
    systems = [choices.apply(system) for system in systems_named(arguments.systems)]
    with alone_in(out):
        spacing_mm = QUICK_SPACING_MM if arguments.quick else SISS_SPACING_MM
        patients = open_patients(arguments.data, out, spacing_mm, 28, arguments.seed)
        if arguments.split == "slices":
            systems = [system.on_slices_of(slice_thickness_mm(patients.cases)) for system in systems]
        split = Split.make(patients, arguments.split, choices.stamps, arguments.seed, out)
        planned = {system.name: split.experiment(system, arguments, choices.pace, out) for system in systems}
        return _train_and_report(out, split, planned, shares, arguments, choices.remarks, began)


def _train_and_report(
    out: Path,
    split: Split,
    planned: dict[str, Experiment],
    shares: Sequence[Mapping[str, str]],
    arguments: argparse.Namespace,
    remarks: Sequence[str],
    began: float,
) -> int:
    counts = ", ".join(f"{len(cases)} {section}" for section, cases in split.sections.items())
    say_step(f"{len(split.patients.cases)} patients ({counts}), systems: {', '.join(planned)}")
    failures = run_all(list(planned.values()), shares)
    done = {name: experiment for name, experiment in planned.items() if experiment.is_done}
    say_failures("reproduce_paper", failures)
    if not done:
        return 1

    say_step("Report")
    by_steps = {name: [experiment] for name, experiment in done.items()}
    said = [*remarks, say_steps(by_steps), *say_missing(planned, done)]
    figures = draw_figures(split.sections["test"], done, out / "pictures", split.stamps)
    page = write_comparison(out, replace(split.compare(done, " ".join(filter(None, said))), figures=figures))
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


if __name__ == "__main__":
    sys.exit(main())
