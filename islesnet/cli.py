"""The `islesnet` command: segment, evaluate, phantom, datalist, doctor."""

import logging
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

import islesnet
from islesnet.errors import InputError, input_error_behind

if TYPE_CHECKING:
    from islesnet.data import Case
    from islesnet.patients import RawScans

# What a command needs is imported inside it: `islesnet --help` loads neither torch, MONAI nor numpy.
app = typer.Typer(
    help="Segment ischemic stroke lesions on DWI, T1, T2 and FLAIR. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(markup=False)  # a patient may be called "[/b]"
messages = Console(stderr=True, markup=False)


class Sequence(StrEnum):
    """A sequence whose grid a mask can lie on."""

    dwi = "dwi"
    flair = "flair"
    t2 = "t2"
    t1 = "t1"


class BrainMaskWay(StrEnum):
    """How the brain is found in scans that show the skull."""

    auto = "auto"
    hd_bet = "hd-bet"
    template = "template"
    none = "none"


OutputFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")]


def main() -> None:
    """Run the command; what is the user's to mend is said in one sentence, without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        messages.print("islesnet: stopped.")
        sys.exit(130)
    except Exception as error:
        cause = input_error_behind(error)
        if cause is None:
            raise
        sys.stderr.write(f"islesnet: {cause}\n")
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"islesnet {islesnet.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _islesnet(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("ignite").setLevel(logging.CRITICAL)  # it announces every exception that is handled here
    logging.getLogger("matplotlib").setLevel(logging.WARNING)


@app.command()
def segment(
    output: OutputFolder,
    patients: Annotated[
        Path | None, typer.Argument(help="A patient's folder or a folder of patients: DICOM, NIfTI, NRRD, MHA.")
    ] = None,
    dwi: Annotated[Path | None, typer.Option(help="What is the DWI (b = 1000): a file or a DICOM series.")] = None,
    t1: Annotated[Path | None, typer.Option(help="What is the T1.")] = None,
    t2: Annotated[Path | None, typer.Option(help="What is the T2.")] = None,
    flair: Annotated[Path | None, typer.Option(help="What is the FLAIR.")] = None,
    adc: Annotated[Path | None, typer.Option(help="What is the ADC map, for the report.")] = None,
    b0: Annotated[
        Path | None, typer.Option(help="What is the b = 0 image, for an ADC map where there is none.")
    ] = None,
    brain: Annotated[Path | None, typer.Option(help="A brain mask of this one patient.")] = None,
    name: Annotated[str | None, typer.Option(help="What one patient's results are called.")] = None,
    one_patient: Annotated[bool, typer.Option(help="The folder is one patient's, however it looks.")] = False,
    reference: Annotated[
        Sequence | None, typer.Option(help="Whose grid the mask lies on: by default the first of dwi, flair, t2, t1.")
    ] = None,
    brain_mask: Annotated[BrainMaskWay, typer.Option(help="How the brain is found.")] = BrainMaskWay.auto,
    bias_correction: Annotated[bool, typer.Option(help="Take the coils' shading out of raw scans.")] = False,
    model: Annotated[Path | None, typer.Option(help="Weights, if not the bundle's own.")] = None,
    spacing: Annotated[
        float | None, typer.Option(help="mm, where the model was trained with another than 1.5.")
    ] = None,
    probability: Annotated[bool, typer.Option(help="Write the probability map too.")] = False,
    flips: Annotated[bool, typer.Option(help="Average over left-right flips: twice the time.")] = False,
    report: Annotated[bool, typer.Option(help="Write each patient's report.")] = True,
    again: Annotated[bool, typer.Option(help="Do patients again that an earlier run has finished.")] = False,
) -> None:
    """Segment the lesions of patients, from the scanner's raw files or from prepared ones.

    Raw sequences are told apart, registered and the brain is found; files on one grid are used as they are. Each
    patient gets a mask on its reference's own grid and a folder with the report. Begun again after an interruption, it
    goes on with the patients that are left. The table's last column says in a word or two why a mask is not to be
    trusted; the report says it in sentences.
    """
    named = {"dwi": dwi, "t1": t1, "t2": t2, "flair": flair, "adc": adc, "b0": b0}
    cases = _patients(
        patients, {role: path for role, path in named.items() if path is not None}, brain, name, one_patient
    )

    from islesnet.data import REFERENCE_ORDER
    from islesnet.segment import segment_cases

    choices: dict[str, object] = {
        "save_probability": probability,
        "brain_mask": brain_mask.value,
        "bias_correction": bias_correction,
        "report": report,
        "again": again,
    }
    if spacing is not None:
        choices["spacing"] = [spacing] * 3
    if flips:
        choices["test_time_flips"] = [0]
    if reference is not None:
        order = [reference.value, *(other for other in REFERENCE_ORDER if other != reference.value)]
        choices["reference_order"] = order
    began = time.time()
    try:
        segment_cases(cases, output, model, choices)
    finally:
        _print_volumes(output, cases, began)


@app.command()
def evaluate(
    pred: Annotated[Path, typer.Option(help="Folder of masks: <patient>_lesion.nii.gz, or <patient>/mask.nii.gz ...")],
    truth: Annotated[Path, typer.Option(help="Folder of true masks, a labelled data set, or a datalist (.json).")],
    output: OutputFolder,
    images: Annotated[
        Path | None, typer.Option(help="Data set or datalist with the images: for pictures and a DWI threshold beside.")
    ] = None,
    missing: Annotated[str, typer.Option(help="A patient without a mask: refuse, or score as empty.")] = "refuse",
    section: Annotated[str | None, typer.Option(help="Of the datalist; all by default.")] = None,
    dataset_dir: Annotated[
        Path | None, typer.Option(help="The data set's folder, where a datalist lies elsewhere.")
    ] = None,
) -> None:
    """Score any system's masks against the truth, patient by patient; exits with 1 where a patient failed."""
    from rich.progress import Progress

    from islesnet.evaluation import evaluate as score

    with Progress(console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task("Scoring", total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        result = score(pred, truth, output, images, missing, section, dataset_dir, progress=tell)
    dice, patients = result.summary["measures"]["dice"], result.summary["patients"]
    console.print(
        f"{patients} patients, mean Dice {dice['mean']:.3f} -> {result.page}", highlight=False, soft_wrap=True
    )
    for patient, reason in result.failed.items():
        messages.print(f"failed: {patient}: {reason}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if result.failed else 0)


@app.command()
def phantom(
    folder: Annotated[Path, typer.Argument(help="Where the synthetic data set is written, in the SISS 2015 layout.")],
    patients: Annotated[int, typer.Option("--patients", "-n", min=1, help="How many.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 0,
    spacing: Annotated[float, typer.Option(help="Edge of the voxels in mm; SISS has 1.")] = 1.0,
    lesions: Annotated[Path | None, typer.Option(help="Folder of lesion masks in MNI space to use.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one per core by default.")] = None,
    wide: Annotated[
        bool, typer.Option(help="As varied as clinics are, skull on or off, all stages; interrupted, it goes on.")
    ] = False,
) -> None:
    """Write synthetic stroke patients: DWI, T1, T2, FLAIR and the true lesion."""
    from rich.progress import Progress

    from islesnet.phantom import PhantomSettings, write_dataset, write_wide_dataset

    with Progress(console=messages) as bar:
        task = bar.add_task("Phantoms", total=patients)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if wide:
            written = write_wide_dataset(folder, patients, seed, spacing, lesions, workers, tell)
        else:
            settings = PhantomSettings(spacing_mm=spacing, lesion_masks=lesions)
            written = write_dataset(folder, patients, seed, settings, workers, tell)
    console.print(f"{len(written)} synthetic patients in {folder}", highlight=False)


@app.command()
def datalist(
    folder: Annotated[Path, typer.Argument(help="A data set in any of the known layouts.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="By default datalist.json there.")] = None,
    layout: Annotated[str, typer.Option(help="auto finds it.")] = "auto",
    split: Annotated[
        tuple[float, float, float], typer.Option(help="Shares of training, validation and test patients.")
    ] = (0.7, 0.2, 0.1),
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
) -> None:
    """Split a data set's patients, alike in lesion volume, into training, validation and test."""
    from islesnet.data import detect_layout, find_cases, lesion_volume_ml, split_cases, write_datalist

    layout = detect_layout(folder) if layout == "auto" else layout
    cases = find_cases(folder, layout)
    labelled = [case for case in cases if case.label is not None]
    volumes = {
        case.patient: lesion_volume_ml(case)
        for case in track(labelled, "Lesion volumes", console=messages, transient=True)
    }
    sections = split_cases(cases, split, seed, volumes)
    path = output or (folder if folder.is_dir() else folder.parent) / "datalist.json"
    about = {"layout": layout, "seed": seed, "split": split, "volumes_ml": volumes}
    write_datalist(path, sections, folder if folder.is_dir() else folder.parent, about)
    _print_sections(sections, volumes)
    console.print(f"{layout} layout, {len(cases)} patients -> {path}", highlight=False)


@app.command()
def doctor(
    folder: Annotated[Path, typer.Argument(help="A data set, a patient's folder, or a datalist (.json).")],
    layout: Annotated[str, typer.Option(help="auto finds it.")] = "auto",
    dataset_dir: Annotated[
        Path | None, typer.Option(help="The data set's folder, where a datalist lies elsewhere.")
    ] = None,
) -> None:
    """Check every file of a data set and list what is wrong; exits with 1 where something must be mended."""
    from rich.progress import Progress

    from islesnet.data import cases_in_datalist, check_cases, find_cases

    if folder.suffix == ".json":
        cases = [case for section in cases_in_datalist(folder, dataset_dir).values() for case in section]
    elif dataset_dir is not None:
        raise InputError(f"--dataset-dir is for a datalist; {folder} is none.")
    else:
        cases = find_cases(folder, layout)
    with Progress(console=messages, transient=True) as bar:
        task = bar.add_task("Checking", total=len(cases))
        problems = check_cases(cases, progress=lambda done, _: bar.update(task, completed=done))
    if problems:
        table = Table("patient", "file", "", "what is wrong")
        for problem in problems:
            table.add_row(problem.patient, problem.file.name if problem.file else "", problem.severity, problem.message)
        console.print(table)
    errors = sum(problem.severity == "error" for problem in problems)
    console.print(
        f"{len(cases)} patients: {errors} errors, {len(problems) - errors} warnings", highlight=False, soft_wrap=True
    )
    raise typer.Exit(1 if errors else 0)


def _patients(
    folder: Path | None, named: dict[str, Path], brain: Path | None, name: str | None, one_patient: bool
) -> "list[Case | RawScans]":
    """Find the patients that the command line means."""
    from islesnet.data import name_of_patient
    from islesnet.patients import RawScans, find_patients

    if folder is None:
        if not named:
            raise InputError("Give a folder of patients, or one patient's scans (--dwi, --t1, --t2, --flair).")
        return [RawScans(name or "patient", None, named, brain)]
    if named or brain is not None or name is not None:  # said of one patient
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; give the folder of one patient's scans")
        return [RawScans(name or name_of_patient(folder.resolve()), folder, named, brain)]
    return find_patients(folder, one_patient)


def _print_volumes(output: Path, cases: "list[Case | RawScans]", began: float) -> None:
    import json

    table = Table("patient", "lesions", "volume (ml)", "report or mask", "check")
    written = [output / f"{case.patient}_lesion.json" for case in cases]
    # An earlier run's numbers of a patient that failed in this one are not shown.
    finished = [path for path in written if path.is_file() and path.stat().st_mtime >= began]
    for path in finished:
        numbers = json.loads(path.read_text())
        report = output / numbers["patient"] / "report.html"
        mask = output / f"{numbers['patient']}_lesion.nii.gz"
        count, volume_ml = str(numbers["lesion_count"]), f"{numbers['lesion_volume_ml']:.2f}"
        table.add_row(
            numbers["patient"],
            count,
            volume_ml,
            os.fspath(report if report.is_file() else mask),
            numbers.get("trust", {}).get("in_short", ""),
        )
    if finished:
        console.print(table)


def _print_sections(sections: "dict[str, list[Case]]", volumes: dict[str, float]) -> None:
    import statistics

    table = Table("section", "patients", "median lesion (ml)")
    for section, cases in sections.items():
        known = [volumes[case.patient] for case in cases if case.patient in volumes]
        table.add_row(section, str(len(cases)), f"{statistics.median(known):.1f}" if known else "-")
    console.print(table)
