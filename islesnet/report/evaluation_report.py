"""The report of an evaluation: one page, and the pictures and tables it shows beside it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from islesnet.metrics import expected_calibration_error
from islesnet.report import charts, tables
from islesnet.report.charts.canvas import shorten
from islesnet.report.content import EvaluationReport
from islesnet.report.csv_files import flatten_summaries, pool_scores, write_csv
from islesnet.report.explanations import (
    ACCURACY_TEXT,
    COMPARISON_TEXT,
    HOW_IT_WAS_SCORED,
    HOW_SLICES_WERE_SCORED,
    LOSSES_TEXT,
    PATIENTS_TEXT,
    RELIABILITY_TEXT,
)
from islesnet.report.montage import draw_patient
from islesnet.report.page import Page
from islesnet.report.published import OTHER_ROWS, PAPER_ROWS, own_row
from islesnet.report.wording import (
    INTERVAL,
    MISSING,
    doubt_interval,
    say,
    say_count,
    say_coverage,
    say_interval,
    say_quartiles,
)


def write_evaluation_report(folder: Path, evaluation: EvaluationReport) -> Path:
    """Write ``report.html``, its pictures to ``pictures/`` and its tables' raw numbers to ``tables/``.

    Returns:
        The page's path.

    Raises:
        OSError: the folder cannot be written to.
    """
    return _Writer(folder, evaluation).write()


def best_median_worst(scores: pd.DataFrame) -> dict[str, str]:
    """Choose the patients to look at, by Dice; fewer where there are fewer than three, none where none has a Dice."""
    ranked = scores.dropna(subset=["dice"]).sort_values("dice", ascending=False, kind="stable")["patient"].tolist()
    if not ranked:
        return {}
    if len(ranked) == 1:
        return {"only": ranked[0]}
    middle = {"median": ranked[len(ranked) // 2]} if len(ranked) > 2 else {}
    return {"best": ranked[0], **middle, "worst": ranked[-1]}


class _Writer:
    """The page in the making; each method is a section, left out where nothing is known for it."""

    def __init__(self, folder: Path, evaluation: EvaluationReport) -> None:
        self.folder = folder
        self.evaluation = evaluation
        self.page = Page(evaluation.title, evaluation.stamps)
        self.scores = _named(evaluation.scores)
        self.baselines = {name: _named(scores) for name, scores in evaluation.baselines.items()}
        self.scores_by_system = {evaluation.system: self.scores, **self.baselines}
        others = {name: evaluation.baseline_summaries[name] for name in self.baselines}
        self.summaries = {evaluation.system: evaluation.summary, **others}
        self.patients = {name: set(scores["patient"]) for name, scores in self.scores_by_system.items()}

    def write(self) -> Path:
        self.page.text(self.evaluation.about)
        self.headline()
        self.sizes()
        self.patients_drawn()
        self.figures()
        self.aggregates()
        self.accuracy()
        self.comparison()
        self.reliability()
        self.training()
        self.split()
        self.every_patient()
        how = HOW_SLICES_WERE_SCORED if self.evaluation.of_slices else HOW_IT_WAS_SCORED
        self.page.section("How it was scored", how.format(grid=self.evaluation.grid))
        return self.page.write(self.folder / "report.html")

    def headline(self) -> None:
        summary, dice = self.evaluation.summary, self.evaluation.summary["measures"]["dice"]
        quartiles = f"quartiles {say_quartiles(dice)}"
        missed = (
            f"with a lesion of which nothing is marked; {say_count(summary['empty_masks'])} of them with an empty mask"
        )
        empty = f"without a lesion, with a mask; {say_count(summary['both_empty'])} rightly empty"
        self.page.facts(
            {
                "Mean Dice over patients": (say(dice["mean"]), f"{INTERVAL} {say_interval(dice)}"),
                "Median Dice": (say(dice["median"]), quartiles),
                "Patients": (say_count(summary["patients"]), self.evaluation.data),
                "Patients missed": (say_count(summary["missed"]), missed),
                "Patients falsely marked": (say_count(summary["false_alarms"]), empty),
            }
        )
        self.page.table(
            tables.systems_table(self.summaries, self.scores_by_system, is_paired=not self.evaluation.has_own_grids),
            self._with_coverage("What was scored and, below it, what it has to beat. Means over patients."),
        )
        self.page.text(doubt_interval(min(own["patients"] for own in self.summaries.values())))

    def sizes(self) -> None:
        if self.evaluation.of_slices:
            return
        strata = [part for own in self.summaries.values() for part in own["strata"].values()]
        self.page.section("By lesion size", "In a small lesion one wrong voxel weighs more. The volume is the truth's.")
        of_ours = f"Strata of the true volume; means of {self.evaluation.system}."
        self.page.table(tables.strata_table(self.evaluation.summary), of_ours)
        if self.baselines:
            of_all = self._with_coverage("Mean Dice of every system by lesion size.")
            self.page.table(tables.strata_dice_table(self.summaries), of_all)
        self.page.text(doubt_interval(min((part["patients"] for part in strata), default=0)))
        path = self._draw(charts.draw_dice_against_volume, "dice_against_volume", self.scores)
        self.page.picture(path, "Dice of each patient against the true volume. Bars: the means of the strata.")
        path = self._draw(charts.draw_bland_altman, "bland_altman", self.scores)
        self.page.picture(path, "Bland-Altman: the error of the mask's volume against the mean of mask and truth.")

    def patients_drawn(self) -> None:
        chosen = best_median_worst(self.scores)
        if self.evaluation.scans is None or not chosen:
            return
        self.page.section("Patients", PATIENTS_TEXT)
        for rank, patient in chosen.items():
            row = self.scores.set_index("patient").loc[patient]
            figures = ", ".join(
                (
                    f"Dice {say(row['dice'])}",
                    f"truth {say(row['true_ml'], 1)} ml",
                    f"mask {say(row['predicted_ml'], 1)} ml",
                )
            )
            title = f"{rank.capitalize()}: patient {shorten(str(patient), 44)}\n{figures}"
            path = self.folder / "pictures" / f"patient_{rank}.png"
            self.page.picture(
                draw_patient(*self.evaluation.scans(patient), path, title, self.evaluation.stamps),
                f"{rank.capitalize()}: patient {patient}. {figures}.",
            )

    def figures(self) -> None:
        if figures := self.evaluation.figures:
            self.page.section(figures.heading, figures.text)
            for path, shown in figures.pictures.items():
                self.page.picture(path, shown)

    def aggregates(self) -> None:
        self.page.section("Every score", f"The mean over patients{self._with_interval()}, and how far patients spread.")
        self.page.table(tables.aggregate_table(self.evaluation.summary), f"Scores of {self.evaluation.system}.")
        if self.baselines:
            self.page.table(tables.means_table(self.summaries), self._with_coverage("Means of every system."))
        self.page.table(
            tables.dice_rules_table(self.summaries),
            self._with_coverage("One Dice, four rules: how much the rule alone changes."),
        )
        self._csv(flatten_summaries(self.summaries), "aggregates")

    def accuracy(self) -> None:
        self.page.section("What the accuracy is worth", ACCURACY_TEXT)
        table = tables.worthless_accuracy_table(self.scores_by_system)
        caption = "The voxels of a system's patients together, beside a mask that marks nothing."
        self.page.table(table, self._with_coverage(caption))
        self._csv(tables.pooled_accuracies(self.scores_by_system), "accuracy")

    def comparison(self) -> None:
        evaluation = self.evaluation
        rule = f"{'stacked slices' if evaluation.of_slices else '3D'}, {evaluation.grid}"
        own = [
            own_row(name, summary, self._data_of(name), evaluation.is_siss, rule)
            for name, summary in self.summaries.items()
        ]
        self.page.section("Beside published results", COMPARISON_TEXT)
        rows = [*own, *PAPER_ROWS]
        if few := [row.system for row in own if row.low is None]:
            self.page.text(f"Too few patients for an interval, so not comparable with the others: {', '.join(few)}.")
        self.page.picture(
            self._draw(charts.draw_comparison_bars, "comparison", rows),
            f"Dice of ours{self._with_interval()}, and of the methods in the tables of Aboudi 2022.",
        )
        self.page.table(
            tables.comparison_table(own), "Tables I and II of Aboudi 2022 with ours, and other published results."
        )
        self._csv(pd.DataFrame([asdict(row) for row in (*rows, *OTHER_ROWS)]), "comparison")

    def reliability(self) -> None:
        table = self.evaluation.reliability
        if table is None:
            return
        text = RELIABILITY_TEXT.format(error=say(expected_calibration_error(table), 4))
        self.page.section("Are the probabilities right?", text)
        self.page.picture(
            self._draw(charts.draw_reliability, "reliability", table),
            "Share of lesion in each bin of probability; below, how many voxels the bin holds.",
        )
        self._csv(table, "reliability")

    def training(self) -> None:
        histories = self.evaluation.histories
        if histories:
            self.page.section("Training")
            path = self._draw(charts.draw_training_curves, "training_curves", histories)
            losses = f" {LOSSES_TEXT}" if len(histories) > 1 else ""
            self.page.picture(path, f"Accuracy, loss and Dice over the epochs.{losses}")
            named = [frame.reset_index().assign(training=name) for name, frame in histories.items()]
            self._csv(pd.concat(named, ignore_index=True), "training_curves")

    def split(self) -> None:
        if self.evaluation.volumes_by_section:
            of_slices = self.evaluation.of_slices
            self.page.section(f"Split of the {'slices' if of_slices else 'patients'}")
            path = self._draw(charts.draw_split, "split", self.evaluation.volumes_by_section)
            patients = "The same patients are in each section; lesion volumes are those in its slices."
            self.page.picture(path, patients if of_slices else "Patients of each section, and their lesions' volumes.")

    def every_patient(self) -> None:
        self.page.section("Every patient")
        self.page.table(
            tables.patient_table(self.scores),
            f"Scores of {self.evaluation.system}; every score and voxel count is in tables/patients.csv.",
        )
        if self.baselines:
            caption = self._with_coverage("Dice of every system.")
            self.page.table(tables.patient_dice_table(self.scores_by_system), caption)
        self._csv(pool_scores(self.scores_by_system), "patients")

    def _with_interval(self) -> str:
        """Announce the interval of a mean, where there are patients enough for one."""
        is_known = any(say_interval(own["measures"]["dice"]) != MISSING for own in self.summaries.values())
        return f" with its {INTERVAL}" if is_known else ""

    def _with_coverage(self, caption: str) -> str:
        return f"{caption} {say_coverage(self.patients)}".strip()

    def _data_of(self, system: str) -> str:
        count, ours = len(self.patients[system]), len(self.patients[self.evaluation.system])
        return self.evaluation.data if count == ours else f"{self.evaluation.data}: {count} of {ours}"

    def _draw(self, draw: Callable[[Any, Path, Sequence[str]], Path], name: str, content: Any) -> Path:
        return draw(content, self.folder / "pictures" / f"{name}.png", self.evaluation.stamps)

    def _csv(self, table: pd.DataFrame, name: str) -> None:
        write_csv(table, self.folder / "tables" / f"{name}.csv", self.evaluation.stamps)


def _named(scores: pd.DataFrame) -> pd.DataFrame:
    # A CSV that was read back may have made numbers of the patients' names, and may be stamped already.
    return scores.drop(columns="stamp", errors="ignore").astype({"patient": str})
