"""Real patients, never trained on: one network asked with every subset of the sequences, on the native grid."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from monai.data.meta_tensor import MetaTensor
from monai.transforms import Compose

from islesnet.components import label_lesions
from islesnet.data import SEQUENCES, Case, find_cases, read_volume
from islesnet.errors import InputError
from islesnet.files import whole_file
from islesnet.metrics import score_mask, threshold_dwi
from islesnet.networks import OperatingPoint
from islesnet.patients import RawScans, find_patients
from islesnet.report import write_csv
from islesnet.transforms import ShiftProbabilityd
from islesnet.volumes import Volume
from islesnet.volumes.background import on_zero
from islesnet.volumes.geometry import lie_on_one_grid
from workflows.bundle_config import TrainedNetwork
from workflows.subsets import SUBSETS, clean_mask

logger = logging.getLogger(__name__)

LARGE_FOCUS_ML = 0.2  # a part of the lesion that should not be missed


@dataclass(frozen=True)
class RealPatient:
    """One patient as the network sees it, and the expert's mask where there is one.

    Args:
        name: of the patient.
        sequences: those that the patient has.
        item: what the bundle's preprocessing made of them; "image" is ``(sequences, X, Y, Z)``.
        truth: lesion on the grid of the reference sequence, ``(X, Y, Z)`` bool.
        reference: the reference sequence, 0 around the head, or the brain where it was looked for, ``(X, Y, Z)``.
    """

    name: str
    sequences: tuple[str, ...]
    item: dict[str, Any]
    truth: np.ndarray | None
    reference: np.ndarray


class RealPredictor:
    """The bundle's inference, step by step: patients are read, registered and resampled once for all subsets.

    Args:
        weights: of the bundle's default network.
        folders: each of one patient, or of several.
        output_dir: where registered sequences and brain masks are written.
        point: its temperature is applied before probabilities are interpolated, its offset afterwards, and it says
            whether the coils' shading is taken out.

    Raises:
        InputError: two patients have one name.
    """

    def __init__(self, weights: Path, folders: Sequence[Path], output_dir: Path, point: OperatingPoint) -> None:
        choices = {"temperature": point.temperature, "offset": point.offset, "bias_correction": point.bias_correction}
        self._trained = TrainedNetwork(
            "recipes/inference.yaml", weights, {"output_dir": output_dir, "report": False, **choices}
        )
        steps = self._trained.part("postprocessing").transforms
        shift = next(i for i, step in enumerate(steps) if isinstance(step, ShiftProbabilityd))
        self._to_native = Compose(steps[: shift + 1])
        found = [patient for folder in folders for patient in find_patients(folder)]
        names = [patient.patient for patient in found]
        if twice := {name for name in names if names.count(name) > 1}:
            raise InputError(f"Two real patients are called {min(twice)!r}, and one's masks would replace the other's.")
        self.patients = [self._read(patient) for patient in found]

    def predict(self, patient: RealPatient) -> Iterator[tuple[tuple[str, ...], MetaTensor]]:
        """Yield each subset of the patient's sequences and the probability on the native grid, ``(1, X, Y, Z)``."""
        image = patient.item["image"]
        for subset in SUBSETS:
            if not set(subset) <= set(patient.sequences):
                continue
            logits = self._trained.logits(image, subset)
            native = self._to_native({**patient.item, "pred": MetaTensor(logits, meta=image.meta)})
            yield subset, native["pred"]

    def _read(self, found: Case | RawScans) -> RealPatient:
        files = self._trained.part("prepare")(found.item())
        item = self._trained.part("preprocessing")(files)
        order = self._trained.part("reference_order")
        sequences = tuple(sequence for sequence in SEQUENCES if sequence in files)
        reference = read_volume(Path(files[next(sequence for sequence in order if sequence in files)]))
        brain = read_volume(Path(files["brain"])).array > 0.5 if "brain" in files else 1
        shown = on_zero(reference.array) * brain
        return RealPatient(found.patient, sequences, item, _truth_of(found, reference), shown)


def score_real_patients(
    folders: Sequence[Path], weights: Path, point: OperatingPoint, output_dir: Path, dwi_deviations: float | None = None
) -> pd.DataFrame:
    """Segment real patients with every subset they have, and by the DWI threshold; write the masks and score them.

    Every sequence is registered to the reference and every mask lies on its grid, so that all subsets are scored
    against one truth. Where a truth is known, ``slices.csv`` says slice by slice where each mask is wrong.

    Args:
        folders: each of one patient, or of several.
        weights: of the bundle's default network.
        point: threshold, minimum volume, temperature and offset.
        output_dir: gets ``<patient>_<subset>_lesion.nii.gz`` and ``slices.csv``.
        dwi_deviations: the baseline's threshold; None leaves the baseline out.
    """
    predictor = RealPredictor(weights, folders, output_dir, point)
    rows, slices = [], []
    for patient in predictor.patients:
        masks = {
            "+".join(subset): clean_mask(probability, point.threshold, point.minimum_lesion_ml)
            for subset, probability in predictor.predict(patient)
        }
        if "dwi" in patient.sequences and dwi_deviations is not None:
            bright = torch.from_numpy(threshold_dwi(patient.reference, dwi_deviations)[None])
            masks["DWI threshold"] = MetaTensor(bright, meta=next(iter(masks.values())).meta)
        for name, mask in masks.items():
            write_mask(mask, output_dir / f"{patient.name}_{name.replace(' ', '_')}_lesion.nii.gz")
            named = {"patient": patient.name, "sequences": name}
            rows.append({**named, **_scores(mask, patient.truth)})
            if patient.truth is not None:
                slices.append(pd.DataFrame(named, index=[0]).merge(slice_errors(mask, patient.truth), how="cross"))
    if slices:
        write_csv(pd.concat(slices), output_dir / "slices.csv")
    return pd.DataFrame(rows)


def slice_errors(mask: MetaTensor, truth: np.ndarray) -> pd.DataFrame:
    """Measure the ml that a mask finds, misses and marks falsely in each slice with any of these; slices count from 1.

    Shapes:
        mask ``(1, X, Y, Z)``, truth ``(X, Y, Z)``.
    """
    marked, voxel_ml = np.asarray(mask[0]) > 0.5, float(np.prod([float(length) for length in mask.pixdim])) / 1000
    parts = {"found_ml": marked & truth, "missed_ml": ~marked & truth, "false_ml": marked & ~truth}
    volumes = pd.DataFrame({name: part.sum(axis=(0, 1)) * voxel_ml for name, part in parts.items()})
    volumes.insert(0, "slice", range(1, truth.shape[2] + 1))
    return volumes[volumes.drop(columns="slice").any(axis=1)]


def write_mask(mask: MetaTensor, file: Path) -> None:
    """Save a mask, ``(1, X, Y, Z)``, as uint8."""
    image: Any = nib.Nifti1Image(np.asarray(mask[0], dtype=np.uint8), np.asarray(mask.affine, dtype=np.float64))
    with whole_file(file) as part:
        nib.save(image, part)


def _truth_of(patient: Case | RawScans, reference: Volume) -> np.ndarray | None:
    """Read the expert's mask of a patient who has one on the grid of the reference."""
    label = _label_of(patient)
    if label is None:
        return None
    truth = read_volume(label)
    if not lie_on_one_grid(reference.header, truth.header):
        logger.warning("%s: %s is not on the grid of the reference and is not used", patient.patient, label.name)
        return None
    return truth.array > 0.5


def _label_of(patient: Case | RawScans) -> Path | None:
    if isinstance(patient, Case) or patient.label is not None:
        return patient.label
    try:
        cases = [] if patient.folder is None else find_cases(patient.folder)
    except InputError:  # raw scans, whose names do not say which sequences they are
        return None
    return cases[0].label if len(cases) == 1 else None


def _scores(mask: MetaTensor, truth: np.ndarray | None) -> dict[str, float]:
    marked, spacing = np.asarray(mask[0]) > 0.5, tuple(float(length) for length in mask.pixdim)
    voxel_ml = float(np.prod(spacing)) / 1000
    islands, count = label_lesions(marked)
    volumes = {"predicted_ml": float(marked.sum()) * voxel_ml, "islands_ml": _apart(islands, truth) * voxel_ml}
    if truth is None:
        return volumes
    scores = score_mask(marked, truth, spacing)
    foci, foci_count = label_lesions(truth)
    is_large = np.bincount(foci.ravel()) * voxel_ml >= LARGE_FOCUS_ML
    is_large[0] = False  # the background
    is_found = np.bincount(foci.ravel(), weights=marked.ravel()) > 0
    is_found[0] = False
    return {
        "dice": scores.dice,
        "sensitivity": scores.sensitivity,
        "precision": scores.precision,
        "lesion_recall": scores.lesion_recall,
        "lesion_precision": scores.lesion_precision,
        "true_ml": scores.true_ml,
        "foci": foci_count,
        "foci_found": int(is_found.sum()),
        "large_foci": int(is_large.sum()),
        "large_foci_found": int((is_large & is_found).sum()),
        "islands": count,
        "islands_that_touch": int(np.unique(islands[truth & marked]).size),
        **volumes,
    }


def _apart(islands: np.ndarray, truth: np.ndarray | None) -> int:
    """Count the voxels of islands that touch no lesion or, without a truth, of all islands but the largest."""
    sizes = np.bincount(islands.ravel())
    sizes[0] = 0
    sizes[np.unique(islands[truth]) if truth is not None else sizes.argmax()] = 0
    return int(sizes.sum())
