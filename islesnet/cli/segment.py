"""`islesnet segment`: patients in, masks and reports out."""

import os
import time
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from islesnet.cli.app import OutputFolder, app, console, messages
from islesnet.errors import FailedPatientsError, InputError
from islesnet.sequences import REFERENCE_ORDER

if TYPE_CHECKING:
    from islesnet.data import Case
    from islesnet.patients import RawScans


NAMELESS = "patient"


class Reference(StrEnum):
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
        Reference | None, typer.Option(help="Whose grid the mask lies on: by default the first of dwi, flair, t2, t1.")
    ] = None,
    brain_mask: Annotated[BrainMaskWay, typer.Option(help="How the brain is found.")] = BrainMaskWay.auto,
    bias_correction: Annotated[
        bool | None,
        typer.Option(help="Take the coils' shading out, or leave it in. By default as the weights need it."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Weights, if not the bundle's own.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Probability from which a voxel is lesion, if not the weights' own.")
    ] = None,
    minimum_lesion_ml: Annotated[
        float | None, typer.Option(help="Smaller lesions are left out; by default as the weights need it.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1. By default a GPU where there is one.")
    ] = None,
    probability: Annotated[bool, typer.Option(help="Write the probability map too.")] = False,
    flips: Annotated[bool, typer.Option(help="Average over left-right flips: twice the time.")] = False,
    report: Annotated[bool, typer.Option(help="Write each patient's report.")] = True,
    again: Annotated[bool, typer.Option(help="Do patients again that an earlier run has finished.")] = False,
) -> None:
    """Segment the lesions of patients, from the scanner's raw files or from prepared ones.

    Raw sequences are told apart, registered and the brain is found; files on one grid are used as they are. Each
    patient gets a mask on its reference's own grid and a folder with the report. Begun again after an interruption, a
    folder of patients goes on with those that are left. The table's last column says in a word or two why a mask is
    not to be trusted; the report says it in sentences.
    """
    if patients is None and name is None and not again:
        _require_unused(output)
    named = {"dwi": dwi, "t1": t1, "t2": t2, "flair": flair, "adc": adc, "b0": b0}
    cases = _patients(
        patients, {role: path for role, path in named.items() if path is not None}, brain, name, one_patient
    )

    from islesnet.segment import segment_cases

    choices: dict[str, object] = {
        "save_probability": probability,
        "brain_mask": brain_mask.value,
        "report": report,
        "again": again,
    }
    asked = {
        "bias_correction": bias_correction,
        "threshold": threshold,
        "minimum_lesion_ml": minimum_lesion_ml,
        "device": device,
    }
    choices |= {name: value for name, value in asked.items() if value is not None}
    if flips:
        choices["test_time_flips"] = [0]
    if reference is not None:
        order = [reference.value, *(other for other in REFERENCE_ORDER if other != reference.value)]
        choices["reference_order"] = order
    began = time.time()
    try:
        segment_cases(cases, output, model, choices)
    except FailedPatientsError as failure:
        sound = [case.patient for case in cases if case.patient not in failure.patients]
        _print_volumes(output, sound, began if failure.is_stopped else 0.0)
        raise
    except BaseException as stop:
        if isinstance(stop, KeyboardInterrupt):
            messages.print("Stopped. The same command goes on with the patients that are left.")
        _print_volumes(output, [case.patient for case in cases], began)
        raise
    _print_volumes(output, [case.patient for case in cases])


def _require_unused(output: Path) -> None:
    """Refuse to write a patient without a name over another's results."""
    if (output / f"{NAMELESS}_lesion.json").exists():
        raise InputError(
            f"{output} holds results of a patient without a name; say --name for this one, or --again to replace them"
        )


def _patients(
    folder: Path | None, named: dict[str, Path], brain: Path | None, name: str | None, one_patient: bool
) -> "list[Case | RawScans]":
    """Find the patients that the command line means."""
    from islesnet.data import name_of_patient
    from islesnet.patients import RawScans, find_patients

    if folder is None:
        if not named:
            raise InputError("Give a folder of patients, or one patient's scans (--dwi, --t1, --t2, --flair).")
        for said, path in {**named, "brain": brain}.items():
            if path is not None and not path.exists():
                raise InputError(f"--{said} {path} does not exist")
        return [RawScans(name or NAMELESS, None, named, brain)]
    if named or brain is not None or name is not None:  # said of one patient
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder; give the folder of one patient's scans")
        own = name or name_of_patient(Path(os.path.abspath(folder)))  # noqa: PTH100  - a link's name may be a pseudonym
        mask = None if brain is None else _here_or_in(folder, brain)
        scans = {role: _here_or_in(folder, path) for role, path in named.items()}
        return [RawScans(own, folder, scans, mask, one_patient)]
    return find_patients(folder, one_patient)


def _here_or_in(folder: Path, path: Path) -> Path:
    """Find what the user names, from where the command is typed or from the patient's folder, if not in both."""
    there = [place for place in dict.fromkeys((path, folder / path)) if place.exists()]
    if not there:
        raise InputError(f"{path} does not exist, neither here nor in {folder}")
    if len(there) > 1 and not there[0].samefile(there[1]):
        raise InputError(f"{path} is both {there[0].absolute()} and {there[1].absolute()}; give the whole path")
    return there[0]


def _print_volumes(output: Path, patients: Iterable[str], since: float = 0.0) -> None:
    """Print a row a patient, of numbers that were written since: where a run was stopped, earlier ones may be stale."""
    import json

    from islesnet.result_files import is_mask_edited

    table = Table("patient", "lesions", "volume (ml)", "check")
    written = [output / f"{patient}_lesion.json" for patient in patients]
    finished = [path for path in written if path.is_file() and path.stat().st_mtime >= since]
    for path in finished:
        numbers = json.loads(path.read_text())
        count, volume_ml = str(numbers["lesion_count"]), f"{numbers['lesion_volume_ml']:.2f}"
        in_short = numbers.get("trust", {}).get("in_short", "")
        if is_mask_edited(output, numbers["patient"]):
            in_short = _with_edited(in_short)
        table.add_row(numbers["patient"], count, volume_ml, in_short)
    if finished:
        console.print(table)
    page = output / "cohort.html"
    if finished:
        console.print(f"Masks and reports: {output}; all patients: {page}", soft_wrap=True)
    elif page.is_file() and page.stat().st_mtime >= since:
        console.print(f"No mask was made; all patients, with the reasons: {page}", soft_wrap=True)


def _with_edited(in_short: str) -> str:
    """Say among the few words on a mask that it is not the one that they are of."""
    topics = [topic for topic in in_short.removeprefix("note: ").split(", ") if topic not in ("", "ok")]
    is_noted = in_short in ("", "ok") or in_short.startswith("note: ")
    return f"{'note: ' if is_noted else ''}{', '.join(['mask edited', *topics])}"
