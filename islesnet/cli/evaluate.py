"""`islesnet evaluate`: anybody's masks against the truth."""

from pathlib import Path
from typing import Annotated

import typer

from islesnet.cli.app import OutputFolder, app, console, messages
from islesnet.counts import counted


@app.command()
def evaluate(
    pred: Annotated[Path, typer.Option(help="Folder of masks: <patient>_lesion.nii.gz, or <patient>/mask.nii.gz ...")],
    truth: Annotated[Path, typer.Option(help="Folder of true masks, a labelled data set, or a datalist (.json).")],
    output: OutputFolder,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Data set or datalist with the images, for pictures and a DWI threshold; the truth, if it is one."
        ),
    ] = None,
    missing: Annotated[
        str, typer.Option(metavar="<refuse|empty>", help="A patient without a mask: refuse, or score as empty.")
    ] = "refuse",
    section: Annotated[
        str | None, typer.Option(help="Of the datalist, or of the one in the truth's folder; all by default.")
    ] = None,
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
    told = f"{counted(patients, 'patient')}, mean Dice {dice['mean']:.3f} -> {result.page}"
    console.print(told, highlight=False, soft_wrap=True)
    for patient, doubts in result.summary["remarks"].items():
        messages.print(f"note: {patient}: {'. '.join(doubts)}", highlight=False, soft_wrap=True)
    for patient, reason in result.failed.items():
        messages.print(f"failed: {patient}: {reason}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if result.failed else 0)
