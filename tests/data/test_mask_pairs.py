from pathlib import Path

import pytest

from islesnet.data import Case, MaskPair, pair_masks, write_datalist
from islesnet.data.mask_pairs import find_masks
from islesnet.errors import InputError


@pytest.fixture
def touch(tmp_path):
    """Make empty files below a folder: pairing looks at names alone."""

    def make(folder, *names):
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / folder

    return make


def names(pairs):
    return {pair.patient: (pair.prediction.name, pair.truth.name) for pair in pairs}


@pytest.mark.parametrize(
    ("predictions", "truths"),
    [
        (["1_lesion.nii.gz", "2_lesion.nii.gz"], ["1_msk.nii.gz", "2_msk.nii.gz"]),
        (["1.nii.gz", "2.nii.gz"], ["2.nii", "1.mha"]),
        (["1/anything.nrrd", "2/mask.nii.gz"], ["label_1.nii.gz", "label_2.nii.gz"]),
        (["1_lesion.nii.gz", "1_probability.nii.gz", "2_lesion.nii.gz", "1_lesion.json"], ["1/seg.nii", "2/seg.nii"]),
        (["1/1_pred.nii.gz", "1/1_dwi.nii.gz", "2/x_probability.nii.gz", "2/x.nii.gz"], ["1.nii.gz", "2.nii.gz"]),
    ],
)
def test_masks_meet_by_patient_whatever_their_files_are_called(touch, predictions, truths):
    pairs = pair_masks(touch("pred", *predictions), touch("truth", *truths))

    assert [pair.patient for pair in pairs] == ["1", "2"]
    for pair in pairs:
        assert pair.patient in f"{pair.prediction.parent.name}{pair.prediction.name}"
        assert pair.patient in f"{pair.truth.parent.name}{pair.truth.name}"


def test_isles_2022_masks_meet_those_named_without_the_session(touch):
    truth = touch("derivatives", "sub-strokecase0001/ses-0001/sub-strokecase0001_ses-0001_msk.nii.gz")

    assert names(pair_masks(touch("pred", "SUB-strokecase0001_lesion.nii.gz"), truth)) == {
        "sub-strokecase0001_ses-0001": (
            "SUB-strokecase0001_lesion.nii.gz",
            "sub-strokecase0001_ses-0001_msk.nii.gz",
        )
    }


def test_pairs_come_sorted_and_never_by_order(touch):
    pred = touch("pred", "p10.nii.gz", "p2.nii.gz", "p1.nii.gz")
    truth = touch("truth", "p2_msk.nii.gz", "p1_msk.nii.gz", "p10_msk.nii.gz")

    pairs = pair_masks(pred, truth)

    assert [pair.patient for pair in pairs] == ["p1", "p2", "p10"]
    assert all(pair.truth.name == f"{pair.patient}_msk.nii.gz" for pair in pairs)


def test_masks_called_by_a_sequence_alone_are_masks(touch):
    pairs = pair_masks(touch("pred", "DWI_1.nii.gz", "DWI_2.nii.gz"), touch("truth", "dwi_1_seg.nii", "dwi_2_seg.nii"))

    assert [pair.patient for pair in pairs] == ["dwi_1", "dwi_2"]


def test_truth_may_be_a_labelled_data_set(touch):
    truth = touch("data", "1/dwi.nii.gz", "1/label.nii.gz", "2/dwi.nii.gz", "2/t1.nii.gz", "2/label.nii.gz")

    pairs = pair_masks(touch("pred", "1.nii.gz", "2.nii.gz"), truth)

    assert [(pair.patient, pair.truth) for pair in pairs] == [
        ("1", truth / "1" / "label.nii.gz"),
        ("2", truth / "2" / "label.nii.gz"),
    ]


def test_truth_may_be_a_section_of_a_datalist(touch, tmp_path):
    data = touch("data", *(f"{n}/{name}.nii.gz" for n in "123" for name in ("dwi", "label")))
    cases = {n: Case(n, {"dwi": data / n / "dwi.nii.gz"}, data / n / "label.nii.gz") for n in "123"}
    datalist = data / "datalist.json"
    write_datalist(
        datalist,
        {"training": [cases["1"]], "test": [cases["2"], cases["3"]]},
        data,
        {"volumes_ml": dict.fromkeys("123", 1)},
    )
    pred = touch("pred", "2.nii.gz", "3.nii.gz")

    assert [pair.patient for pair in pair_masks(pred, datalist, section="test")] == ["2", "3"]
    with pytest.raises(InputError, match=r"no mask for 1 of 3 patients .*: 1; .*--section"):
        pair_masks(pred, datalist)
    with pytest.raises(InputError, match=r"no mask for 2 of 3 patients .*, or --section for a part of the datalist$"):
        pair_masks(touch("fewer", "2.nii.gz"), datalist)
    with pytest.raises(InputError, match="no section 'tset'; it has training, test"):
        pair_masks(pred, datalist, section="tset")
    datalist.rename(tmp_path / "datalist.json")
    with pytest.raises(InputError, match=r"sections are those of a datalist \(.json\)"):
        pair_masks(pred, data, section="test")


def test_folder_with_a_datalist_has_its_sections_and_the_refusal_names_the_one_that_is_meant(touch):
    data = touch("data", *(f"{n}/{name}.nii.gz" for n in "123" for name in ("dwi", "label")))
    cases = [Case(n, {"dwi": data / n / "dwi.nii.gz"}, data / n / "label.nii.gz") for n in "123"]
    sections = {"training": cases[:1], "test": cases[1:]}
    write_datalist(data / "datalist.json", sections, data, {"volumes_ml": dict.fromkeys("123", 1)})
    pred = touch("pred", "2.nii.gz", "3.nii.gz")

    assert pair_masks(pred, data, section="test") == pair_masks(pred, data / "datalist.json", section="test")
    with pytest.raises(InputError, match=r"just those of the section 'test' of .*datalist.json: give --section test$"):
        pair_masks(pred, data)
    with pytest.raises(InputError, match=r"1 of 3 .* give --missing empty to score these as empty masks$"):
        pair_masks(touch("others", "1.nii.gz", "2.nii.gz"), data)
    (data / "datalist.json").write_text("{")
    with pytest.raises(InputError, match=r"give --missing empty to score these as empty masks$"):
        pair_masks(pred, data)


def test_datalist_may_lie_elsewhere_than_its_data_set(touch, tmp_path):
    data, pred = touch("data", "1/dwi.nii.gz", "1/label.nii.gz"), touch("pred", "1.nii.gz")
    case = Case("1", {"dwi": data / "1" / "dwi.nii.gz"}, data / "1" / "label.nii.gz")
    write_datalist(tmp_path / "lists" / "all.json", {"test": [case]}, data, {"volumes_ml": {"1": 1}})

    (pair,) = pair_masks(pred, tmp_path / "lists" / "all.json", dataset_dir=data)

    assert pair == MaskPair("1", pred / "1.nii.gz", case.label, case)
    with pytest.raises(InputError, match=r"none of its 2 files is there, e.g. .*lists/1/dwi.nii.gz; .* --dataset-dir"):
        pair_masks(pred, tmp_path / "lists" / "all.json")


def test_two_masks_of_one_patient_are_refused_naming_both(touch):
    truth = touch("truth", "1.nii.gz")
    with pytest.raises(InputError, match=r"two masks of patient '1': .*1_lesion.nii.gz and .*1_pred.nii.gz"):
        pair_masks(touch("flat", "1_lesion.nii.gz", "1_pred.nii.gz"), truth)
    with pytest.raises(InputError, match=r"two masks of patient '1': .*a_seg.nii and .*b_seg.nii"):
        pair_masks(touch("folders", "1/a_seg.nii", "1/b_seg.nii"), truth)
    with pytest.raises(InputError, match=r"two masks of patient '[aA]'"):
        pair_masks(touch("cases", "A.nii", "a.nii.gz"), truth)


@pytest.mark.parametrize("second", ["1/mask.nii.gz", "1/anat/1_lesion.nii", "sub-2/ses-1/sub-2_ses-1_msk.nii.gz"])
def test_second_mask_in_a_patients_folder_is_refused_naming_both(touch, second):
    pred = touch("pred", "1_lesion.nii.gz", "sub-2_ses-1_lesion.nii.gz", second)
    first = "1_lesion" if second.startswith("1/") else "sub-2_ses-1_lesion"

    with pytest.raises(
        InputError, match=rf"two masks of patient .*pred/{first}\.nii\.gz and .*pred/{second}; keep one"
    ):
        find_masks(pred)


def test_what_a_run_leaves_in_a_patients_folder_is_no_second_mask(touch, caplog):
    made = ["2/dwi.nii.gz", "2/flair.nii.gz", "2/adc.nii.gz", "2/brain.nii.gz", "2/lesion.dcm", "2/report.html"]
    pred = touch("pred", "2_lesion.nii.gz", "2_lesion.json", "2_probability.nii.gz", *made, "3/mask.nii.gz")

    assert find_masks(pred) == {"2": pred / "2_lesion.nii.gz"}
    assert not caplog.text


def test_truth_without_a_mask_is_refused_or_taken_as_empty(touch, caplog):
    pred, truth = touch("pred", "1.nii.gz"), touch("truth", "1.nii.gz", "2.nii.gz")

    with pytest.raises(InputError, match=r"no mask for 1 of 2 patients .*: 2; give --missing empty"):
        pair_masks(pred, truth)
    assert pair_masks(pred, truth, missing="empty")[1] == MaskPair("2", None, truth.absolute() / "2.nii.gz")
    assert "1 patients have no mask and are scored as empty: 2" in caplog.text
    with pytest.raises(InputError, match="missing is 'zero'; it can be 'refuse' or 'empty'"):
        pair_masks(pred, truth, missing="zero")


def test_mask_without_a_truth_is_left_out_with_a_warning(touch, caplog):
    pairs = pair_masks(touch("pred", "1.nii.gz", "3.nii.gz"), touch("truth", "1.nii.gz"))

    assert [pair.patient for pair in pairs] == ["1"]
    assert "1 masks in" in caplog.text and "no truth and are not scored: 3" in caplog.text


def test_two_folders_without_a_patient_in_common_name_both_sides(touch):
    with pytest.raises(InputError, match=r"no mask in .* the masks are called a, the patients b.*--name PATIENT"):
        pair_masks(touch("pred", "a.nii.gz"), touch("truth", "b.nii.gz"), missing="empty")


@pytest.mark.parametrize(
    ("files", "message"), [(["notes.txt"], "no mask found; .*notes.txt"), (["p1_probability.nii.gz"], "no mask found")]
)
def test_folder_without_masks_says_what_is_there(touch, files, message):
    with pytest.raises(InputError, match=message):
        pair_masks(touch("pred", *files), touch("truth", "1.nii.gz"))


def test_path_that_is_no_folder_of_masks_is_refused(touch):
    pred = touch("pred", "1.nii.gz")
    with pytest.raises(InputError, match="is not there; give a folder of masks"):
        pair_masks(pred / "nowhere", pred)
    with pytest.raises(InputError, match="is not a folder; give a folder of masks"):
        pair_masks(pred / "1.nii.gz", pred)


def test_patients_of_a_flat_folder_whose_files_do_not_say_that_they_are_masks_are_not_lost(touch):
    pred = touch("pred", "1.nii.gz", "2.nii.gz", "3.nii.gz")

    with pytest.raises(
        InputError, match=r"1_mask\.nii\.gz are named as masks; are 2\.nii\.gz, 3\.nii\.gz masks of other"
    ):
        pair_masks(pred, touch("truth", "1_mask.nii.gz", "2.nii.gz", "3.nii.gz"))


def test_scan_beside_the_mask_of_its_patient_is_passed_over(touch):
    truth = touch("truth", "1_mask.nii.gz", "1.nii.gz", "2_mask.nii.gz")
    alone = touch("of_one", "lesion.nii.gz", "scan.nii.gz")

    assert names(pair_masks(touch("pred", "1.nii.gz", "2.nii.gz"), truth))["1"][1] == "1_mask.nii.gz"
    assert names(pair_masks(touch("one", "of_one.nii.gz"), alone))["of_one"][1] == "lesion.nii.gz"


@pytest.mark.parametrize("stem", ["gt_12", "Smith (2)", "p1_lesion"])
def test_probability_map_called_after_its_mask_is_found(touch, stem):
    pred = touch("pred", f"{stem}.nii.gz", f"{stem}_probability.nii.gz")

    assert MaskPair("1", pred / f"{stem}.nii.gz", Path("truth.nii")).probability == pred / f"{stem}_probability.nii.gz"


def test_probability_map_beside_a_mask_is_found(touch):
    pred = touch("pred", "p 1_lesion.nii.gz", "p 1_probability.nii.gz", "2_lesion.nii.gz")

    pairs = pair_masks(pred, touch("truth", "p 1.nii", "2.nii"))

    assert [pair.probability for pair in pairs] == [None, pred / "p 1_probability.nii.gz"]
    assert MaskPair("1", None, Path("truth.nii")).probability is None
