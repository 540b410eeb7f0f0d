import pandas as pd

from islesnet.data import Case
from islesnet.evaluation import evaluate
from tests.workflows.conftest import coarsen, scores
from workflows.baselines import empty_mask_of, score_baselines


def test_baselines_are_an_empty_mask_and_a_threshold_chosen_on_the_training_patients(cases):
    tables = score_baselines(cases[:2], cases[2:])

    assert set(tables) == {"empty mask", "DWI threshold"}
    for table in tables.values():
        assert table["patient"].tolist() == [case.patient for case in cases[2:]]
    assert (tables["empty mask"]["dice"] == 0).all()
    assert (tables["DWI threshold"]["dice"] > 0).all()


def test_baselines_have_the_accuracy_within_the_brain(cases):
    for table in score_baselines(cases[:2], cases[2:]).values():
        inside, outside = table["brain_empty_mask_accuracy"], table["empty_mask_accuracy"]
        assert (inside < outside).all()
        assert (table["brain_accuracy"] < table["accuracy"]).all()


def test_empty_mask_is_scored_as_islesnet_evaluate_scores_it(cases, tmp_path):
    folder = cases[0].label.parents[2]
    (tmp_path / "masks").mkdir()
    for case in cases[2:]:
        (tmp_path / "masks" / f"{case.patient}.nii").symlink_to(case.label)
    of_evaluate = evaluate(
        tmp_path / "masks", tmp_path / "masks", tmp_path / "out", images=folder, workers=1
    ).baselines["empty mask"]

    table = score_baselines(cases[:2], cases[2:])["empty mask"]

    pd.testing.assert_frame_equal(table, of_evaluate)


def test_dwi_on_another_grid_than_the_truth_is_brought_to_it(cases, tmp_path):
    coarse = [Case(case.patient, {"dwi": coarsen(case, "dwi", tmp_path)}, case.label) for case in cases]

    table = score_baselines(coarse[:2], coarse[2:])["DWI threshold"]

    assert (table["dice"] > 0).all()


def test_patients_without_dwi_have_no_threshold(cases):
    flair_only = [Case(case.patient, {"flair": case.sequences["flair"]}, case.label) for case in cases]

    assert set(score_baselines(flair_only[:2], flair_only[2:])) == {"empty mask"}


def test_empty_mask_on_another_grid_keeps_what_is_known_of_the_brain():
    known = scores(["a", "b"], lambda n: 10).assign(brain_accuracy=0.7, brain_empty_mask_accuracy=0.9)

    table = empty_mask_of(known)

    assert table["brain_accuracy"].tolist() == table["brain_empty_mask_accuracy"].tolist() == [0.9, 0.9]
    assert table["accuracy"].tolist() == known["empty_mask_accuracy"].tolist()
