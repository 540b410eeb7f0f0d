"""The bundle's inference on cases given by a program instead of a folder given by a user."""

from collections.abc import Sequence
from pathlib import Path

from islesnet.data import Case
from islesnet.errors import InputError
from islesnet.quiet import leave_out_decoder_warnings


def bundle_folder() -> Path:
    """Find the bundle: inside an installed package, beside the package in a checkout.

    Raises:
        InputError: where it is in neither place.
    """
    package = Path(__file__).parent
    for folder in (package / "_bundle", package.parent / "bundle"):
        if (folder / "configs" / "inference.yaml").is_file():
            return folder
    raise InputError(f"The bundle's configs are missing beside {package}; install islesnet again.")


def segment_cases(
    cases: Sequence[Case],
    output_dir: Path,
    checkpoint: Path | None = None,
    save_probability: bool = False,
    spacing: float | None = None,
    flips: bool = False,
) -> None:
    """Segment patients with the bundle's inference config; the network is loaded once.

    Args:
        cases: the patients.
        output_dir: where ``<patient>_lesion.nii.gz``, ``<patient>_lesion.json`` and ``lesions.csv`` are written.
        checkpoint: the network's weights; the bundle's own by default.
        save_probability: whether ``<patient>_probability.nii.gz`` is wanted too.
        spacing: mm, of the grid the network was trained on; the config's by default.
        flips: whether to average over left-right flips, which takes twice as long and tells how far they agree.

    Raises:
        InputError: for missing weights, a folder that cannot be written to, or, after the last patient, naming
            those that failed and why.
    """
    # Here, not above: importing MONAI takes seconds, and the command line's help does not need it.
    from monai.bundle import ConfigParser

    bundle = bundle_folder()
    weights = checkpoint or bundle / "models" / "model.pt"
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.yaml"))
    # Cases and paths are objects: MONAI reads only strings as expressions.
    parser.update(
        {
            "bundle_root": bundle,
            "cases": list(cases),
            "output_dir": output_dir,
            "checkpoint": weights,
            "save_probability": save_probability,
        }
    )
    if spacing is not None:
        parser["spacing"] = [spacing] * 3
    if flips:
        parser["test_time_flips"] = [0]
    leave_out_decoder_warnings()
    parser.get_parsed_content("refuse_early")
    parser.get_parsed_content("evaluator").run()
