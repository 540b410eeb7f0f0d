"""Measure the rigid registration on synthetic patients moved by known rotations and shifts.

    python -m workflows.benchmark registration [--cases 100] [--spacing 1.5] [--output results/benchmark/registration]
    python -m workflows.benchmark registration --cases 40 --degrees 120 --shift 60    # beyond its reach: is it flagged?

Four cases a patient: T1, T2 and FLAIR to the DWI, and the DWI to the FLAIR. Every scan has 5 mm slices on an oblique
grid of its own (up to 20 degrees), its field of view off the brain's centre by up to 8 mm an axis; between the two the
head turns by up to 15 degrees and shifts by up to 20 mm, or by what is asked for. Every second patient has skull and
scalp. A case's error is the mean over the brain of the distance between where the registration and where the truth puts
a point.
"""

import argparse
import json
import time
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from islesnet.phantom import Phantom, PhantomSettings, make_patient
from islesnet.scanner import align
from islesnet.scanner.grids import image_of
from islesnet.scanner.rigid import inverse, mean_distance_mm, rigid_transform
from workflows.benchmark.records import Record, measured
from workflows.benchmark.scans import VOXEL_MM, Grid, random_shift, random_turn, scan
from workflows.command_line import answer, command_line

PAIRS = (("dwi", "t1"), ("dwi", "t2"), ("dwi", "flair"), ("flair", "dwi"))
MOST_DEGREES, MOST_MM, TILT_DEGREES, OFF_CENTRE_MM = 15.0, 20.0, 20.0, 8.0
SEED = 2015
GOOD_MM = 1.0


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark of the registration."""
    parser = command_line("benchmark registration", __doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--spacing", type=float, default=1.5, help="voxel edge of the synthetic heads in mm")
    parser.add_argument("--degrees", type=float, default=MOST_DEGREES, help="by which a head turns at most")
    parser.add_argument("--shift", type=float, default=MOST_MM, help="mm, by which it shifts at most")
    parser.add_argument("--output", type=Path, default=Path("results/benchmark/registration"))
    return answer(parser, measure, words)


def measure(chosen: argparse.Namespace) -> int:
    """Register every case not measured before, and print the errors, the flags and the times of all cases."""
    home = chosen.output / f"spacing_{chosen.spacing:g}_turn_{chosen.degrees:g}_shift_{chosen.shift:g}"
    measure_one = partial(
        measure_case, spacing_mm=chosen.spacing, most_degrees=chosen.degrees, most_shift_mm=chosen.shift
    )
    records = [measured(home / f"case_{case:03}.json", partial(measure_one, case)) for case in range(chosen.cases)]
    print(json.dumps(summary(records), indent=2))
    return 0


def measure_case(case: int, spacing_mm: float, most_degrees: float, most_shift_mm: float) -> Record:
    """Move one synthetic patient and register it back."""
    seed, (fixed_name, moving_name) = case // len(PAIRS), PAIRS[case % len(PAIRS)]
    patient, rng = _patient(seed, spacing_mm), np.random.default_rng((SEED, case))
    brain = np.argwhere(patient.brain)[::997]
    points = (brain @ patient.affine[:3, :3].T + patient.affine[:3, 3]) * [-1, -1, 1]
    centre = points.mean(axis=0)
    motion = rigid_transform(random_turn(rng, most_degrees), centre, random_shift(rng, most_shift_mm))
    fixed, moving = (
        scan(
            image_of(patient.images[name], patient.affine),
            Grid(
                VOXEL_MM[name], random_turn(rng, TILT_DEGREES), centre + rng.uniform(-OFF_CENTRE_MM, OFF_CENTRE_MM, 3)
            ),
            moved,
        )
        for name, moved in ((fixed_name, sitk.Transform()), (moving_name, motion))
    )
    began, began_cpu = time.perf_counter(), time.process_time()
    found = align(fixed, moving)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    truth = inverse(motion)
    return {
        "pair": f"{moving_name} to {fixed_name}",
        "has_skull": seed % 2 == 1,
        "motion_mm": round(mean_distance_mm(truth, sitk.Transform(), points), 2),
        "error_mm": round(mean_distance_mm(truth, found.transform, points), 3),
        "disagreement_mm": round(found.disagreement_mm, 3),
        "quality": round(found.quality, 4),
        "is_trusted": found.is_trusted,
        "reason": found.reason,
        "wall_s": round(wall_s, 2),
        "cpu_s": round(cpu_s, 2),
    }


def summary(records: Sequence[Record]) -> Record:
    """Sum the cases up."""
    errors = np.array([record["error_mm"] for record in records])
    is_bad = errors > GOOD_MM
    is_trusted = np.array([record["is_trusted"] for record in records])
    return {
        "cases": len(records),
        "within_1_mm": float(np.mean(~is_bad).round(3)),
        "error_mm": {"mean": errors.mean().round(3), "median": np.median(errors).round(3), "largest": errors.max()},
        "failures_flagged": int((is_bad & ~is_trusted).sum()),
        "failures_not_flagged": int((is_bad & is_trusted).sum()),
        "good_but_flagged": int((~is_bad & ~is_trusted).sum()),
        "motion_mm_mean": float(np.mean([record["motion_mm"] for record in records]).round(1)),
        "wall_s": _seconds([record["wall_s"] for record in records]),
        "cpu_s": _seconds([record["cpu_s"] for record in records]),
        "mean_error_mm_by_pair": {
            pair: float(np.mean([record["error_mm"] for record in records if record["pair"] == pair]).round(3))
            for pair in sorted({record["pair"] for record in records})
        },
    }


def _seconds(values: Sequence[float]) -> dict[str, float]:
    return {"mean": round(float(np.mean(values)), 2), "largest": max(values)}


@lru_cache(maxsize=1)
def _patient(seed: int, spacing_mm: float) -> Phantom:
    settings = PhantomSettings(spacing_mm=spacing_mm, is_skull_stripped=seed % 2 == 0, thick_slices_probability=0.0)
    return make_patient(seed, settings)
