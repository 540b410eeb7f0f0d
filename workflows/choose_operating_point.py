"""Choose for weights of your own what turns their probabilities into a mask: threshold, smallest lesion, calibration.

    python -m workflows.choose_operating_point --model MODELS/model.pt --data DIR

The weights are of the default's network, as `recipes/training.yaml` trains it. The choice is made on the validation
patients of DIR/datalist.json, so report no score of theirs. It is written beside the weights
(`model_operating_point.json`), where the bundle and `islesnet segment` read it. Whether the bias is corrected stays as
it is said there.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from islesnet.data import Case, cases_in_datalist, lesion_volume_ml, require_sound, stamps_of
from islesnet.errors import InputError
from islesnet.files import require_writable
from islesnet.metrics import expected_calibration_error
from islesnet.networks import OperatingPoint, operating_point_file, read_operating_point, require_weights
from islesnet.networks.weight_files import checksum_of, require_present
from workflows.bundle_config import open_recipe
from workflows.command_line import answer, command_line, say_step
from workflows.commands import BUNDLE
from workflows.subsets import Choice, SubsetPredictor, choose_operating_point

SECTION = "validation"
FEWEST_WITH_LESION = 2  # temperature and offset are fitted on one, and looked at on the other


def main(words: Sequence[str] | None = None) -> int:
    """Choose, write and say the operating point."""
    parser = command_line("choose_operating_point", __doc__)
    parser.add_argument("--model", type=Path, required=True, help="weights of the default's network")
    parser.add_argument("--data", type=Path, required=True, help="folder of the patients, prepared as for a training")
    parser.add_argument(
        "--datalist", type=Path, help=f"whose {SECTION} patients are used (default: datalist.json in --data)"
    )
    parser.add_argument(
        "--replace", action="store_true", help="write over a point that was chosen for these weights before"
    )
    return answer(parser, choose, words, goes_on=False)


def choose(chosen: argparse.Namespace) -> int:
    """Refuse what cannot be chosen on or for, then choose and write."""
    datalist = chosen.datalist or chosen.data / "datalist.json"
    _require_own(chosen.model)
    _require_of_default(chosen.model)
    _require_unchosen(chosen.model, chosen.replace)
    file = operating_point_file(chosen.model)
    require_writable(file.parent)
    cases = validation_cases(datalist, chosen.data)
    stamps = "".join(f", {stamp}" for stamp in stamps_of(datalist))
    say_step(f"Operating point, temperature and offset, on {len(cases)} {SECTION} patients{stamps}")
    choice = choose_operating_point(SubsetPredictor(chosen.model), cases)
    choice.point.write(file)
    print("\n".join(say_choice(choice, len(cases))))
    print(f"Written  {file}")
    return 0


def validation_cases(datalist: Path, dataset_dir: Path) -> list[Case]:
    """Read the patients to choose on, those with the largest lesions first, so that every second one is a fair half.

    Raises:
        InputError: for files that are not sound, a patient without a label, or too few with a lesion.
    """
    cases = cases_in_datalist(datalist, dataset_dir).get(SECTION, [])
    require_sound(cases)
    volumes_ml = {case.patient: lesion_volume_ml(case) for case in cases}
    with_lesion = sum(volume_ml > 0 for volume_ml in volumes_ml.values())
    if with_lesion < FEWEST_WITH_LESION:
        raise InputError(
            f"{datalist}: {with_lesion} of {len(cases)} {SECTION} patients have a lesion; at least "
            f"{FEWEST_WITH_LESION} are needed, and the more the better"
        )
    return sorted(cases, key=lambda case: volumes_ml[case.patient], reverse=True)


def say_choice(choice: Choice, patients: int) -> list[str]:
    """Say what was chosen, and what it reaches on how many patients."""
    point = choice.point
    before, after = (expected_calibration_error(table) for table in (choice.reliability_before, choice.reliability))
    if (point.temperature, point.offset) == (1, 0):
        calibration = (
            f"Calibration error {before:.5f} on every second of the patients; temperature and offset, fitted on the "
            "rest, made it no smaller, and are left out"
        )
    else:
        calibration = (
            f"Calibration error {before:.5f} without temperature and offset, {after:.5f} with them, on every second of "
            "the patients, whom they were not fitted on"
        )
    return [
        f"Threshold {point.threshold:g}, smallest lesion {point.minimum_lesion_ml:g} ml, temperature "
        f"{point.temperature:g}, offset {point.offset:g}, {'with' if point.bias_correction else 'without'} bias "
        "correction",
        f"Mean Dice {choice.dice:.3f} on the {patients} patients that it was chosen on, over DWI, FLAIR, both and all",
        calibration,
    ]


def _require_own(weights: Path) -> None:
    """Refuse the weights that are shipped, whose point belongs to them."""
    is_shipped = (BUNDLE / "models").resolve() in weights.resolve().parents and checksum_of(weights).is_file()
    if is_shipped:
        raise InputError(
            f"{weights} are the shipped weights, whose operating point was chosen with them. To choose another, copy "
            f"{weights.name} and what lies beside it elsewhere and name the copy with --replace, or give --threshold "
            "and its like where they are used."
        )


def _require_of_default(weights: Path) -> None:
    """Refuse weights of another network than the default's, or used otherwise."""
    bundle = open_recipe("recipes/evaluate.yaml", {"checkpoint": weights})
    require_present(weights)
    try:
        require_weights(weights, *(bundle.get_parsed_content(name) for name in ("network_def", "trained_with")))
    except InputError as error:
        raise InputError(f"{error} A point is chosen for weights of the default's network alone.") from error


def _require_unchosen(weights: Path, replace: bool) -> None:
    """Refuse to write over a point, unless it is asked for or all it says is that the bias is corrected."""
    point = read_operating_point(weights)
    if not replace and point != OperatingPoint(bias_correction=point.bias_correction):
        raise InputError(
            f"{operating_point_file(weights)} is there already: a point chosen before, which others may use. Give "
            "--replace to write over it."
        )


if __name__ == "__main__":
    sys.exit(main())
