"""Measure what the skull costs the segmentation: the same synthetic heads with it, with the brain found, and stripped.

    python -m workflows.benchmark skull [--patients 16] [--lesions MASKS] [--model MODEL] [--output DIR]

The heads are as varied as clinics', with skull and scalp. `islesnet segment` runs on them as they are (`--brain-mask
none`), with the brain found by the built-in way (`template`), and on the same scans with the true brain alone in them.
"""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from islesnet.evaluation import evaluate
from islesnet.phantom import make_patient, patient_seed, wide_settings, write_patient
from islesnet.phantom.wide import ACUTE_STAGES
from islesnet.report import write_csv
from islesnet.report.wording import MISSING, say
from islesnet.sequences import SEQUENCES
from islesnet.stamps import PHANTOM
from workflows.card_tables import markdown_table
from workflows.claims import claim_folder
from workflows.command_line import answer, command_line, say_step
from workflows.commands import run
from workflows.subsets import mean_with_interval

SPACING_MM = (1.5, 1.5)
# Name -> which scans are segmented, and how the brain is looked for. The others are compared with the first.
WAYS = {"stripped": ("stripped", "none"), "brain found": ("heads", "template"), "skull on": ("heads", "none")}


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark of what the skull costs."""
    parser = command_line("benchmark skull", __doc__)
    parser.add_argument("--patients", type=int, default=16)
    parser.add_argument("--seed", type=int, default=30, help="of the patients; not one that the network was trained on")
    parser.add_argument("--lesions", type=Path, help="folder of lesion masks in MNI space; without it all are grown")
    parser.add_argument("--sequences", nargs="+", choices=SEQUENCES, default=["dwi", "flair"])
    parser.add_argument("--model", type=Path, help="weights; those of the bundle by default")
    parser.add_argument("--output", type=Path, default=Path("results/benchmark/skull"))
    return answer(parser, measure, words)


def measure(chosen: argparse.Namespace) -> int:
    """Make the heads that are missing, segment all of them in the three ways, and print the mean Dice of each way."""
    claim_folder(chosen.output, "begun_with.json", vars(chosen), "--output")
    say_step(f"{chosen.patients} synthetic heads with skull")
    for number in range(1, chosen.patients + 1):
        write_head(chosen.output, number, chosen)
    weights = ("--model", chosen.model) if chosen.model else ()
    scores = []
    for way, (scans, brain_mask) in WAYS.items():
        say_step(way)
        masks = chosen.output / "masks" / scans / brain_mask
        how = ("--brain-mask", brain_mask, "--no-report", *weights)
        run("islesnet", "segment", chosen.output / scans, "-o", masks, *how)
        scored = evaluate(masks, chosen.output / "truth", masks.with_name(f"{brain_mask}_scores"), stamps=[PHANTOM])
        scores.append(scored.scores.assign(way=way))
    together = pd.concat(scores, ignore_index=True)
    write_csv(together, chosen.output / "skull.csv", [PHANTOM])
    print(markdown_table(compare(together)))
    return 0


def write_head(folder: Path, number: int, chosen: argparse.Namespace) -> None:
    """Write a patient's scans with skull, the same stripped, and the truth, where they are not there yet.

    A patient whose lesion lies outside the field of view, so that nothing of it is seen, is left out.
    """
    name = f"head_{number:03}"
    if (folder / "truth" / name).is_dir():
        return
    seed = patient_seed(chosen.seed, number)
    settings = wide_settings(seed, SPACING_MM, chosen.lesions, "test" if chosen.lesions else "all")
    head = make_patient(seed, replace(settings, is_skull_stripped=False, stages=ACUTE_STAGES))
    if not head.label.any():
        return
    images = {sequence: head.images[sequence] for sequence in chosen.sequences}
    bare = {sequence: image * head.brain for sequence, image in images.items()}
    for part, shown in (("heads", images), ("stripped", bare), ("truth", {})):  # the truth last: where it is, all is
        shutil.rmtree(folder / part / name, ignore_errors=True)
        write_patient(folder / part / name, replace(head, images=shown), with_label=part == "truth")


def compare(scores: pd.DataFrame) -> pd.DataFrame:
    """Give, for each way, mean Dice and the mean of the patients' differences to the first way, with 95 % intervals.

    Args:
        scores: a row for each patient and way: patient, way, dice, true_ml, predicted_ml.
    """
    dice = scores.pivot(index="patient", columns="way", values="dice")
    volumes = scores.groupby("way")[["true_ml", "predicted_ml"]].mean()
    first, *others = WAYS
    differences = {way: mean_with_interval((dice[way] - dice[first]).to_numpy()) for way in others}
    return pd.DataFrame(
        {
            "way": way,
            "mean Dice": mean_with_interval(dice[way].to_numpy()),
            f"difference to {first}": differences.get(way, MISSING),
            "mean mask, ml": say(volumes["predicted_ml"][way], 1),
            "mean lesion, ml": say(volumes["true_ml"][way], 1),
        }
        for way in WAYS
    )
