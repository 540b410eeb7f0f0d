"""The real volumes that a benchmark measures on besides synthetic ones, where somebody has them."""

import argparse
import os
from pathlib import Path

VARIABLE = "ISLESNET_REAL_DATA"


def add_real(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of the real volumes; the environment names it by default."""
    parser.add_argument(
        "--real", type=Path, default=os.environ.get(VARIABLE) or None, help=f"folder of the real volumes ({VARIABLE})"
    )


def why_left_out(folder: Path | None) -> str | None:
    """Say why there is nothing to measure on real volumes; None where their folder is there."""
    if folder is None:
        return f"left out: no folder of real volumes is named; --real names one, or {VARIABLE} in the environment"
    return None if folder.is_dir() else f"left out: there is no folder {folder} (see --real and {VARIABLE})"
