import pandas as pd

from workflows.card_tables import write_card_tables

SUBSETS = pd.DataFrame(
    {"patient": ["1", "2"], "sequences": "dwi", "dice": [0.2, 0.4], "true_ml": [1.0, 60.0], "lesion_f1": [0.5, 1.0]}
)


def lines_of(path):
    return path.read_text().splitlines()


def test_tables_say_how_the_network_came_about_and_what_it_reaches_on_phantoms(tmp_path):
    path = write_card_tables(tmp_path / "card_tables.md", {"Training": "8 epochs", "Seeds": "4"}, None, SUBSETS)

    lines = lines_of(path)
    assert lines[0] == "# Tables for the model card"
    assert lines[2:4] == ["- Training: 8 epochs", "- Seeds: 4"]
    assert "## 2 wide test phantoms" in lines
    assert lines[-3:] == [
        "| sequences | mean Dice | < 5 ml | 5-50 ml | > 50 ml | lesion-wise F1 |",
        "| --- | --- | --- | --- | --- | --- |",
        "| dwi | 0.300 (2) | 0.200 (1) |  | 0.400 (1) | 0.750 |",
    ]
    assert "Real patients" not in path.read_text()


def test_real_patient_without_an_experts_mask_has_volumes_alone(tmp_path):
    real = pd.DataFrame(
        [
            {"patient": "a|b", "sequences": "dwi", "dice": 0.6214, "sensitivity": 0.5, "precision": 0.75}
            | {"true_ml": 4.18, "predicted_ml": 2.0, "islands_ml": 0.466, "large_foci": 3, "large_foci_found": 2}
            | {"foci": 18, "foci_found": 8, "islands": 15, "islands_that_touch": 7},
            {"patient": "mca", "sequences": "flair", "predicted_ml": 75.0, "islands_ml": 1.2},
        ]
    )

    lines = lines_of(write_card_tables(tmp_path / "card_tables.md", {}, real, SUBSETS))

    assert r"| a\|b | dwi | 0.621 | 0.500 | 0.750 | 4.18 | 2.00 | 0.47 | 2 of 3 | 8 of 18 | 7 of 15 |" in lines
    assert "| mca | flair | – | – | – | – | 75.00 | 1.20 | – | – | – |" in lines
