"""The paper's own figures, drawn from a run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from islesnet.data import Case, lesion_volume_ml
from islesnet.evaluation.scan import open_scan
from islesnet.report import Figures, draw_patient, draw_sequences
from workflows.baselines import pair_of
from workflows.experiment import Experiment

FIGURES = {"paper_flair": 7, "paper_dwi": 8, "paper_t1": 9}
FIGURES_TEXT = (
    "Figures of Aboudi 2022, drawn from this run: all of one test patient, the one with the median lesion volume. Its "
    "figures 3 (split), 10 (curves) and 11 (bars) are the charts of this page's sections on the split, the training "
    "and published results."
)


def draw_figures(
    test: Sequence[Case], experiments: Mapping[str, Experiment], folder: Path, stamps: Sequence[str]
) -> Figures:
    """Draw the paper's figures 2, 7, 8 and 9; its figures 3, 10 and 11 are the report's own charts.

    All of them show the test patient with the median lesion volume. Each of figures 7 to 9 shows the one sequence that
    its system saw, and is drawn where that system was run and has masks.
    """
    case = sorted(test, key=lesion_volume_ml)[len(test) // 2]
    images, truth, _ = open_scan(pair_of(case), case)
    sequences = draw_sequences(images, truth, folder / "figure_2.png", f"Patient {case.patient}", stamps)
    figures = {sequences: "Figure 2: the sequences, and the true outline."}
    for name, number in FIGURES.items():
        if name in experiments and experiments[name].grid == "native":
            images, truth, mask = open_scan(pair_of(case, experiments[name].results), case)
            scores = experiments[name].scores().set_index("patient").loc[case.patient]
            sequence = str(experiments[name].system.choices["sequence"])
            shown = f"{sequence.upper()} alone"
            title = f"{shown}, patient {case.patient}\nDice {scores['dice']:.3f}"
            picture = draw_patient(images, truth, mask, folder / f"figure_{number}.png", title, stamps, sequence)
            figures[picture] = f"Figure {number}: what the paper's recipe marks with {shown}."
    return Figures("The paper's figures", FIGURES_TEXT, figures)
