"""Masks on disk against the truth: what is written, and that it hangs on the masks alone."""

import json

import nibabel
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk  # noqa: N813

from islesnet.data import Case, MaskPair, write_datalist
from islesnet.errors import InputError
from islesnet.evaluation import evaluate
from islesnet.evaluation.masks import read_masks, read_on_grid
from islesnet.evaluation.scan import open_scan, read_scan
from islesnet.evaluation.scoring import choose_thresholds
from islesnet.metrics import score_mask
from islesnet.metrics.baselines import THRESHOLDS
from islesnet.stamps import describe

SHAPE = (16, 14, 12)
AFFINE = np.array([[-2.0, 0, 0, 30], [0, 2.5, 0, -20], [0, 0, 4.0, -10], [0, 0, 0, 1]])


def save(array, path, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.asarray(array), affine), path)
    return path


def box(*bounds):
    mask = np.zeros(SHAPE, np.uint8)
    mask[tuple(slice(*bound) for bound in bounds)] = 1
    return mask


TRUTHS = {
    "1": box((2, 6), (2, 6), (2, 6)),
    "2": box((3, 9), (3, 5), (1, 9)),
    "10": box((8, 9), (8, 9), (8, 9)),
    "x": box((0, 0), (0, 0), (0, 0)),
}
PREDICTIONS = {
    "1": box((3, 7), (2, 6), (2, 5)),
    "2": box((3, 9), (3, 5), (2, 9)),
    "10": box((0, 0), (0, 0), (0, 0)),
    "x": box((0, 0), (0, 0), (0, 0)),
}


@pytest.fixture(autouse=True)
def plain_page(request, monkeypatch):
    """Write a page of words alone, but for the tests marked to look at the real one: its charts take a second."""

    def write(folder, evaluation):
        said = f"{evaluation.about} {evaluation.stamps} {evaluation.data}, SISS: {evaluation.is_siss}"
        (folder / "report.html").write_text(said)
        return folder / "report.html"

    if "real_page" not in request.fixturenames:
        monkeypatch.setattr("islesnet.evaluation.results.write_evaluation_report", write)


@pytest.fixture
def real_page():
    """Ask for the page with its charts."""


@pytest.fixture
def folders(tmp_path):
    for patient in TRUTHS:
        save(TRUTHS[patient], tmp_path / "truth" / f"{patient}_msk.nii.gz")
        save(PREDICTIONS[patient], tmp_path / "pred" / f"{patient}_lesion.nii.gz")
    return tmp_path / "pred", tmp_path / "truth", tmp_path / "out"


@pytest.fixture
def images(tmp_path):
    """Patients with a DWI on which the lesion is bright, in a box of a head."""
    generator = np.random.default_rng(0)
    for patient, truth in TRUTHS.items():
        head = np.zeros(SHAPE)
        head[1:-1, 1:-1] = generator.normal(100, 5, (14, 12, 12))
        save((head + 80 * truth).astype(np.int16), tmp_path / "images" / patient / "dwi.nii.gz")
        save(generator.normal(100, 5, (8, 7, 6)).astype(np.float32), tmp_path / "images" / patient / "t1.nii.gz")
    return tmp_path / "images"


def run(pred, truth, out, **options):
    return evaluate(pred, truth, out, workers=1, **options)


def test_scores_are_those_of_the_masks_a_row_a_patient(folders):
    result = run(*folders)

    written = pd.read_csv(folders[2] / "scores.csv", dtype={"patient": str})
    assert written["patient"].tolist() == ["1", "2", "10", "x"]
    pd.testing.assert_frame_equal(written, result.scores)
    own = score_mask(PREDICTIONS["1"], TRUTHS["1"], (2.0, 2.5, 4.0))
    assert written.loc[0, ["dice", "hd95_mm", "true_ml"]].tolist() == pytest.approx(
        [own.dice, own.hd95_mm, own.true_ml]
    )
    assert written["dice"].tolist()[2:] == [0.0, 1.0]


def test_every_promised_file_is_written_and_says_the_same(folders, real_page):
    result = run(*folders, stamps=["PHANTOM"])

    out = folders[2]
    assert {path.name for path in out.iterdir()} == {
        *("scores.csv", "baselines.csv", "summary.json", "report.html", "provenance.json", "pictures", "tables")
    }
    summary = json.loads((out / "summary.json").read_text())
    assert summary == result.summary
    assert (summary["patients"], summary["missed"], summary["both_empty"]) == (4, 1, 1)
    assert (summary["failed"], summary["missing"], summary["stamps"]) == ({}, [], ["PHANTOM"])
    assert summary["measures"]["dice"]["mean"] == pytest.approx(result.scores["dice"].mean())
    assert pd.read_csv(out / "scores.csv")["stamp"].unique().tolist() == ["PHANTOM"]
    assert "PHANTOM" in (out / "report.html").read_text()
    assert json.loads((out / "provenance.json").read_text())["config"]["pred"] == str(folders[0])


def test_empty_mask_stands_beside_the_scores(folders):
    run(*folders)

    baselines = pd.read_csv(folders[2] / "baselines.csv")
    assert baselines["system"].unique().tolist() == ["empty mask"]
    assert baselines["dice"].tolist() == [0.0, 0.0, 0.0, 1.0]
    scores = pd.read_csv(folders[2] / "scores.csv")
    assert baselines["accuracy"].tolist() == pytest.approx(scores["empty_mask_accuracy"].tolist())


def turn(array, code, path):
    """Save an array whose axes run as AFFINE's with its axes in another order and direction."""
    image = nibabel.Nifti1Image(array, AFFINE)
    into = nibabel.orientations.axcodes2ornt(code)
    path.parent.mkdir(exist_ok=True)
    nibabel.save(image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(AFFINE), into)), path)
    return path


@pytest.mark.parametrize("code", ["RAS", "LAS", "LPS", "PIR", "SLA"])
@pytest.mark.parametrize("lesion", [np.float32(0.9999999998), np.uint16(1), np.int32(1), np.uint8(255)])
def test_scores_hang_neither_on_orientation_nor_on_type(folders, tmp_path, code, lesion):
    def score(prediction):
        masks = read_masks(MaskPair("1", prediction, folders[1] / "1_msk.nii.gz"))
        return vars(score_mask(masks.prediction, masks.truth, masks.grid.spacing))

    turned = turn(PREDICTIONS["1"] * lesion, code, tmp_path / "turned" / "1.nii")

    assert score(turned) == pytest.approx(score(folders[0] / "1_lesion.nii.gz"), abs=1e-6, rel=0, nan_ok=True)


def test_files_are_the_same_whatever_order_orientation_and_type_the_masks_have(folders, tmp_path):
    expected = run(*folders).scores
    for patient, code in zip(reversed(PREDICTIONS), ("LPS", "SLA", "RAS", "PIR"), strict=True):
        turn(PREDICTIONS[patient] * np.float32(0.9999999998), code, tmp_path / "turned" / f"{patient}.nii")

    turned = run(tmp_path / "turned", folders[1], tmp_path / "other").scores

    pd.testing.assert_frame_equal(turned, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("rounding", [0.0, 1e-7, -1e-7])
def test_head_turned_by_45_degrees_is_scored_whichever_way_its_angle_was_rounded(tmp_path, rounding):
    def turned(angle):
        affine = np.diag([2.0, 2.0, 2.0, 1.0])
        affine[:2, :2] = 2 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return affine

    truth = save(TRUTHS["1"], tmp_path / "truth.nii", turned(np.pi / 4))
    prediction = save(TRUTHS["1"], tmp_path / "prediction.nii", turned(np.pi / 4 + rounding))

    masks = read_masks(MaskPair("1", prediction, truth))

    assert np.array_equal(masks.prediction, masks.truth)


def test_metaimage_scores_as_its_nifti(folders, tmp_path):
    expected = run(*folders).scores
    for patient in TRUTHS:
        path = tmp_path / "mha" / patient / "mask.mha"
        path.parent.mkdir(parents=True)
        sitk.WriteImage(sitk.ReadImage(folders[0] / f"{patient}_lesion.nii.gz"), path)

    pd.testing.assert_frame_equal(run(tmp_path / "mha", folders[1], tmp_path / "o").scores, expected, atol=1e-6, rtol=0)


def test_patient_who_fails_is_named_with_file_and_numbers_and_the_others_are_scored(folders):
    pred, _, out = folders
    save(np.zeros((16, 14, 11), np.uint8), pred / "1_lesion.nii.gz")
    moved = AFFINE.copy()
    moved[0, 3] += 1.5
    save(PREDICTIONS["2"], pred / "2_lesion.nii.gz", moved)
    whole = (pred / "x_lesion.nii.gz").read_bytes()
    (pred / "x_lesion.nii.gz").write_bytes(whole[: len(whole) // 2])

    result = run(*folders)

    assert result.scores["patient"].tolist() == ["10"]
    assert list(result.failed) == ["1", "2", "x"]
    assert "1_lesion.nii.gz: the mask has 16 x 14 x 11 voxels, the truth 16 x 14 x 12" in result.failed["1"]
    assert "1_msk.nii.gz" in result.failed["1"]
    assert "2_lesion.nii.gz: the mask lies up to 1.5 mm from the grid of the truth" in result.failed["2"]
    assert "x_lesion.nii.gz: is cut short" in result.failed["x"]
    assert json.loads((out / "summary.json").read_text())["failed"] == result.failed
    assert "3 of 4 patients could not be scored" in (out / "report.html").read_text()


def test_less_than_half_a_voxel_is_a_remark(folders):
    moved = AFFINE.copy()
    moved[0, 3] += 0.9
    save(PREDICTIONS["1"], folders[0] / "1_lesion.nii.gz", moved)
    expected = score_mask(PREDICTIONS["1"], TRUTHS["1"], (2.0, 2.5, 4.0))

    result = run(*folders)

    assert result.scores["dice"][0] == expected.dice
    assert "the mask lies up to 0.9 mm" in result.summary["remarks"]["1"][0]


def test_mask_of_most_of_the_head_is_remarked_because_it_touches_every_lesion(tmp_path):
    affine = AFFINE @ np.diag([4.0, 4.0, 2.0, 1.0])  # 8 x 10 x 8 mm
    save(TRUTHS["1"], tmp_path / "truth" / "1_msk.nii.gz", affine)
    save(np.ones(SHAPE, np.uint8), tmp_path / "pred" / "1_lesion.nii.gz", affine)

    result = run(tmp_path / "pred", tmp_path / "truth", tmp_path / "out")

    assert result.scores["lesion_f1"][0] == 1.0
    assert "marks 1,720 ml, more than infarcts have" in result.summary["remarks"]["1"][0]


def test_no_results_are_left_where_nobody_could_be_scored(folders):
    run(*folders)
    for patient in TRUTHS:
        (folders[0] / f"{patient}_lesion.nii.gz").write_bytes(b"")

    with pytest.raises(InputError, match=r"none of the 4 patients could be scored: 1: .*is not packed|is empty"):
        run(*folders)

    assert list(folders[2].iterdir()) == []


def test_patient_without_a_mask_is_scored_as_empty_and_named(folders):
    (folders[0] / "1_lesion.nii.gz").unlink()

    with pytest.raises(InputError, match="no mask for 1 of 4 patients"):
        run(*folders)
    assert not folders[2].exists()
    result = run(*folders, missing="empty")

    assert result.scores.loc[0, ["dice", "predicted_ml"]].tolist() == [0.0, 0.0]
    assert result.summary["missing"] == ["1"]
    assert "No mask was found for 1" in (folders[2] / "report.html").read_text()


def test_doubtful_values_are_remarked(folders):
    values = PREDICTIONS["1"].astype(np.float32)
    values[0, 0, 0] = np.nan
    values[0, 0, 1] = 0.3
    path = save(values, folders[0] / "1_lesion.nii.gz")

    masks = read_masks(MaskPair("1", path, folders[1] / "1_msk.nii.gz"))

    assert masks.prediction.sum() == PREDICTIONS["1"].sum()
    assert "1 voxels are NaN" in masks.remarks[0]
    assert "values from 0 to 1, not 0 and one other" in masks.remarks[1]


def test_images_give_a_threshold_the_brain_and_pictures(folders, images, real_page):
    result = run(*folders, images=images)

    assert list(result.baselines) == ["empty mask", "DWI threshold"]
    threshold = result.baselines["DWI threshold"].set_index("patient")
    assert threshold.loc[["1", "2"], "dice"].min() > 0.9
    scores = result.scores
    assert scores["brain_accuracy"].notna().all()
    assert (scores["brain_empty_mask_accuracy"] < scores["empty_mask_accuracy"])[:3].all()
    assert {path.name for path in (folders[2] / "pictures").glob("patient_*")} == {
        *("patient_best.png", "patient_median.png", "patient_worst.png")
    }


def test_threshold_of_one_patient_alone_is_missing_and_the_page_says_why(folders, images, tmp_path):
    truth = tmp_path / "one"
    save(TRUTHS["1"], truth / "1_msk.nii.gz")

    result = run(folders[0], truth, folders[2], images=images)

    assert list(result.baselines) == ["empty mask"]
    assert "No DWI threshold is compared" in (folders[2] / "report.html").read_text()


@pytest.mark.parametrize("is_datalist", [True, False])
def test_images_are_those_of_the_truth_where_it_is_a_data_set_or_a_datalist(folders, images, is_datalist):
    cases = [
        Case(patient, {"dwi": images / patient / "dwi.nii.gz"}, save(mask, images / patient / "label.nii.gz"))
        for patient, mask in TRUTHS.items()
    ]
    write_datalist(images / "datalist.json", {"test": cases}, images, {})

    result = run(folders[0], images / "datalist.json" if is_datalist else images, folders[2])

    assert list(result.baselines) == ["empty mask", "DWI threshold"]
    assert result.scores["brain_accuracy"].notna().all()


def test_what_is_left_out_of_a_data_set_is_said_once(folders, images, caplog):
    for patient, mask in TRUTHS.items():
        save(mask, images / patient / "label.nii.gz")
    save(TRUTHS["1"], images / "lost" / "label.nii.gz")

    run(folders[0], images, folders[2])

    assert caplog.text.count("patient 'lost' has a label") == 1


def test_truth_whose_datalist_lists_images_that_are_not_there_is_scored_without(folders, images, caplog):
    path = images / "1" / "dwi.nii.gz"
    case = Case("1", {"dwi": path}, save(TRUTHS["1"], images / "1" / "label.nii.gz"))
    write_datalist(images / "datalist.json", {"test": [case]}, images, {})
    path.unlink()

    result = run(folders[0], images / "datalist.json", folders[2])

    assert list(result.baselines) == ["empty mask"]
    assert result.summary["remarks"] == {}
    assert f"{path} is not there, so no pictures and no DWI threshold; name the images with --images" in caplog.text


def test_masks_alone_as_the_truth_are_told_how_to_get_pictures(folders, images, caplog):
    page = run(*folders).page.read_text()
    assert f"there are no images beside {folders[1]}, so no pictures" in caplog.text
    assert "Without images there are no pictures of patients" in page
    caplog.clear()
    page = run(*folders, images=images).page.read_text()
    assert "--images" not in caplog.text + page


def test_patient_without_images_is_scored_without_them(folders, images, caplog):
    for path in (images / "2").iterdir():
        path.unlink()
    (images / "2").rmdir()
    (images / "x" / "dwi.nii.gz").write_bytes(b"damaged")

    result = run(*folders, images=images)

    assert "has no images of 1 patient: 2" in caplog.text
    assert result.baselines["DWI threshold"]["patient"].tolist() == ["1", "10"]
    assert result.scores["brain_accuracy"].isna().tolist() == [False, True, False, True]
    assert "scored without it" in result.summary["remarks"]["x"][0]
    with pytest.raises(InputError, match="has images of none of the patients: there are other"):
        images.rename(images.with_name("all"))
        save(np.arange(16 * 14 * 12).reshape(SHAPE).astype(np.int16), images / "other" / "dwi.nii.gz")
        run(*folders, images=images)


def test_threshold_of_a_patient_is_chosen_on_the_others():
    def best_at(place):
        return tuple(float(index == place) for index in range(len(THRESHOLDS)))

    chosen = choose_thresholds({"a": best_at(2), "b": best_at(5), "c": best_at(5)})

    assert chosen == {"a": THRESHOLDS[5], "b": THRESHOLDS[2], "c": THRESHOLDS[2]}
    assert choose_thresholds({"a": best_at(2)}) == {}


def test_probability_maps_give_the_reliability(folders):
    pred, _, out = folders
    for patient in ("1", "2"):
        save(np.where(TRUTHS[patient], 0.75, 0.05).astype(np.float32), pred / f"{patient}_probability.nii.gz")
    save(100 * TRUTHS["10"].astype(np.float32), pred / "10_probability.nii.gz")

    result = run(*folders)

    table = pd.read_csv(out / "reliability.csv")
    lesion = int(TRUTHS["1"].sum() + TRUTHS["2"].sum())
    assert table["voxels"].tolist() == [2 * TRUTHS["1"].size - lesion, *[0] * 6, lesion, 0, 0]
    assert table.loc[[0, 7], "mean_probability"].tolist() == pytest.approx([0.05, 0.75])
    assert table.loc[[0, 7], "lesion_share"].tolist() == [0.0, 1.0]
    assert "left out of the reliability: the probabilities reach from 0 to 100" in result.summary["remarks"]["10"][0]
    page = (out / "report.html").read_text()
    assert "Probability maps were found for 2 of 4 patients" in page
    assert "0 to 1 is needed. " in page and ".." not in page


def test_voxels_without_a_number_are_left_out_of_the_reliability(folders):
    pred, _, out = folders
    probability = np.where(TRUTHS["1"], 0.75, 0.05).astype(np.float32)
    probability[:, :, 7:] = np.nan
    save(probability, pred / "1_probability.nii.gz")

    result = run(*folders)

    assert pd.read_csv(out / "reliability.csv")["voxels"].sum() == 16 * 14 * 7
    assert "1,120 voxels are not finite numbers; they are left out" in result.summary["remarks"]["1"][0]


@pytest.mark.parametrize("given", ["truth", "images", "dataset_dir"])
def test_results_are_not_written_into_a_data_set(folders, images, given):
    pred, truth, _ = folders
    write_datalist(images / "datalist.json", {"test": [Case("1", {"dwi": images / "1/dwi.nii.gz"})]}, images, {})
    options = {"truth": {"truth": images / "datalist.json"}, "images": {"images": images}}
    options["dataset_dir"] = {"images": images / "datalist.json", "dataset_dir": images}

    with pytest.raises(InputError, match="would lie among the masks or images"):
        evaluate(**{"pred": pred, "truth": truth, "output": images, **options[given]})


def test_threshold_is_not_chosen_on_another_session_of_the_same_person():
    def best_at(place):
        return tuple(float(index == place) for index in range(len(THRESHOLDS)))

    of_sessions = {"sub-1_ses-1": best_at(2), "sub-1_ses-2": best_at(2), "sub-2_ses-1": best_at(5)}

    assert choose_thresholds(of_sessions) == {
        "sub-1_ses-1": THRESHOLDS[5],
        "sub-1_ses-2": THRESHOLDS[5],
        "sub-2_ses-1": THRESHOLDS[2],
    }
    assert choose_thresholds({"sub-1_ses-1": best_at(2), "sub-1_ses-2": best_at(2)}) == {}


@pytest.mark.parametrize(
    ("name", "stamps", "is_siss"),
    [("VSD.Brain.XX.O.OT.7", [], True), ("VSD.Brain.XX.O.OT.7", ["PHANTOM"], False), ("7_msk", [], None)],
)
def test_report_knows_by_the_names_of_the_truth_whether_it_is_siss(tmp_path, name, stamps, is_siss):
    save(TRUTHS["1"], tmp_path / "truth" / "7" / f"{name}.nii.gz")
    for number, sequence in enumerate(("DWI", "T1", "T2", "Flair") if name.startswith("VSD") else ()):
        save(TRUTHS["2"], tmp_path / "truth" / "7" / f"VSD.Brain.XX.O.MR_{sequence}.{number}.nii.gz")
    save(PREDICTIONS["1"], tmp_path / "pred" / "7_lesion.nii.gz")

    run(tmp_path / "pred", tmp_path / "truth", tmp_path / "out", stamps=stamps)

    assert f"1 patient of truth, SISS: {is_siss}" in (tmp_path / "out" / "report.html").read_text()


def test_stamps_come_from_the_datalist_and_from_beside_the_masks(folders, images):
    pred, _, out = folders
    cases = []
    for patient, mask in TRUTHS.items():
        label = save(mask, images / patient / "label.nii.gz")
        cases.append(Case(patient, {"dwi": images / patient / "dwi.nii.gz"}, label))
    datalist = images / "datalist.json"
    write_datalist(datalist, {"training": cases[:2], "test": cases[2:]}, images, {"stamps": ["PHANTOM"]})
    (pred / "10_lesion.json").write_text(json.dumps({"stamps": ["QUICK"]}))
    (pred / "x_lesion.json").write_text("not JSON")

    result = run(pred, datalist, out, section="test")

    assert result.scores["patient"].tolist() == ["10", "x"]
    assert result.summary["stamps"] == ["PHANTOM", "QUICK"]
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["datalist"]["sha256"]
    assert provenance["stamps"] == ["PHANTOM", "QUICK"]
    of_folder = run(pred, images, out, section="test")
    assert of_folder.scores["patient"].tolist() == ["10", "x"]
    assert of_folder.summary["stamps"] == ["PHANTOM", "QUICK"]
    assert json.loads((out / "provenance.json").read_text())["datalist"] == provenance["datalist"]


@pytest.mark.parametrize("stamped", ["truth/2_msk.nii.gz", "images/2/dwi.nii.gz"])
def test_stamps_come_from_the_headers_of_true_masks_and_scans(folders, images, tmp_path, stamped):
    volume = nibabel.load(tmp_path / stamped)
    volume.header["descrip"] = describe(["PHANTOM"])
    nibabel.save(nibabel.Nifti1Image(np.asarray(volume.dataobj), None, volume.header), tmp_path / stamped)

    assert run(*folders, images=images).summary["stamps"] == ["PHANTOM"]


def test_processes_give_what_one_gives_and_progress_ends_at_all(folders, images, tmp_path):
    seen = []

    one = run(*folders, images=images)
    two = evaluate(
        *folders[:2], tmp_path / "two", images, workers=2, progress=lambda done, total: seen.append((done, total))
    )

    pd.testing.assert_frame_equal(one.scores, two.scores)
    pd.testing.assert_frame_equal(one.baselines["DWI threshold"], two.baselines["DWI threshold"])
    assert seen == [(number, 8) for number in range(1, 9)]


def test_scan_without_a_dwi_has_no_threshold_and_says_why(folders, images):
    pair = MaskPair("1", None, folders[1] / "1_msk.nii.gz")
    t1 = {"t1": images / "2" / "dwi.nii.gz"}
    (images / "1" / "dwi.nii.gz").write_bytes(b"damaged")

    without = read_scan(pair, Case("1", t1))
    damaged = read_scan(pair, Case("1", {"dwi": images / "1" / "dwi.nii.gz", **t1}))

    assert without.brain is not None and without.dwi is None
    assert damaged.brain is None and damaged.dwi is None
    assert read_scan(pair, None).brain is None
    with pytest.raises(InputError, match="no DWI to take a threshold of: none is listed"):
        without.score_threshold(3.0)
    with pytest.raises(InputError, match=r"no DWI to take a threshold of: .*dwi.nii.gz: "):
        damaged.score_threshold(3.0)


def test_scan_is_opened_with_every_sequence_on_the_grid_of_the_truth(folders, images):
    finer = AFFINE @ np.diag([0.5, 0.5, 1.0, 1.0])
    flair = save(np.full((32, 28, 12), 7, np.float32), images / "1" / "flair.nii.gz", finer)
    pair = MaskPair("1", folders[0] / "1_lesion.nii.gz", folders[1] / "1_msk.nii.gz")

    opened, truth, mask = open_scan(pair, Case("1", {"dwi": images / "1" / "dwi.nii.gz", "flair": flair}))

    assert {name: image.shape for name, image in opened.items()} == {"dwi": SHAPE, "flair": SHAPE}
    assert (opened["flair"] == 7).all()
    assert (truth.sum(), mask.sum()) == (TRUTHS["1"].sum(), PREDICTIONS["1"].sum())


def test_scan_is_opened_without_what_cannot_be_read_and_says_so(folders, images, caplog):
    (images / "1" / "dwi.nii.gz").write_bytes(b"damaged")
    pair = MaskPair("1", None, folders[1] / "1_msk.nii.gz")
    sequences = {"dwi": images / "1" / "dwi.nii.gz", "flair": images / "2" / "dwi.nii.gz"}

    opened, truth, mask = open_scan(pair, Case("1", sequences))

    assert set(opened) == {"flair"}
    assert "dwi.nii.gz" in caplog.text and "not drawn" in caplog.text
    assert truth.any() and not mask.any()
    assert open_scan(pair, None)[0] == {}


def test_image_on_another_grid_is_brought_to_that_of_the_truth(folders, tmp_path):
    # A ramp along x, in mm, at half the resolution: linear interpolation gives it back exactly.
    coarse = np.diag([-4.0, 5.0, 8.0, 1.0])
    coarse[:3, 3] = (32, -20, -10)
    ramp = np.broadcast_to((32 - 4.0 * np.arange(9))[:, None, None], (9, 8, 7))
    path = save(ramp.astype(np.float32), tmp_path / "ramp.nii", coarse)
    grid = read_masks(MaskPair("1", None, folders[1] / "1_msk.nii.gz")).grid

    values = read_on_grid(path, grid)

    assert values.shape == SHAPE
    np.testing.assert_allclose(values[:, 3, 3], np.arange(SHAPE[0]) * 2.0, atol=1e-4)
