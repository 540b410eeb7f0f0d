"""The results of an evaluation, and the files they are written to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from islesnet.data import Case, MaskPair
from islesnet.evaluation.scan import open_scan
from islesnet.evaluation.scoring import Scored
from islesnet.files import write_json
from islesnet.metrics import DWI_THRESHOLD, MaskScores, pool_reliability, summarize
from islesnet.report import DrawnPatient, EvaluationReport, write_csv, write_evaluation_report
from islesnet.report.csv_files import pool_scores


@dataclass(frozen=True)
class Evaluation:
    """What came of an evaluation.

    Args:
        scores: a row a patient, as scores.csv.
        baselines: the same of what a system has to beat, by name.
        summary: as summary.json.
        failed: patients without scores, and why.
        page: the report.
    """

    scores: pd.DataFrame
    baselines: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]
    failed: Mapping[str, str]
    page: Path


@dataclass(frozen=True)
class Results:
    """What is known once every patient is scored, and how it is written.

    Args:
        pairs: of all patients.
        cases: images of the patients that have any; None where none were given.
        scored: what each patient gave.
        baselines: scores of what a system has to beat, by name.
        failed: patients without scores, and why.
        stamps: words that keep the results from being mistaken.
        system: what was scored.
        data: the patients, in words.
        is_siss: they are those of ISLES 2015 SISS; None where that is not known.
    """

    pairs: Mapping[str, MaskPair]
    cases: Mapping[str, Case] | None
    scored: Mapping[str, Scored]
    baselines: Mapping[str, pd.DataFrame]
    failed: Mapping[str, str]
    stamps: tuple[str, ...]
    system: str
    data: str
    is_siss: bool | None = None

    def write(self, output: Path, settings: Mapping[str, object], began: float) -> Evaluation:
        """Write every file: the provenance first, which marks the others as ours, and the scores last.

        Args:
            output: their folder.
            settings: what was asked for, for the provenance.
            began: when the evaluation did, as `time.time` gave it.
        """
        # Here, not above: it imports torch and MONAI, to say their versions.
        from islesnet.provenance import write_provenance

        truth = settings["truth"]
        write_provenance(
            output,
            began=began,
            config={name: None if value is None else str(value) for name, value in settings.items()},
            datalist=truth if isinstance(truth, Path) and truth.suffix == ".json" else None,
            stamps=self.stamps,
        )
        summary = self.summary()
        reliability = self.reliability()
        page = write_evaluation_report(
            output,
            EvaluationReport(
                title=f"Evaluation of the {self.system}",
                scores=self.scores,
                summary=summary,
                system=self.system,
                baselines=self.baselines,
                baseline_summaries=summary["baselines"],
                data=self.data,
                is_siss=self.is_siss,
                grid="grid of the truth",
                reliability=reliability,
                scans=None if self.cases is None else self.scan,
                about=self.about(),
                stamps=self.stamps,
            ),
        )
        if reliability is not None:
            write_csv(reliability, output / "reliability.csv", self.stamps)
        write_csv(pool_scores(self.baselines), output / "baselines.csv", self.stamps)
        write_json(output / "summary.json", summary)
        write_csv(self.scores, output / "scores.csv", self.stamps)
        return Evaluation(self.scores, self.baselines, summary, self.failed, page)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Of the masks, a row a patient."""
        return table_of({patient: own.scores for patient, own in self.scored.items()})

    @property
    def missing(self) -> list[str]:
        """Patients without a mask, scored as empty."""
        return [patient for patient in self.scored if self.pairs[patient].prediction is None]

    def summary(self) -> dict[str, Any]:
        """Sum up the scores, and say what is not in them."""
        return {
            **summarize(self.scores),
            "baselines": {name: summarize(scores) for name, scores in self.baselines.items()},
            "stamps": list(self.stamps),
            "failed": dict(self.failed),
            "missing": self.missing,
            "remarks": {patient: own.remarks for patient, own in self.scored.items() if own.remarks},
        }

    def reliability(self) -> pd.DataFrame | None:
        """Add up the patients' tables."""
        return pool_reliability([own.reliability for own in self.scored.values() if own.reliability is not None])

    def scan(self, patient: str) -> DrawnPatient:
        """Read a patient's images and masks again, to draw them."""
        return open_scan(self.pairs[patient], None if self.cases is None else self.cases.get(patient))

    def about(self) -> str:
        """Say what a reader has to know before the numbers."""
        parts = []
        if self.failed:
            parts.append(
                f"{len(self.failed)} of {len(self.pairs)} patients could not be scored and count in no number below: "
                f"{say_failed(self.failed)}"
            )
        if self.missing:
            parts.append(f"No mask was found for {', '.join(self.missing)}: scored as an empty one.")
        if self.cases is None:
            parts.append(
                "Without images there are no pictures of patients and no DWI threshold (name the images with --images)."
            )
        if DWI_THRESHOLD in self.baselines:
            parts.append("The DWI threshold is chosen for each patient on all others.")
        elif any(own.threshold_dice for own in self.scored.values()):
            parts.append("No DWI threshold is compared: it is chosen on other people, and nobody else has a DWI.")
        with_map = sum(own.reliability is not None for own in self.scored.values())
        if 0 < with_map < len(self.scored):
            parts.append(f"Probability maps were found for {with_map} of {len(self.scored)} patients.")
        remarks = [f"{name}: {remark.rstrip('.')}" for name, own in self.scored.items() for remark in own.remarks]
        if remarks:
            parts.append("Remarks on the files. " + ". ".join(remarks) + ".")
        return "\n\n".join(parts)


def table_of(scores: Mapping[str, MaskScores]) -> pd.DataFrame:
    """Give a row a patient."""
    return pd.DataFrame([{"patient": patient, **asdict(own)} for patient, own in scores.items()])


def say_failed(failed: Mapping[str, str]) -> str:
    """Name who failed and why, in one line."""
    return "; ".join(f"{patient}: {reason}" for patient, reason in failed.items())
