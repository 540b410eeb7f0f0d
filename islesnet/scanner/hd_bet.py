"""HD-BET, where somebody has installed it: its command is run, its weights are never fetched.

Isensee et al., Human Brain Mapping 40:4952, 2019.
"""

import logging
import shutil
import subprocess
import tempfile
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError

logger = logging.getLogger(__name__)

COMMAND = "hd-bet"
# Where version 2 looks for its weights; without them its command would go and fetch them.
WEIGHTS = Path("hd-bet_params/release_2.0.0/fold_all/checkpoint_final.pth")
MOST_SECONDS = 1800


def is_hd_bet_ready() -> bool:
    """Tell whether HD-BET 2 can run without fetching anything: its command and its weights are there."""
    return shutil.which(COMMAND) is not None and (Path.home() / WEIGHTS).is_file()


def find_brain_with_hd_bet(image: sitk.Image, device: str = "cpu") -> sitk.Image:
    """Run HD-BET on an image; a mask on its grid.

    Where it fails on a GPU, whose memory others need too, it is run on the CPU, with a warning.

    Args:
        image: T1, T2 or FLAIR, with skull; others work less well.
        device: that it computes on, in PyTorch's words.

    Raises:
        InputError: HD-BET is not installed, or fails.
    """
    if not is_hd_bet_ready():
        raise InputError(
            f"HD-BET is not ready: the command {COMMAND} and its weights ~/{WEIGHTS} are needed. Install it "
            "(pip install hd-bet) and let it fetch its weights once, or take another way to the brain mask."
        )
    try:
        found = _run(image, device)
    except _FailedError as error:
        if device == "cpu":
            raise InputError(f"HD-BET {error}; take another way to the brain mask.") from error
        logger.warning("HD-BET %s on %s; it is run on the CPU, which takes longer.", error, device)
        return find_brain_with_hd_bet(image, "cpu")
    found.CopyInformation(image)
    return found


class _FailedError(Exception):
    """HD-BET found no brain, and what it did instead."""


def _run(image: sitk.Image, device: str) -> sitk.Image:
    with tempfile.TemporaryDirectory() as folder:
        scan, brain = Path(folder) / "scan.nii.gz", Path(folder) / "brain.nii.gz"
        sitk.WriteImage(image, scan)
        command = [COMMAND, "-i", str(scan), "-o", str(brain), "-device", device, "--disable_tta", "--save_bet_mask"]
        command.append("--no_bet_image")
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=MOST_SECONDS)
            return sitk.ReadImage(brain.with_name("brain_bet.nii.gz")) > 0
        except subprocess.CalledProcessError as error:
            said = (error.stderr.strip() or error.stdout.strip() or "nothing").splitlines()[-1]
            raise _FailedError(f"failed ({said})") from error
        except subprocess.TimeoutExpired as error:
            raise _FailedError(f"took more than {MOST_SECONDS} s") from error
        except RuntimeError as error:  # of SimpleITK, which has no file to read
            raise _FailedError("wrote no mask") from error
