"""HD-BET, where somebody has installed it: its command is run, its weights are never fetched.

Isensee et al., Human Brain Mapping 40:4952, 2019.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from islesnet.errors import InputError

COMMAND = "hd-bet"
# Where version 2 looks for its weights; without them its command would go and fetch them.
WEIGHTS = Path("hd-bet_params/release_2.0.0/fold_all/checkpoint_final.pth")
MOST_SECONDS = 1800


def is_hd_bet_ready() -> bool:
    """Tell whether HD-BET 2 can run without fetching anything: its command and its weights are there."""
    return shutil.which(COMMAND) is not None and (Path.home() / WEIGHTS).is_file()


def find_brain_with_hd_bet(image: sitk.Image, device: str = "cpu") -> sitk.Image:
    """Run HD-BET on an image; a mask on its grid.

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
    with tempfile.TemporaryDirectory() as folder:
        scan, brain = Path(folder) / "scan.nii.gz", Path(folder) / "brain.nii.gz"
        sitk.WriteImage(image, scan)
        command = [COMMAND, "-i", str(scan), "-o", str(brain), "-device", device, "--disable_tta", "--save_bet_mask"]
        command.append("--no_bet_image")
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=MOST_SECONDS)
            found = sitk.ReadImage(brain.with_name("brain_bet.nii.gz")) > 0
        except subprocess.CalledProcessError as error:
            said = (error.stderr.strip() or error.stdout.strip() or "nothing").splitlines()[-1]
            raise InputError(f"HD-BET failed ({said}); take another way to the brain mask.") from error
        except subprocess.TimeoutExpired as error:
            raise InputError(f"HD-BET took more than {MOST_SECONDS} s; take another way to the brain mask.") from error
        except RuntimeError as error:  # of SimpleITK, which has no file to read
            raise InputError("HD-BET wrote no mask; take another way to the brain mask.") from error
    found.CopyInformation(image)
    return found
