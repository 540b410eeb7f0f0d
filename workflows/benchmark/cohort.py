"""Measure time and memory of the whole way for a cohort of raw synthetic patients, patient by patient.

    python -m workflows.benchmark cohort [--patients 50] [--model MODEL] [--output results/benchmark/cohort]

Every patient has DWI, T1, T2 and FLAIR (or --sequences) in 5 mm slices with skull and scalp, each on an oblique grid
of its own, the head moved between them. `islesnet segment` runs in a process of its own, whose resident memory is read
twice a second; a patient ends when its numbers are written. Without --model an untrained network of the bundle's size
is used. It marks nearly everything, which makes reports as long as they can get.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import SimpleITK as sitk  # noqa: N813

from islesnet.files import whole_file
from islesnet.phantom import PhantomSettings, make_patient
from islesnet.report import write_csv
from islesnet.scanner import affine_of, image_of
from islesnet.scanner.rigid import rigid_transform
from islesnet.volumes.file_names import natural_key
from workflows.benchmark.bundle import random_weights
from workflows.benchmark.scans import VOXEL_MM, Grid, random_shift, random_turn, scan
from workflows.command_line import answer, command_line

HEADS = 5  # different ones; their positions differ in every patient
HEAD_MM = 1.5
SECONDS_BETWEEN_LOOKS = 0.5
MOST_DEGREES, MOST_MM, TILT_DEGREES = 10.0, 10.0, 15.0


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark of a cohort."""
    parser = command_line("benchmark cohort", __doc__)
    parser.add_argument("--patients", type=int, default=50)
    parser.add_argument("--sequences", nargs="+", choices=list(VOXEL_MM), default=list(VOXEL_MM))
    parser.add_argument("--model", type=Path, help="weights; an untrained network by default")
    parser.add_argument("--output", type=Path, default=Path("results/benchmark/cohort"))
    return answer(parser, measure, words, goes_on=False)


def measure(chosen: argparse.Namespace) -> int:
    """Make the patients that are missing, segment all of them in one process, and print the time and memory of each."""
    patients = chosen.output / "patients"
    for number in range(chosen.patients):
        write_raw_patient(patients / f"raw_{number:03}", number, chosen.sequences)
    weights, results = chosen.model or random_weights(chosen.output), chosen.output / "results"
    command = [Path(sys.executable).parent / "islesnet", "segment", patients, "-o", results, "--model", weights]
    table = watch([*map(str, command), "--again"], results)
    write_csv(table, chosen.output / "cohort.csv")
    print(table.to_string(index=False))
    print(json.dumps(summary(table), indent=2))
    return 0


def write_raw_patient(folder: Path, number: int, sequences: Sequence[str]) -> None:
    """Write one patient's scans, each moved and on a grid of its own, where they are not there yet."""
    if all((folder / f"{name}.nii.gz").is_file() for name in sequences):
        return
    head = make_patient(number % HEADS, PhantomSettings(spacing_mm=HEAD_MM, is_skull_stripped=False))
    rng = np.random.default_rng((2015, number))
    inside = np.argwhere(head.brain)[::997]
    centre = ((inside @ head.affine[:3, :3].T + head.affine[:3, 3]) * [-1, -1, 1]).mean(axis=0)
    for name, voxel_mm in VOXEL_MM.items():
        motion = rigid_transform(random_turn(rng, MOST_DEGREES), centre, random_shift(rng, MOST_MM))
        grid = Grid(voxel_mm, random_turn(rng, TILT_DEGREES), centre)
        seen = scan(image_of(head.images[name], head.affine), grid, motion)
        array = np.clip(sitk.GetArrayFromImage(seen).T, 0, None).astype(np.float32)
        if name not in sequences:  # drawn all the same, so that a patient's scans do not depend on which are asked for
            continue
        with whole_file(folder / f"{name}.nii.gz") as part:
            nibabel.Nifti1Image(array, affine_of(seen)).to_filename(part)


def watch(command: Sequence[str], results: Path) -> pd.DataFrame:
    """Run a command; give each patient's time, from the one before until its numbers were written, and memory.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    began = time.time()
    looks: list[tuple[float, float]] = []
    process = subprocess.Popen(command)
    while process.poll() is None:
        looks.append((time.time(), resident_mib(process.pid)))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    done = sorted(
        ((path.stat().st_mtime, path.name.removesuffix("_lesion.json")) for path in results.glob("*_lesion.json")),
        key=lambda entry: (entry[0], natural_key(entry[1])),
    )
    rows, before = [], began
    for ended, patient in done:
        memory = [mib for at, mib in looks if before <= at <= ended]
        rows.append(
            {
                "patient": patient,
                "seconds": round(ended - before, 1),
                "peak_mib": round(max(memory, default=float("nan"))),
                "resident_mib_at_end": round(memory[-1]) if memory else None,
            }
        )
        before = ended
    return pd.DataFrame(rows)


def resident_mib(process: int) -> float:
    """Read a process's resident memory; 0 where it has just ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Sum up; the first patient stands apart, because it also waits for libraries and weights to be loaded."""
    later = table.iloc[1:]
    middle = len(later) // 2
    return {
        "patients": len(table),
        "first_s": float(table["seconds"].iloc[0]),
        "median_s": float(later["seconds"].median()),
        "largest_s": float(later["seconds"].max()),
        "median_s_of_first_half": float(later["seconds"].iloc[:middle].median()),
        "median_s_of_second_half": float(later["seconds"].iloc[middle:].median()),
        "peak_mib": float(table["peak_mib"].max()),
        "peak_mib_of_first_half": float(later["peak_mib"].iloc[:middle].max()),
        "peak_mib_of_second_half": float(later["peak_mib"].iloc[middle:].max()),
    }
