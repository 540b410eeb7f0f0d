"""Measure the built-in brain mask on synthetic heads with skull, and on the real volumes whose mask is known.

    python -m workflows.benchmark brain_mask [--patients 6] [--wide] [--spacing 1.5] [--real DIR] [--output DIR]

Every sequence of every patient is scanned in 5 mm slices on an oblique grid of its own, as for the registration. Wide
heads differ in size, thickness of skull and scalp, face and neck, contrast, noise, and fields of view that are cut.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.phantom import PhantomSettings, make_patient
from islesnet.phantom.ranges import WIDE
from islesnet.scanner import find_brain, image_of, mask_on
from workflows.benchmark.real_volumes import add_real, why_left_out
from workflows.benchmark.records import Record, measured
from workflows.benchmark.scans import VOXEL_MM, Grid, random_turn, scan
from workflows.command_line import answer, command_line

TILT_DEGREES = 20.0


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark of the brain mask."""
    parser = command_line("benchmark brain_mask", __doc__)
    parser.add_argument("--patients", type=int, default=6)
    parser.add_argument("--wide", action="store_true", help="heads as varied as clinics'")
    parser.add_argument("--spacing", type=float, default=1.5, help="voxel edge of the synthetic heads in mm")
    add_real(parser)
    parser.add_argument("--output", type=Path, default=Path("results/benchmark/brain_mask"))
    return answer(parser, measure, words)


def measure(chosen: argparse.Namespace) -> int:
    """Find the brain in every scan not measured before, and print the Dice with the known brains, by sequence."""
    folder = chosen.output / f"{'wide_' if chosen.wide else ''}spacing_{chosen.spacing:g}"
    patients = [
        measured(folder / f"patient_{seed:03}.json", partial(measure_patient, seed, chosen.spacing, chosen.wide))
        for seed in range(chosen.patients)
    ]
    figures: Record = {sequence: _summary([patient[sequence] for patient in patients]) for sequence in VOXEL_MM}
    if reason := why_left_out(chosen.real):
        figures["real volumes"] = reason
    else:
        figures["glioma-1mm"] = measure_prepared(chosen.real / "glioma-1mm")
    print(json.dumps(figures, indent=2))
    return 0


def measure_patient(seed: int, spacing_mm: float, is_wide: bool) -> Record:
    """Find the brain in each sequence of a synthetic head, as far as the sequence shows it."""
    settings = PhantomSettings(spacing_mm=spacing_mm, is_skull_stripped=False, thick_slices_probability=0.0)
    if is_wide:
        settings = replace(settings, ranges=WIDE, noise=WIDE.noise, bias=WIDE.bias, stages=("acute",))
    patient, rng = make_patient(seed, settings), np.random.default_rng((2019, seed))
    truth = image_of(patient.brain.astype(np.float32), patient.affine)
    centre = np.array(truth.TransformContinuousIndexToPhysicalPoint([(size - 1) / 2 for size in truth.GetSize()]))
    record: Record = {}
    for sequence, voxel_mm in VOXEL_MM.items():
        grid = Grid(voxel_mm, random_turn(rng, TILT_DEGREES), centre)
        image = scan(image_of(patient.images[sequence], patient.affine), grid, sitk.Transform())
        seen = image_of((patient.brain * (patient.images[sequence] > 0)).astype(np.float32), patient.affine)
        began = time.process_time()
        found = find_brain(image, way="template")
        record[sequence] = {
            "dice": dice(found.mask, mask_on(image, seen)),
            "way": found.way,
            "cpu_s": round(time.process_time() - began, 2),
        }
    return record


def measure_prepared(folder: Path) -> Record:
    """Compare the brain found in prepared scans with the mask that came with them."""
    truth = sitk.ReadImage(str(next(folder.glob("*_mask.nii.gz"))))
    scans = sorted(path for path in folder.glob("*.nii.gz") if "_mask" not in path.name)
    found = {path.name: find_brain(sitk.ReadImage(str(path))) for path in scans}
    return {name: {"dice": dice(brain.mask, truth), "way": brain.way} for name, brain in found.items()}


def dice(found: sitk.Image, truth: sitk.Image) -> float:
    """Give the Dice coefficient of two masks on one grid."""
    first, second = (sitk.GetArrayViewFromImage(mask) > 0 for mask in (found, truth))
    return round(float(2 * (first & second).sum() / (first.sum() + second.sum())), 4)


def _summary(records: Sequence[Record]) -> Record:
    values = [record["dice"] for record in records]
    return {
        "scans": len(values),
        "dice_mean": round(float(np.mean(values)), 4),
        "dice_least": min(values),
        "cpu_s_mean": round(float(np.mean([record["cpu_s"] for record in records])), 2),
    }
