import numpy as np
import pandas as pd
import pytest

from islesnet.report import (
    aggregate_table,
    comparison_table,
    dice_rules_table,
    means_table,
    own_row,
    patient_dice_table,
    patient_table,
    strata_dice_table,
    strata_table,
    systems_table,
    worthless_accuracy_table,
)
from islesnet.report.tables import pooled_accuracies
from tests.report.made_up import cohort, empty, patient, summary


def test_patient_table_has_a_row_a_patient_in_their_order_with_units():
    table = patient_table(cohort())
    assert table["Patient"].tolist() == ["1", "2", "3", "10"]
    assert table["Dice"].tolist() == ["0.800", "0.600", "0.900", "0.000"]
    assert table["Volume error, mask − truth (ml)"].tolist() == ["0.00", "−10.00", "20.00", "−0.20"]
    assert table["Lesions, true / mask"].tolist() == ["1 / 1", "1 / 1", "1 / 1", "1 / 0"]
    assert table["HD95 (mm)"].tolist() == ["4.2"] * 4


def test_dice_of_every_system_stands_beside_the_patients_whatever_their_order():
    baseline = cohort().iloc[::-1].assign(patient=[10, 3, 2, 1]).query("patient != 2")
    table = patient_dice_table({"ours": cohort(), "threshold": baseline})
    assert list(table) == ["Patient", "True volume (ml)", "ours", "threshold"]
    assert table["Patient"].tolist() == ["1", "2", "3", "10"]
    assert table["True volume (ml)"].tolist() == ["1.00", "20.00", "100.00", "0.20"]
    assert table["ours"].tolist() == ["0.800", "0.600", "0.900", "0.000"]
    assert table["threshold"].tolist() == ["0.800", "–", "0.900", "0.000"]


def test_patient_table_takes_what_columns_there_are():
    table = patient_table(pd.DataFrame({"patient": [7], "dice": [np.nan]}))
    assert table.to_dict("records") == [{"Patient": "7", "Dice": "–"}]
    table = patient_dice_table({"ours": pd.DataFrame({"patient": [7], "dice": [0.5]})})
    assert table.to_dict("records") == [{"Patient": "7", "ours": "0.500"}]


def test_systems_on_grids_of_their_own_are_not_compared_patient_by_patient():
    systems = {"ours": cohort(), "other": cohort()}
    summaries = {name: summary(frame) for name, frame in systems.items()}

    assert systems_table(summaries, systems)["Dice, ours minus its"].tolist() == ["–", "+0.000"]
    assert not {"Dice, ours minus its", "Ours better in"} & set(systems_table(summaries, systems, is_paired=False))


def test_systems_table_counts_where_ours_is_better_and_what_is_missed():
    scores = cohort()
    systems = {"ours": scores, "empty mask": empty(scores)}
    table = systems_table({name: summary(frame) for name, frame in systems.items()}, systems)
    assert table["System"].tolist() == ["ours", "empty mask"]
    assert table["Mean Dice"].tolist() == ["0.575", "0.000"]
    assert table["95 % interval"].tolist() == ["0.000 to 0.900", "0.000 to 0.000"]
    assert table["Patients"].tolist() == ["4", "4"]
    assert table["Missed"].tolist() == ["1", "4"]
    assert table["Ours better in"].tolist() == ["–", "3 of 4"]


def test_systems_without_a_patient_in_common_are_not_compared():
    systems = {"ours": cohort(), "other": cohort().assign(patient=["a", "b", "c", "d"])}
    table = systems_table({name: summary(frame) for name, frame in systems.items()}, systems)
    assert table[["Dice, ours minus its", "Ours better in"]].iloc[1].tolist() == ["–", "–"]


def test_difference_has_a_sign_and_an_interval_with_true_minus_signs():
    better = pd.DataFrame([patient(str(number), both=800 - 10 * number) for number in range(6)])
    worse = better.assign(dice=better["dice"] - 0.25)
    table = systems_table({"ours": summary(better), "other": summary(worse)}, {"ours": better, "other": worse})
    assert table["Dice, ours minus its"].tolist() == ["–", "+0.250 (+0.250 to +0.250)"]
    table = systems_table({"ours": summary(worse), "other": summary(better)}, {"ours": worse, "other": better})
    assert table["Dice, ours minus its"].tolist() == ["–", "−0.250 (−0.250 to −0.250)"]


def test_system_alone_is_not_compared_with_itself():
    assert "Ours better in" not in systems_table({"ours": summary(cohort())}, {"ours": cohort()})


def test_aggregate_table_shows_the_interval_beside_the_mean():
    table = aggregate_table(summary(cohort())).set_index("Score")
    assert table.loc["Dice"].tolist() == ["0.575", "0.000 to 0.900", "0.403", "0.700", "0.450 to 0.825", "4"]
    assert table.loc["Accuracy", "Mean"] == "0.9989"


def test_means_table_sets_the_systems_side_by_side_in_the_scores_of_the_first():
    scores = cohort()
    table = means_table({"ours": summary(scores), "empty mask": summary(empty(scores))}).set_index("Score")
    assert table.loc["Dice"].tolist() == ["0.575", "0.000"]
    assert table.loc["True volume (ml)"].tolist() == ["30.30", "30.30"]
    assert "Accuracy in the brain" not in table.index


def test_system_with_fewer_patients_says_with_how_many_in_every_table():
    scores = cohort()
    systems = {"ours": scores, "threshold": scores.head(3)}
    summaries = {name: summary(own) for name, own in systems.items()}
    assert systems_table(summaries, systems)["Patients"].tolist() == ["4", "3"]
    assert means_table(summaries).iloc[0].tolist() == ["Patients", "4", "3"]
    assert strata_dice_table(summaries).filter(like="Patients").iloc[1].tolist() == ["1", "1", "1"]
    assert dice_rules_table(summaries)["Patients"].tolist() == ["4", "3"]
    assert worthless_accuracy_table(systems)["Patients"].tolist() == ["4", "3", "4"]


def test_scores_that_no_patient_has_are_left_out_of_the_aggregates():
    table = aggregate_table(summary(cohort()))
    assert "Accuracy in the brain" not in table["Score"].tolist()
    assert not table["Mean"].str.contains("nan").any()


def test_aggregates_of_one_patient_have_no_interval_and_no_deviation():
    row = aggregate_table(summary(cohort().head(1))).set_index("Score").loc["Dice"]
    assert (row["95 % interval"], row["Standard deviation"]) == ("–", "–")


def test_strata_table_leaves_out_strata_without_patients():
    scores = cohort()
    table = strata_table(summary(scores))
    assert table["Lesion"].tolist() == ["< 5 ml", "5-50 ml", "> 50 ml"]
    assert table["Patients"].tolist() == ["2", "1", "1"]
    assert table["Mean Dice"].tolist() == ["0.400", "0.600", "0.900"]
    assert strata_table(summary(scores.head(1)))["Lesion"].tolist() == ["< 5 ml"]


def test_every_system_has_its_dice_interval_and_patients_by_lesion_size():
    table = strata_dice_table({"ours": summary(cohort()), "other": summary(cohort().head(1))}).set_index("System")
    assert [" ".join(name.split()) for name in list(table)[:3]] == [
        *("Dice, < 5 ml", "95 % interval, < 5 ml", "Patients, < 5 ml"),
    ]
    assert table.loc["ours"].tolist() == [
        *("0.400", "0.000 to 0.800", "2", "0.600", "–", "1", "0.900", "–", "1"),
    ]
    assert table.loc["other"].tolist() == ["0.800", "–", "1", "–", "–", "0", "–", "–", "0"]


def test_dice_is_given_by_every_rule_beside_the_headline():
    (row,) = dice_rules_table({"ours": summary(cohort())}).to_dict("records")
    assert row["Mean over patients (the headline)"] == "0.575"
    assert row["Voxels of all patients pooled"] == "0.863"
    assert row["Per slice, empty ones as 1"] == "0.788"


def test_accuracy_and_micro_averaged_precision_of_an_empty_mask_stand_beside_ours():
    table = worthless_accuracy_table({"ours": cohort()}).set_index("System")
    assert table.index.tolist() == ["ours", "empty mask"]
    assert table.loc["ours"].tolist() == ["4", "0.9989", "0.9989", "0.831", "0.898", "0.863"]
    # 121 200 lesion voxels of 32 million
    assert table.loc["empty mask"].tolist() == ["4", "0.9962", "0.9962", "0.000", "0.000", "0.000"]


def test_empty_mask_among_the_systems_is_not_added_again():
    scores = cohort()
    table = worthless_accuracy_table({"ours": scores, "empty mask": empty(scores)})
    assert table["System"].tolist() == ["ours", "empty mask"]
    added = pooled_accuracies({"ours": scores}).iloc[-1].drop("system")
    pd.testing.assert_series_equal(
        added, table_row(pooled_accuracies({"empty mask": empty(scores)})), check_names=False
    )


def table_row(table):
    return table.iloc[0].drop("system")


def test_patients_without_lesion_and_mask_are_wholly_right():
    (ours, nothing) = pooled_accuracies({"ours": pd.DataFrame([patient("1", 0, 0, 0)])}).to_dict("records")
    assert ours["accuracy"] == ours["dice"] == nothing["dice"] == 1.0
    assert ours["precision"] == ours["sensitivity"] == 1.0


def test_comparison_table_sets_ours_above_and_gives_data_and_rule_of_every_row():
    table = comparison_table([own_row("ours", summary(cohort()), "four patients")])
    assert table["System"].iloc[0] == "ours"
    assert table["95 % interval"].iloc[0] == "0.000 to 0.900"
    aboudi = table[table["System"].str.startswith("Aboudi")].iloc[0]
    assert (aboudi["Dice"], aboudi["Accuracy"], aboudi["Precision"]) == ("0.641", "0.9943", "0.9955")
    assert (table[["Data", "How it was scored", "Source"]] != "").all(axis=None)


@pytest.mark.parametrize("stamp", [[], ["PHANTOM"]])
def test_scores_that_were_read_back_from_a_csv_make_the_same_table(tmp_path, stamp):
    scores = cohort()
    scores.assign(stamp=" ".join(stamp)).to_csv(tmp_path / "scores.csv", index=False)
    back = pd.read_csv(tmp_path / "scores.csv")
    pd.testing.assert_frame_equal(patient_table(back), patient_table(scores), check_dtype=False)
