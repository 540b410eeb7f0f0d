"""The whole way on synthetic patients: the shipped model on a new patient; then data, training and evaluation.

    python -m workflows.demo [--folder demo]

Every step is a command that a user would type; it is printed before it runs.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from islesnet.data import SEQUENCES, Case, cases_in_datalist
from islesnet.errors import InputError
from islesnet.evaluation.masks import read_masks
from islesnet.evaluation.scan import open_scan, read_scan
from islesnet.metrics import VoxelCounts
from islesnet.phantom import PhantomSettings, make_patient, write_patient
from islesnet.report import draw_patient
from islesnet.stamps import PHANTOM
from workflows.baselines import choose_threshold, pair_of
from workflows.command_line import answer, command_line, say_step
from workflows.commands import run, run_bundle

PATIENTS = 60
SPLIT = ("0.7", "0.1", "0.2")
SPACING_MM = 2.0
NEW_PATIENT_SEED = 2022


def main(words: Sequence[str] | None = None) -> int:
    """Run the demo."""
    parser = command_line("demo", __doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="for everything; emptied at every run")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's number")
    return answer(parser, demonstrate, words, goes_on=False)


def demonstrate(arguments: argparse.Namespace) -> int:
    """Segment with the shipped model; then make data, train, evaluate, segment and report."""
    began = time.monotonic()
    folder = arguments.folder.resolve()
    make_anew(folder)
    new_patient = make_new_patient(folder)
    segment_with_shipped_model(new_patient, folder)
    dataset = make_dataset(folder)
    train(dataset, folder, arguments.epochs)
    segment(dataset, new_patient, folder)
    report(dataset, new_patient, folder)
    print(f"\nThe demo took {(time.monotonic() - began) / 60:.1f} minutes.")
    return 0


def make_anew(folder: Path) -> None:
    """Empty an earlier demo's folder.

    Raises:
        InputError: where it holds anything else.
    """
    marker = folder / ".islesnet_demo"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise InputError(
            f"{folder} is not empty and was not made by an earlier demo; name another folder with --folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    marker.touch()


def make_new_patient(folder: Path) -> Case:
    """Write a synthetic patient who comes to a clinic with a DWI and other sequences."""
    settings = PhantomSettings(spacing_mm=SPACING_MM, volume_ml=(10.0, 60.0))
    home = write_patient(folder / "new_patients" / "anna", make_patient(NEW_PATIENT_SEED, settings), with_label=True)
    # The truth is kept aside: the new patient's folder holds scans alone, as a clinic's does.
    truth = (home / "label.nii.gz").rename(folder / "anna_truth.nii.gz")
    return Case("anna", {sequence: home / f"{sequence}.nii.gz" for sequence in SEQUENCES}, truth)


def segment_with_shipped_model(new_patient: Case, folder: Path) -> None:
    """Segment the new patient with the weights of the bundle, and say how well that went."""
    say_step("1. A new patient, with the shipped model")
    began = time.monotonic()
    run("islesnet", "segment", patients_folder(new_patient), "-o", folder / "shipped_model")
    seconds = time.monotonic() - began
    masks = read_masks(pair_of(new_patient, folder / "shipped_model"))
    dice = VoxelCounts.of(masks.prediction, masks.truth).dice
    page = folder / "shipped_model" / new_patient.patient / "report.html"
    print(f"Dice {dice:.3f} on a synthetic patient, in {seconds:.0f} s; the report: {page}")


def patients_folder(case: Case) -> Path:
    """Name the folder of patients that a patient's folder lies in."""
    return next(iter(case.sequences.values())).parent.parent


def make_dataset(folder: Path) -> Path:
    """Write a synthetic data set in the SISS 2015 layout with its datalist."""
    dataset = folder / "SISS2015_Training"
    say_step(f"2. {PATIENTS} synthetic patients")
    run("islesnet", "phantom", dataset, "--patients", PATIENTS, "--spacing", SPACING_MM, "--seed", 1)
    run("islesnet", "datalist", dataset, "--split", *SPLIT)
    return dataset


def train(dataset: Path, folder: Path, epochs: int | None) -> None:
    """Train with the demo's recipe."""
    say_step("3. Training, from scratch")
    places = ("--dataset_dir", dataset, "--output_dir", folder / "training", "--ckpt_dir", folder / "models")
    longer = () if epochs is None else ("--epochs", epochs)
    run_bundle("training", "--args_file", "recipes/training_demo.yaml", *places, *longer)


def segment(dataset: Path, new_patient: Case, folder: Path) -> None:
    """Evaluate on the test patients, and segment the new one."""
    weights = ("--checkpoint", folder / "models" / "model.pt")
    say_step("4. Evaluation on the test patients")
    output = ("--output_dir", folder / "evaluation")
    run_bundle("evaluating", "--args_file", "recipes/evaluate.yaml", "--dataset_dir", dataset, *output, *weights)
    say_step("5. Inference on the new patient")
    places = ("--dataset_dir", patients_folder(new_patient), "--output_dir", folder / "inference")
    run_bundle("inference", "--config_file", "configs/inference.yaml", *places, *weights)


def report(dataset: Path, new_patient: Case, folder: Path) -> None:
    """Print the table and where everything lies."""
    sections = cases_in_datalist(dataset / "datalist.json")
    deviations = choose_threshold(sections["training"], PATIENTS)
    if deviations is None:
        raise InputError(f"{dataset}: no training patient has a DWI")
    rows = [score(case, folder / "evaluation", deviations) for case in sections["test"]]
    trained = score(new_patient, folder / "inference", deviations)
    shipped = score(new_patient, folder / "shipped_model", deviations)
    shipped["patient"] = f"{new_patient.patient}, shipped model"
    table = pd.DataFrame([*rows, trained, shipped]).set_index("patient")
    means = pd.DataFrame(rows).drop(columns="patient").mean()
    table.loc[f"mean of {len(rows)} test"] = means
    say_step("6. Results")
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))
    print(
        f"\nMean Dice on {len(rows)} test patients: {means['Dice']:.3f} the trained network, "
        f"{means['DWI threshold']:.3f} a DWI threshold (median + {deviations:g} robust\n"
        "deviations, the best on the training patients). The patients are synthetic: the figures show that every step\n"
        "works, not how well it works on people. The network trained here saw phantoms of the new patient's own kind;\n"
        "the shipped model saw phantoms of many kinds, so that it is of use on people too (bundle/docs/README.md)."
    )
    picture = draw(new_patient, folder)
    print(f"\nMasks of the test patients  {folder / 'evaluation'}")
    print(f"Mask of the new patient     {folder / 'inference' / (new_patient.patient + '_lesion.nii.gz')}")
    print(f"Report of the new patient   {folder / 'inference' / new_patient.patient / 'report.html'}")
    print(f"Overlay picture             {picture}")
    print(f"TensorBoard                 tensorboard --logdir {folder / 'training' / 'tensorboard'}")


def score(case: Case, masks: Path, deviations: float) -> dict[str, str | float]:
    """Score a patient's mask, and the DWI threshold on the same patient."""
    scan = read_scan(pair_of(case, masks), case)
    scores = scan.score(scan.masks.prediction)
    return {
        "patient": case.patient,
        "Dice": scores.dice,
        "DWI threshold": scan.score_threshold(deviations).dice,
        "precision": scores.precision,
        "sensitivity": scores.sensitivity,
        "specificity": scores.specificity,
        "accuracy": scores.accuracy,
        "(empty mask)": scores.empty_mask_accuracy,
        "ml": scores.predicted_ml,
        "true ml": scores.true_ml,
    }


def draw(case: Case, folder: Path) -> Path:
    """Draw the slice where the new patient's lesion is largest."""
    images, truth, mask = open_scan(pair_of(case, folder / "inference"), case)
    title = f"{case.patient}, a synthetic patient: the mask of the network that this demo trained"
    return draw_patient(images, truth, mask, folder / f"{case.patient}_overlay.png", title, [PHANTOM])


if __name__ == "__main__":
    sys.exit(main())
