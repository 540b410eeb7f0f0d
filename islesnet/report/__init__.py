"""Tables and pictures of what was segmented, headless, and the page that holds them."""

from islesnet.report.charts import (
    draw_bland_altman,
    draw_comparison_bars,
    draw_dice_against_volume,
    draw_reliability,
    draw_split,
    draw_training_curves,
)
from islesnet.report.content import DrawnPatient, EvaluationReport, Figures
from islesnet.report.csv_files import read_scores, write_csv
from islesnet.report.evaluation_report import write_evaluation_report
from islesnet.report.history import read_history
from islesnet.report.montage import draw_patient, draw_sequences
from islesnet.report.page import Page
from islesnet.report.pictures import largest_slice, outlined_slice
from islesnet.report.published import OTHER_ROWS, PAPER_ROWS, ComparisonRow, own_row
from islesnet.report.tables import (
    aggregate_table,
    comparison_table,
    dice_rules_table,
    means_table,
    patient_dice_table,
    patient_table,
    strata_dice_table,
    strata_table,
    systems_table,
    worthless_accuracy_table,
)

__all__ = [
    "OTHER_ROWS",
    "PAPER_ROWS",
    "ComparisonRow",
    "DrawnPatient",
    "EvaluationReport",
    "Figures",
    "Page",
    "aggregate_table",
    "comparison_table",
    "dice_rules_table",
    "draw_bland_altman",
    "draw_comparison_bars",
    "draw_dice_against_volume",
    "draw_patient",
    "draw_reliability",
    "draw_sequences",
    "draw_split",
    "draw_training_curves",
    "largest_slice",
    "means_table",
    "outlined_slice",
    "own_row",
    "patient_dice_table",
    "patient_table",
    "read_history",
    "read_scores",
    "strata_dice_table",
    "strata_table",
    "systems_table",
    "worthless_accuracy_table",
    "write_csv",
    "write_evaluation_report",
]
