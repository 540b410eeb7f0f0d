"""The scores of an evaluation's patients and what they sum up to, as files."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ignite.engine import Engine, Events
from monai.data.meta_tensor import MetaTensor
from monai.engines import IterationEvents
from monai.utils import ensure_tuple

from islesnet.data import Header, Volume, read_volume
from islesnet.files import write_json
from islesnet.metrics import EMPTY_MASK, MaskScores, Reliability, score_mask, summarize
from islesnet.metrics.summary import COUNTS
from islesnet.report import write_csv
from islesnet.transforms import foreground
from islesnet.volumes.file_names import natural_key

logger = logging.getLogger(__name__)

_TYPES = {field.name: field.type for field in fields(MaskScores)}


class PatientScores:
    """Score every patient by `islesnet.metrics.score_mask`, on the grid that mask and truth have at that point.

    Means over patients become the engine's metrics (val_dice, val_hd95_mm, ...). At the end three files are written,
    each whole or not at all: reliability.csv where there are probabilities, summary.json, and, last, scores.csv with a
    row a patient, which marks a finished evaluation. The summary's "baselines" hold what an empty mask reaches on the
    same patients. Files of an earlier evaluation are removed at the start.

    Attach it to an evaluator with decollated outputs: "pred", "label" and, where there is one, "probability", each a
    MetaTensor ``(1, X, Y, Z)``. The batch has "patient" and, where there is one, "reference", whose file tells brain
    from background (head from background, where the scan is not skull-stripped). A patient who cannot be scored fails
    as one who cannot be segmented does: `islesnet.cohort.CohortEvaluator` goes on with the next.

    Args:
        output_dir: folder of the files.
        stamps: words in capitals that keep the run from being mistaken, e.g. "PHANTOM".
    """

    def __init__(self, output_dir: str | Path, stamps: Sequence[str] = ()) -> None:
        self.output_dir = Path(output_dir)
        self.stamps = ensure_tuple(stamps)
        self._rows: list[dict[str, Any]] = []
        self._empty: list[dict[str, Any]] = []
        self._reliability: Reliability | None = None

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.STARTED, self.begin)
        # Within the iteration, after the postprocessing: there an error is one patient's.
        engine.add_event_handler(IterationEvents.MODEL_COMPLETED, self.score)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.average)
        engine.add_event_handler(Events.COMPLETED, self.write)

    def begin(self) -> None:
        """Forget earlier patients and remove earlier scores, which the masks about to be written would not match."""
        self._rows, self._empty, self._reliability = [], [], None
        for name in ("scores.csv", "summary.json", "reliability.csv"):
            (self.output_dir / name).unlink(missing_ok=True)

    def score(self, engine: Engine) -> None:
        """Score the patients of this iteration."""
        for batch, output in zip(engine.state.batch, engine.state.output, strict=True):
            truth = _volume(output["label"]).canonical()
            prediction = _volume(output["pred"]).along(truth.header)
            brain, patient = _brain(batch, prediction), str(batch["patient"])
            scores = score_mask(prediction.array, truth.array, prediction.spacing, brain)
            empty = score_mask(np.zeros_like(truth.array), truth.array, prediction.spacing, brain)
            if "probability" in output:
                self._reliability = self._reliability or Reliability()
                self._reliability.add(_volume(output["probability"]).along(truth.header).array, truth.array)
            self._rows.append({"patient": patient, **asdict(scores)})
            self._empty.append({"patient": patient, **asdict(empty)})

    def average(self, engine: Engine) -> None:
        """Give the engine the means over patients; a score that no patient has is NaN."""
        means = _table(self._rows).drop(columns=["patient", *COUNTS]).mean()
        engine.state.metrics.update({f"val_{name}": float(mean) for name, mean in means.items()})

    def write(self, engine: Engine) -> None:
        """Write the files; where no patient could be scored, summary.json alone, which says why."""
        scores = _table(self._rows)
        summary: dict[str, Any] = {"patients": 0}
        if len(scores):
            summary = {**summarize(scores), "baselines": {EMPTY_MASK: summarize(_table(self._empty))}}
        summary |= {"stamps": list(self.stamps), "failed": dict(getattr(engine, "failures", {}))}
        if self._reliability is not None:
            write_csv(self._reliability.table(), self.output_dir / "reliability.csv", self.stamps)
        write_json(self.output_dir / "summary.json", summary)
        if len(scores):
            path = write_csv(scores, self.output_dir / "scores.csv", self.stamps)
            logger.info("%d patients, mean Dice %.3f; see %s.", len(scores), scores["dice"].mean(), path)


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    in_order = sorted(rows, key=lambda row: natural_key(row["patient"]))
    return pd.DataFrame(in_order, columns=["patient", *_TYPES]).astype(_TYPES)


def _volume(tensor: MetaTensor) -> Volume:
    """Take the one channel, ``(1, X, Y, Z) -> (X, Y, Z)``."""
    array, affine = tensor.as_tensor()[0].detach().cpu().numpy(), np.asarray(tensor.affine.cpu(), dtype=float)
    return Volume(array, Header(array.shape, affine))


def _brain(batch: Mapping[str, Any], scored: Volume) -> np.ndarray | None:
    """Find the brain on the reference as it was scanned; None where that is not the grid that is scored.

    The reference in the batch was resampled and cropped to the network's grid, so its file is read again.
    """
    file = getattr(batch.get("reference"), "meta", {}).get("filename_or_obj")
    if file is None:
        return None
    scan = read_volume(Path(str(file))).along(scored.header)
    if scan.array.shape != scored.array.shape or not np.allclose(scan.affine, scored.affine, atol=1e-3):
        return None
    return foreground(torch.from_numpy(scan.array.astype(np.float32))).numpy()
