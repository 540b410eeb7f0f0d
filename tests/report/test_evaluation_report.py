import warnings

import numpy as np
import pandas as pd
import pytest

from islesnet.metrics import summarize
from islesnet.report import EvaluationReport, Figures, write_evaluation_report
from islesnet.report.evaluation_report import best_median_worst
from tests.report.made_up import cohort, empty, patient, summary
from tests.report.test_charts import CURVES, RELIABILITY
from tests.report.test_montage import IMAGES, MASK, TRUTH

SECTIONS = ["By lesion size", "Every score", "What the accuracy is worth", "Beside published results", "Every patient"]


def report(scores, baselines=None, **known):
    baselines = baselines or {}
    summaries = {name: summary(own) for name, own in baselines.items()}
    return EvaluationReport(
        "A title", scores, summary(scores), baselines=baselines, baseline_summaries=summaries, **known
    )


def read(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def test_report_is_one_page_with_its_pictures_and_tables_beside_it(tmp_path):
    path = write_evaluation_report(tmp_path / "out", report(cohort()))
    assert path == tmp_path / "out" / "report.html"
    assert {file.relative_to(tmp_path / "out").as_posix() for file in path.parent.rglob("*.*")} == {
        "report.html",
        "pictures/dice_against_volume.png",
        "pictures/bland_altman.png",
        "pictures/comparison.png",
        "tables/patients.csv",
        "tables/aggregates.csv",
        "tables/accuracy.csv",
        "tables/comparison.csv",
    }
    assert all(f"{section}</h2>" in read(path.parent) for section in SECTIONS)


def test_headline_is_the_mean_dice_with_its_interval_the_median_and_the_missed(tmp_path):
    write_evaluation_report(tmp_path, report(cohort()))
    assert "<dt>Mean Dice over patients</dt><dd>0.575<small>95 % interval 0.000 to 0.900</small></dd>" in read(tmp_path)
    assert "<dt>Median Dice</dt><dd>0.700<small>" in read(tmp_path)
    assert read(tmp_path).count("with its 95 % interval") == 3  # the chart, as caption and description, and every score
    assert "<dt>Patients missed</dt><dd>1<small>" in read(tmp_path)


def test_interval_of_few_patients_is_doubted_where_it_stands(tmp_path):
    doubt = "An interval of fewer than 20 patients is too narrow"
    write_evaluation_report(tmp_path / "few", report(cohort()))
    assert read(tmp_path / "few").count(doubt) == 2  # beside the headline, and by lesion size
    many = pd.DataFrame([patient(str(number), both=800 - number) for number in range(20)])
    write_evaluation_report(tmp_path / "many", report(many))
    assert doubt not in read(tmp_path / "many")
    mixed = pd.concat([many, pd.DataFrame([patient("large", 100_000, 120_000, 99_000)])])
    write_evaluation_report(tmp_path / "mixed", report(mixed))
    assert read(tmp_path / "mixed").count(doubt) == 1
    write_evaluation_report(tmp_path / "baseline", report(many, baselines={"threshold": many.head(8)}))
    assert read(tmp_path / "baseline").count(doubt) == 2


def test_report_of_five_patients_has_a_dash_for_each_interval(tmp_path):
    scores = pd.DataFrame([patient(str(number), both=800 - number) for number in range(5)])
    summaries = {"threshold": summarize(scores)}
    known = EvaluationReport(
        "A title", scores, summarize(scores), baselines={"threshold": scores}, baseline_summaries=summaries
    )
    write_evaluation_report(tmp_path, known)
    assert "95 % interval –</small>" in read(tmp_path)
    assert "with its 95 % interval" not in read(tmp_path)
    assert pd.read_csv(tmp_path / "tables" / "comparison.csv")["low"].isna().all()
    assert "Too few patients for an interval, so not comparable with the others: islesnet, threshold." in read(tmp_path)
    assert "nan" not in read(tmp_path).replace("base64", "").split("<main>")[1].split("<img")[0]


def test_baseline_of_few_patients_alone_is_named_beside_the_picture(tmp_path):
    scores = pd.DataFrame([patient(str(number), both=800 - number) for number in range(8)])
    few = scores.head(4)
    known = EvaluationReport(
        "A title",
        scores,
        summarize(scores),
        baselines={"DWI threshold": few},
        baseline_summaries={"DWI threshold": summarize(few)},
    )
    write_evaluation_report(tmp_path, known)
    assert (tmp_path / "pictures" / "comparison.png").exists()
    assert "Too few patients for an interval, so not comparable with the others: DWI threshold." in read(tmp_path)


def test_what_is_known_is_shown_and_what_is_not_is_left_out(tmp_path):
    optional = ["Are the probabilities right?", "Training", "Split of the patients", "Patients"]
    write_evaluation_report(tmp_path / "short", report(cohort()))
    assert not any(f">{heading}</h2>" in read(tmp_path / "short") for heading in optional)
    known = report(
        cohort(),
        reliability=RELIABILITY,
        histories={"fold 0": CURVES},
        volumes_by_section={"test": [1.0, 20.0]},
        scans=lambda patient: (IMAGES, TRUTH, MASK),
        about="A paragraph.",
    )
    write_evaluation_report(tmp_path / "long", known)
    assert all(f">{heading}</h2>" in read(tmp_path / "long") for heading in optional)
    assert "<p>A paragraph.</p>" in read(tmp_path / "long")
    pictures = {path.stem for path in (tmp_path / "long" / "pictures").iterdir()}
    assert pictures >= {
        "reliability", "training_curves", "split", "patient_best", "patient_median", "patient_worst",
    }  # fmt: skip


def test_losses_of_several_trainings_are_said_to_compare_only_where_they_are_the_same(tmp_path):
    caution = "The losses of two trainings compare only where both have the same one"
    write_evaluation_report(tmp_path / "one", report(cohort(), histories={"default": CURVES}))
    assert caution not in read(tmp_path / "one")
    histories = {"default": CURVES, "paper_dwi": CURVES}
    write_evaluation_report(tmp_path / "two", report(cohort(), histories=histories))
    assert f"<figcaption>Accuracy, loss and Dice over the epochs. {caution}" in read(tmp_path / "two")


def test_further_figures_have_a_section_with_what_each_shows(tmp_path):
    picture = tmp_path / "figure_2.png"
    picture.write_bytes(b"a picture")

    figures = Figures("Figures of a paper", "A text.", {picture: "Figure 2: what it shows."})

    write_evaluation_report(tmp_path, report(cohort(), figures=figures))

    assert "Figures of a paper</h2>" in read(tmp_path)
    assert "<figcaption>Figure 2: what it shows.</figcaption>" in read(tmp_path)


def test_only_the_patients_that_are_drawn_are_loaded(tmp_path):
    loaded = []
    scores = pd.DataFrame([patient(str(number), both=800 - number) for number in range(30)])
    write_evaluation_report(
        tmp_path, report(scores, scans=lambda patient: (loaded.append(patient), (IMAGES, TRUTH, MASK))[1])
    )
    assert loaded == ["0", "15", "29"]


def test_best_median_and_worst_are_fewer_where_there_are_fewer():
    scores = cohort()
    assert best_median_worst(scores) == {"best": "3", "median": "2", "worst": "10"}
    assert best_median_worst(scores.head(2)) == {"best": "1", "worst": "2"}
    assert best_median_worst(scores.head(1)) == {"only": "1"}
    assert best_median_worst(scores.assign(dice=np.nan)) == {}


def test_baselines_stand_beside_ours_in_every_table(tmp_path):
    scores = cohort()
    write_evaluation_report(
        tmp_path, report(scores, system="ours", baselines={"empty mask": empty(scores), "threshold": scores})
    )
    html = read(tmp_path)
    for caption in ("Mean Dice of every system by lesion size.", "Means of every system.", "Dice of every system."):
        assert f"<figcaption>{caption}" in html
    # A row: what was scored, by lesion size, the rules of the Dice, the accuracy, the comparison.
    assert html.count("<span>threshold</span>") == 5
    # A column: the means, every patient.
    assert html.count(">threshold</th>") == 2
    patients = pd.read_csv(tmp_path / "tables" / "patients.csv")
    assert patients.groupby("system", sort=False).size().to_dict() == {"ours": 4, "empty mask": 4, "threshold": 4}
    aggregates = pd.read_csv(tmp_path / "tables" / "aggregates.csv").set_index(["system", "stratum", "score"])
    assert aggregates.loc[("ours", "all", "dice"), "mean"] == pytest.approx(0.575)
    assert aggregates.loc[("threshold", "> 50 ml", "dice"), "mean"] == pytest.approx(0.9)


def test_baseline_with_fewer_patients_says_so_under_every_table_and_in_its_data(tmp_path):
    scores = cohort()
    baselines = {"empty mask": empty(scores), "DWI threshold": scores.head(3)}
    write_evaluation_report(tmp_path / "fewer", report(scores, baselines=baselines, data="4 patients of a clinic"))
    html = read(tmp_path / "fewer")
    captions = [part.partition("</figcaption>")[0] for part in html.split("<figcaption>")[1:]]
    note = "Not every system was scored on all patients: DWI threshold on 3 of 4."
    assert len([caption for caption in captions if caption.endswith(note)]) == 6
    comparison = pd.read_csv(tmp_path / "fewer" / "tables" / "comparison.csv").set_index("system")["data"]
    assert comparison["DWI threshold"].startswith("4 patients of a clinic: 3 of 4")
    assert comparison["empty mask"] == comparison["islesnet"]
    write_evaluation_report(tmp_path / "all", report(scores, baselines={"empty mask": empty(scores)}))
    assert "Not every system" not in read(tmp_path / "all")


def test_system_alone_has_no_tables_of_every_system(tmp_path):
    write_evaluation_report(tmp_path, report(cohort()))
    assert "every system" not in read(tmp_path)


def test_baseline_that_would_hide_the_system_is_refused():
    with pytest.raises(ValueError, match="both called 'islesnet'"):
        report(cohort(), baselines={"islesnet": cohort()})


def test_baseline_that_is_not_summed_up_is_refused():
    with pytest.raises(ValueError, match="'threshold' has scores and no summary"):
        EvaluationReport("A title", cohort(), summary(cohort()), baselines={"threshold": cohort()})


def test_stamps_are_on_the_page_and_a_column_of_every_csv(tmp_path):
    known = {"reliability": RELIABILITY, "histories": {"one": CURVES}, "stamps": ("PHANTOM", "LEAKY")}
    write_evaluation_report(tmp_path / "stamped", report(cohort(), **known))
    assert "<b>PHANTOM</b> <b>LEAKY</b>" in read(tmp_path / "stamped")
    tables = sorted((tmp_path / "stamped" / "tables").iterdir())
    assert len(tables) == 6
    for path in tables:
        frame = pd.read_csv(path)
        assert frame.columns[-1] == "stamp"
        assert set(frame["stamp"]) == {"PHANTOM LEAKY"}
    write_evaluation_report(tmp_path / "plain", report(cohort()))
    assert "stamp" not in pd.read_csv(tmp_path / "plain" / "tables" / "patients.csv")


def test_tables_hold_the_raw_numbers(tmp_path):
    scores = cohort().assign(dice=[0.123456789, 0.5, 0.5, 0.5])
    write_evaluation_report(tmp_path, report(scores))
    assert pd.read_csv(tmp_path / "tables" / "patients.csv")["dice"].iloc[0] == 0.123456789
    comparison = pd.read_csv(tmp_path / "tables" / "comparison.csv")
    assert comparison["dice"].iloc[0] == pytest.approx(scores["dice"].mean(), abs=1e-12)


def test_scores_read_back_from_a_stamped_csv_are_reported_alike(tmp_path):
    cohort().assign(stamp="PHANTOM").to_csv(tmp_path / "scores.csv", index=False)
    back = pd.read_csv(tmp_path / "scores.csv")
    loaded = []
    write_evaluation_report(
        tmp_path, report(back, scans=lambda patient: (loaded.append(patient), (IMAGES, TRUTH, MASK))[1])
    )
    assert loaded == ["3", "2", "10"]
    assert "stamp" not in pd.read_csv(tmp_path / "tables" / "patients.csv")


def test_grid_of_the_scores_is_said(tmp_path):
    write_evaluation_report(tmp_path, report(cohort(), grid="network's grid of 128 x 128"))
    assert read(tmp_path).count("network&#x27;s grid of 128 x 128") == 2  # in the comparison, and how it was scored
    assert "native grid" not in read(tmp_path)


@pytest.mark.parametrize(
    "scores",
    [
        cohort().head(1),
        empty(cohort()),
        pd.DataFrame([patient("1", 0, 0, 0), patient("2", 0, 10, 0)]),
        cohort().assign(hd95_mm=np.nan, assd_mm=np.nan, dice=[np.nan, 0.5, 0.6, np.nan]),
        pd.DataFrame([patient(name) for name in ("<script>x</script>", "a" * 200, "$x^{$", "患者", "line\nbreak")]),
    ],
    ids=["one patient", "all masks empty", "no lesion", "NaN", "names"],
)
def test_odd_cohorts_are_reported_without_a_warning(tmp_path, scores):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_evaluation_report(
            tmp_path,
            report(scores, baselines={"empty mask": empty(scores)}, scans=lambda patient: (IMAGES, TRUTH, MASK)),
        )
    assert "<script" not in read(tmp_path)
    assert ">nan<" not in read(tmp_path)
    assert ">None<" not in read(tmp_path)
