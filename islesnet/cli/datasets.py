"""`islesnet phantom`, `datalist` and `doctor`: data sets made, split and checked."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track
from rich.table import Table

from islesnet.cli.app import app, console, messages
from islesnet.counts import counted
from islesnet.errors import InputError
from islesnet.sequences import SEQUENCES

if TYPE_CHECKING:
    from islesnet.data import Case


Layout = Annotated[
    str,
    typer.Option(metavar="<auto|bids|csv|folders|nnunet|siss2015>", help="How its files lie; auto finds out."),
]


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

    from islesnet.phantom import PhantomSettings, WideCohort, write_dataset, write_wide_dataset

    with Progress(console=messages) as bar:
        task = bar.add_task("Phantoms", total=patients)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if wide:
            cohort = WideCohort(patients, seed, (spacing, spacing), lesions)
            written = write_wide_dataset(folder, cohort, workers, tell)
        else:
            settings = PhantomSettings(spacing_mm=spacing, lesion_masks=lesions)
            written = write_dataset(folder, patients, seed, settings, workers, tell)
    console.print(f"{counted(len(written), 'synthetic patient')} in {folder}", highlight=False)


@app.command()
def datalist(
    folder: Annotated[Path, typer.Argument(help="A data set in any of the known layouts.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="By default datalist.json there.")] = None,
    layout: Layout = "auto",
    split: Annotated[
        tuple[float, float, float],
        typer.Option(
            metavar="<float> <float> <float>",
            help="Shares of training, validation and test patients. The default is --split 0.7 0.2 0.1.",
            show_default=False,  # which would stand there with commas
        ),
    ] = (0.7, 0.2, 0.1),
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set a datalist of another split aside as datalist_earlier_1.json.")
    ] = False,
) -> None:
    """Split a data set's patients, alike in lesion volume, into training, validation and test."""
    from islesnet.data import (
        detect_layout,
        find_cases,
        lesion_volume_ml,
        make_way_for_datalist,
        split_cases,
        write_datalist,
    )

    doctor_options = "" if layout == "auto" else f" --layout {layout}"
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
    aside = make_way_for_datalist(path, sections, replace)
    write_datalist(path, sections, folder if folder.is_dir() else folder.parent, about)
    _print_sections(sections, volumes)
    _print_counts(cases)
    console.print(f"{layout} layout, {counted(len(cases), 'patient')} -> {path}", highlight=False)
    if aside is not None:
        console.print(f"The earlier datalist is now {aside}", highlight=False, soft_wrap=True)
    checking = f"islesnet doctor {shlex.quote(str(folder))}{doctor_options}"
    console.print(f"The files were not checked; {checking} does that", highlight=False, soft_wrap=True)


@app.command()
def doctor(
    folder: Annotated[Path, typer.Argument(help="A data set, a patient's folder, or a datalist (.json).")],
    layout: Layout = "auto",
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
        cases = find_cases(folder, layout, with_lost=True)
    with Progress(console=messages, transient=True) as bar:
        task = bar.add_task("Checking", total=len(cases))
        problems = check_cases(cases, progress=lambda done, _: bar.update(task, completed=done))
    if problems:
        table = Table("patient", "file", "", "what is wrong")
        for problem in problems:
            table.add_row(problem.patient, problem.file.name if problem.file else "", problem.severity, problem.message)
        console.print(table)
    _print_counts(cases)
    errors = sum(problem.severity == "error" for problem in problems)
    told = f"{counted(errors, 'error')}, {counted(len(problems) - errors, 'warning')}"
    console.print(f"{counted(len(cases), 'patient')}: {told}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if errors else 0)


def _print_counts(cases: "list[Case]") -> None:
    """Say how many patients have which sequence, and the label, and who lacks what nearly all have.

    A 0 may be a name that was not understood.
    """
    told = []
    for role in (*SEQUENCES, "label"):
        without = [case.patient for case in cases if role not in case.files]
        few = f" (all but {', '.join(without)})" if 0 < len(without) <= min(3, len(cases) // 2) else ""
        told.append(f"{role} {len(cases) - len(without)}{few}")
    console.print(f"{counted(len(cases), 'patient')}: {', '.join(told)}", highlight=False, soft_wrap=True)


def _print_sections(sections: "dict[str, list[Case]]", volumes: dict[str, float]) -> None:
    import statistics

    table = Table("section", "patients", "median lesion (ml)")
    for section, cases in sections.items():
        known = [volumes[case.patient] for case in cases if case.patient in volumes]
        table.add_row(section, str(len(cases)), f"{statistics.median(known):.1f}" if known else "-")
    console.print(table)
