"""Synthetic patients as varied as clinics' are, so that a real scan is one more variation; to train on them alone."""

from collections.abc import Callable
from dataclasses import dataclass
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
# Where training hides the DWI, nothing tells the old infarcts of acute patients, which are not labelled, from those of
# chronic patients, which are: so the former are kept few.
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


@dataclass(frozen=True)
class WideCohort:
    """Wide synthetic patients, numbered from 1, each of whom depends on the number and these choices alone.

    Args:
        patients: how many there are.
        seed: of the cohort, 0 or more.
        spacing_mm: smallest and largest edge of the voxels; each patient's is drawn between them.
        lesion_masks: folder of masks in MNI space that most of the lesions are taken from; None grows all.
        validation: so many patients, the first, are to validate on.
        test: so many, the next, are to test on. These, those to validate on and those to train on take their lesions
            from three parts of the masks, so that no shape is in two; where all train, everybody draws from all.
        is_narrow: those to train on are drawn by `narrow_settings`.
    """

    patients: int
    seed: int = 0
    spacing_mm: Range = (1.5, 1.5)
    lesion_masks: Path | None = None
    validation: int = 0
    test: int = 0
    is_narrow: bool = False

    def settings_of(self, number: int) -> PhantomSettings:
        """Draw the settings of a patient."""
        is_held_out = number <= self.validation + self.test
        draw_settings = narrow_settings if self.is_narrow and not is_held_out else wide_settings
        return draw_settings(
            patient_seed(self.seed, number), self.spacing_mm, self.lesion_masks, self.mask_part_of(number)
        )

    def mask_part_of(self, number: int) -> str:
        """Say which of the masks a patient's lesion may come from."""
        if not self.validation + self.test:
            return "all"
        if number > self.validation + self.test:
            return "training"
        return "validation" if number <= self.validation else "test"


def write_wide_dataset(
    folder: Path,
    cohort: WideCohort,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write wide synthetic patients in the layout of SISS, those that are not there yet; goes on where interrupted.

    Args:
        folder: where the patients' folders go; made where absent.
        cohort: the patients.
        workers: processes at work; None takes one for every core that this process may use.
        progress: called with the number done and the number in all after every patient.

    Returns:
        The patients' folders, in order.

    Raises:
        InputError: a number is out of range, or the lesion masks cannot be used.
    """
    check_numbers(cohort.patients, cohort.seed, workers, first=1)
    numbers = range(1, cohort.patients + 1)
    if cohort.lesion_masks is not None:
        for part in {cohort.mask_part_of(number) for number in numbers}:
            list_masks(cohort.lesion_masks, part)
    settings_of = {number: cohort.settings_of(number) for number in numbers}
    return write_missing_patients(folder, cohort.seed, settings_of, workers, progress)
