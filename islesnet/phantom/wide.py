"""Synthetic patients as varied as clinics' are, so that a real scan is one more variation; to train on them alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from islesnet.phantom.dataset import check_numbers, patient_seed, write_missing_patients
from islesnet.phantom.lesion_masks import list_masks
from islesnet.phantom.ranges import WIDE, Range, draw, draw_log
from islesnet.phantom.settings import PhantomSettings

VOLUMES_ML = (0.1, 160.0)
# Most are scanned on the first days; in the first hours little shows but a darker ADC, on FLAIR nothing.
ACUTE_STAGES = ("hyperacute", *["acute"] * 5, *["subacute"] * 6)
WITHIN = 2.5  # a mask's volume may be so many times larger or smaller than the one drawn
SKULL_PROBABILITY = 0.4
CHRONIC_PROBABILITY = 0.12
# Where the DWI is hidden in training nothing tells old infarcts of acute patients, not labelled, from chronic ones,
# which are: the former are the fewer.
OLD_INFARCT_PROBABILITY = 0.15
DEEP_PROBABILITY, DEEP_VOLUMES_ML = 0.12, (0.2, 3.0)
GROWN_PROBABILITY = 0.3


def wide_settings(seed: int, spacing_mm: Range, lesion_masks: Path | None, mask_part: str = "all") -> PhantomSettings:
    """Draw the settings of one wide patient: stage, skull on or off, lesion from a mask or grown, its volume.

    Args:
        seed: of the patient.
        spacing_mm: smallest and largest edge of the voxels.
        lesion_masks: folder of masks in MNI space; None grows all lesions.
        mask_part: which of these masks, as in `PhantomSettings`.
    """
    rng = np.random.default_rng([seed, 1])
    is_deep = rng.uniform() < DEEP_PROBABILITY
    is_grown = lesion_masks is None or is_deep or rng.uniform() < GROWN_PROBABILITY
    volume_ml = draw_log(rng, DEEP_VOLUMES_ML if is_deep else VOLUMES_ML)
    return PhantomSettings(
        # From a stream of its own: the same patient at every spacing.
        spacing_mm=draw(np.random.default_rng([seed, 2]), spacing_mm),
        lesion_masks=None if is_grown else lesion_masks,
        mask_part=mask_part,
        grow_where_no_mask_fits=True,  # the volume is drawn here, not asked for
        is_skull_stripped=bool(rng.uniform() >= SKULL_PROBABILITY),
        volume_ml=(volume_ml, volume_ml) if is_grown else (volume_ml / WITHIN, volume_ml * WITHIN),
        is_deep=is_deep,
        stages=("chronic",) if rng.uniform() < CHRONIC_PROBABILITY else ACUTE_STAGES,
        hyperintensities_ml=WIDE.hyperintensities_ml,
        old_infarct_probability=OLD_INFARCT_PROBABILITY,
        noise=WIDE.noise,
        bias=WIDE.bias,
        ranges=WIDE,
    )


def narrow_settings(seed: int, spacing_mm: Range, lesion_masks: Path | None, mask_part: str = "all") -> PhantomSettings:
    """Draw a patient whose lesion is drawn as by `wide_settings` and who looks like SISS: to see what width is worth.

    Args:
        seed: of the patient.
        spacing_mm: smallest and largest edge of the voxels.
        lesion_masks: folder of masks in MNI space; None grows all lesions.
        mask_part: which of these masks, as in `PhantomSettings`.
    """
    wide = wide_settings(seed, spacing_mm, lesion_masks, mask_part)
    return PhantomSettings(
        spacing_mm=wide.spacing_mm,
        lesion_masks=wide.lesion_masks,
        mask_part=wide.mask_part,
        grow_where_no_mask_fits=wide.grow_where_no_mask_fits,
        volume_ml=wide.volume_ml,
        is_deep=wide.is_deep,
    )


def write_wide_dataset(
    folder: Path,
    patients: int,
    seed: int = 0,
    spacing_mm: Range = (1.5, 1.5),
    lesion_masks: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    held_out: int = 0,
    narrow: bool = False,
) -> list[Path]:
    """Write wide synthetic patients in the layout of SISS, those that are not there yet; goes on where interrupted.

    Args:
        folder: where the patients' folders go; made where absent.
        patients: how many the cohort has.
        seed: of the cohort, 0 or more.
        spacing_mm: smallest and largest edge of the voxels; each patient's is drawn between them.
        lesion_masks: folder of masks in MNI space that most of the lesions are taken from; None grows all.
        workers: processes at work; None takes one for every core that this process may use.
        progress: called with the number done and the number in all after every patient.
        held_out: so many patients, the first, take their lesions from every eighth mask and the others from the rest,
            so that no shape is on both sides; 0 draws from all masks for everybody.
        narrow: those who are not held out are drawn by `narrow_settings`.

    Returns:
        The patients' folders, in order.

    Raises:
        InputError: a number is out of range, or the lesion masks cannot be used.
    """
    check_numbers(patients, seed, workers, first=1)
    part_of = dict.fromkeys(range(1, patients + 1), "all")
    if held_out > 0:
        part_of = {number: "held-out" if number <= held_out else "training" for number in part_of}
    if lesion_masks is not None:
        for part in set(part_of.values()):
            list_masks(lesion_masks, part)
    settings_of = {
        number: (narrow_settings if narrow and number > held_out else wide_settings)(
            patient_seed(seed, number), spacing_mm, lesion_masks, part
        )
        for number, part in part_of.items()
    }
    return write_missing_patients(folder, seed, settings_of, workers, progress)
