"""The bundle's inference on patients given by a program instead of a folder given by a user."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from islesnet.data import Case
from islesnet.errors import InputError
from islesnet.quiet import leave_out_decoder_warnings

if TYPE_CHECKING:
    from islesnet.patients import RawScans


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
    cases: "Sequence[Case | RawScans]",
    output_dir: Path,
    checkpoint: Path | None = None,
    choices: Mapping[str, Any] | None = None,
) -> None:
    """Segment patients with the bundle's inference config; the network is loaded once.

    Args:
        cases: the patients, prepared or raw.
        output_dir: where ``<patient>_lesion.nii.gz``, ``<patient>_lesion.json``, ``cohort.csv``, and in a folder a
            patient their reports are written.
        checkpoint: the network's weights; the bundle's own by default.
        choices: what of the config's choices is to be another, e.g. ``{"save_probability": True}``; no text from a
            patient's files belongs here.

    Raises:
        InputError: for missing weights, or a folder that cannot be written to.
        FailedPatientsError: after the last patient, naming those that failed and why.
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
            **(choices or {}),
        }
    )
    leave_out_decoder_warnings()
    parser.get_parsed_content("refuse_early")
    parser.get_parsed_content("evaluator").run()
