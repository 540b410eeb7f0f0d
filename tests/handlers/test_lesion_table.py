import json
from types import SimpleNamespace

import pandas as pd

from islesnet.handlers import LesionTable


def write_numbers(folder, patient, **further):
    numbers = {"patient": patient, "lesion_volume_ml": 1.5, "lesion_count": 2, **further}
    (folder / f"{patient}_lesion.json").write_text(json.dumps(numbers))


def table(folder, failures=None, stamps=()):
    LesionTable(folder, stamps).write(SimpleNamespace(failures=failures or {}))
    return pd.read_csv(folder / "lesions.csv", dtype={"patient": str}, keep_default_na=False, na_values=[""])


def test_every_patient_of_the_folder_has_a_row_in_natural_order(tmp_path):
    for patient in ("p10", "p2", "NA"):
        write_numbers(tmp_path, patient, trust={"is_trusted": False, "reasons": ["A.", "B, C."], "notes": ["D."]})

    written = table(tmp_path)

    assert set(written["patient"]) == {"NA", "p2", "p10"}
    assert list(written["patient"]).index("p2") < list(written["patient"]).index("p10")
    row = written.set_index("patient").loc["p2"]
    assert (row["lesion_volume_ml"], row["lesion_count"], row["is_trusted"]) == (1.5, 2, False)
    assert (row["reasons"], row["notes"]) == ("A. B, C.", "D.")


def test_patient_that_failed_has_the_failure_and_no_earlier_volume(tmp_path):
    write_numbers(tmp_path, "anna", trust={"is_trusted": True, "reasons": [], "notes": []})
    write_numbers(tmp_path, "bert", trust={"is_trusted": True, "reasons": [], "notes": []})

    written = table(tmp_path, {"anna": "flair.nii.gz is cut short"}).set_index("patient")

    assert written["is_trusted"].tolist() == [False, True]
    assert written.loc["anna", "reasons"] == "Failed: flair.nii.gz is cut short"
    assert pd.isna(written.loc["anna", "lesion_volume_ml"])


def test_numbers_without_trust_and_damaged_ones_do_not_stop_the_table(tmp_path, caplog):
    write_numbers(tmp_path, "anna")
    (tmp_path / "bert_lesion.json").write_text("{")

    written = table(tmp_path, stamps=["PHANTOM"])

    assert written["patient"].tolist() == ["anna"]
    assert written["stamp"].tolist() == ["PHANTOM"]
    assert "bert_lesion.json is left out" in caplog.text


def test_folder_without_patients_gets_no_table(tmp_path):
    LesionTable(tmp_path).write(SimpleNamespace())
    assert list(tmp_path.iterdir()) == []


def test_each_patient_bears_its_own_stamps_and_the_run_s(tmp_path):
    write_numbers(tmp_path, "made", stamps=["PHANTOM"])
    write_numbers(tmp_path, "real")

    own = table(tmp_path).set_index("patient")["stamp"]
    with_the_run_s = table(tmp_path, stamps=("LEAKY",)).set_index("patient")["stamp"]

    assert own["made"] == "PHANTOM" and pd.isna(own["real"])
    assert with_the_run_s.to_dict() == {"made": "LEAKY PHANTOM", "real": "LEAKY"}
