"""Synthetic patients with the lesion volumes of ISLES 2015 SISS."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from islesnet.errors import InputError
from islesnet.phantom.dataset import check_numbers, write_missing_patients
from islesnet.phantom.settings import DEFAULT_SETTINGS, PhantomSettings

# Of the 28 training patients (Maier et al., Medical Image Analysis 35, 2017, and the data itself): 0.106 to 233.5 ml,
# median 17.2, 5 of 28 under 1 ml, 12 under 5 ml. The third quartile is not known: it is what makes the mean 43.8 ml.
SHARES = (0.0, 5 / 28, 12 / 28, 0.5, 0.75, 1.0)
VOLUMES_ML = (0.106, 1.0, 5.0, 17.2, 57.0, 233.5)


def siss_volumes_ml(patients: int) -> list[float]:
    """Give the lesion volumes of a cohort like SISS, ascending and evenly spread over its distribution.

    Between the published quantiles the logarithm of the volume is interpolated.

    Args:
        patients: how many, 1 or more.
    """
    shares = np.linspace(0, 1, patients) if patients > 1 else np.array([0.5])
    return [float(volume) for volume in np.exp(np.interp(shares, SHARES, np.log(VOLUMES_ML)))]


def write_siss_like_dataset(
    folder: Path,
    patients: int,
    seed: int = 0,
    settings: PhantomSettings = DEFAULT_SETTINGS,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write synthetic patients as `write_dataset`, with the lesion volumes of SISS, those that are not there yet.

    Who has which volume is drawn from the seed. Interrupted, it goes on where it was.

    Args:
        folder: where the patients' folders go; made where absent.
        patients: how many the cohort has.
        seed: of the cohort, 0 or more.
        settings: choices of the cohort; its own range of volumes is not used.
        workers: processes at work; None takes one for every core that this process may use.
        progress: called with the number done and the number in all after every patient.

    Returns:
        The patients' folders, in order.

    Raises:
        InputError: a number is out of range.
    """
    check_numbers(patients, seed, workers, first=1)
    if settings.lesion_masks is not None:
        raise InputError("lesions of given volumes are grown: leave lesion_masks away")
    volumes = np.random.default_rng(seed).permutation(siss_volumes_ml(patients))
    settings_of = {number: _with_volume(settings, volumes[number - 1]) for number in range(1, patients + 1)}
    return write_missing_patients(folder, seed, settings_of, workers, progress)


def _with_volume(settings: PhantomSettings, volume_ml: float) -> PhantomSettings:
    return replace(settings, volume_ml=(float(volume_ml), float(volume_ml)))
