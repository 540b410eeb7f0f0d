"""Trees on disk -> the cases found: the files are empty, only their names count."""

import json
import os

import pytest

from islesnet.data import detect_layout, find_cases
from islesnet.errors import InputError

SISS = "VSD.Brain.XX.O.MR_"


def siss(number, *parts, suffix=".nii"):
    return [f"{number}/{part}/{part}{suffix}" for part in parts]


TREES = {
    "SISS training": (
        "siss2015",
        [
            *siss(10, f"{SISS}DWI.1", f"{SISS}Flair.2", f"{SISS}T1.3", f"{SISS}T2.4", "VSD.Brain.XX.O.OT.5"),
            *siss(2, f"{SISS}DWI.6", "VSD.Brain_3more.XX.XX.OT.7"),
        ],
        {"2": "dwi label", "10": "dwi t1 t2 flair label"},
    ),
    "SISS testing": ("siss2015", siss(1, f"{SISS}DWI.1", f"{SISS}T1.3"), {"1": "dwi t1"}),
    "SISS .nii.gz": ("siss2015", siss(1, f"{SISS}DWI.1", "VSD.Brain.XX.O.OT.5", suffix=".nii.gz"), {"1": "dwi label"}),
    "SISS .mha": ("siss2015", siss(1, f"{SISS}DWI.1", suffix=".mha"), {"1": "dwi"}),
    "SISS registered": (
        "siss2015",
        [
            "1/VSD.Brain.01.O.MR_DWI/VSD.Brain.01.O.MR_DWI_reg.nii.gz",
            "1/VSD.Brain.01.O.MR_DWI/VSD.Brain.01.O.MR_DWI.nii.gz",
        ],
        {"1": "dwi"},
    ),
    "SISS both sets": (
        "siss2015",
        [*(f"Training/{p}" for p in siss(1, f"{SISS}DWI.1")), *(f"Testing/{p}" for p in siss(1, f"{SISS}DWI.2"))],
        {"Testing-1": "dwi", "Training-1": "dwi"},
    ),
    "SISS one patient": ("siss2015", [p[2:] for p in siss(1, f"{SISS}DWI.1", f"{SISS}T2.2")], {"data set": "dwi t2"}),
    "SISS flat in a folder": ("siss2015", [f"1/{SISS}DWI.1.nii", f"1/{SISS}T2.2.nii"], {"1": "dwi t2"}),
    "ISLES 2022": (
        "bids",
        [
            "sub-strokecase0002/ses-0001/dwi/sub-strokecase0002_ses-0001_dwi.nii.gz",
            "sub-strokecase0002/ses-0001/dwi/sub-strokecase0002_ses-0001_adc.nii.gz",
            "sub-strokecase0002/ses-0001/anat/sub-strokecase0002_ses-0001_FLAIR.nii.gz",
            "derivatives/sub-strokecase0002/ses-0001/sub-strokecase0002_ses-0001_msk.nii.gz",
            "dataset_description.json",
        ],
        {"sub-strokecase0002": "dwi flair label"},
    ),
    "ISLES 2022 rawdata": (
        "bids",
        [
            "rawdata/sub-1/ses-0001/sub-1_ses-0001_dwi.nii.gz",
            "rawdata/sub-1/ses-0001/sub-1_ses-0001_flair.nii.gz",
            "derivatives/sub-1/ses-0001/sub-1_ses-0001_msk.nii.gz",
        ],
        {"sub-1": "dwi flair label"},
    ),
    "ATLAS R2": (
        "bids",
        [
            "Training/R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-MNI152NLin2009aSym_T1w.nii.gz",
            "Training/R001/sub-r001s001/ses-1/anat/"
            "sub-r001s001_ses-1_space-MNI152NLin2009aSym_label-L_desc-T1lesion_mask.nii.gz",
        ],
        {"sub-r001s001": "t1 label"},
    ),
    "SOOP": (
        "bids",
        [
            "sub-1/dwi/sub-1_rec-TRACE_dwi.nii.gz",
            "sub-1/dwi/sub-1_rec-ADC_dwi.nii.gz",
            "sub-1/anat/sub-1_FLAIR.nii.gz",
            "sub-1/anat/sub-1_T1w.nii.gz",
            "derivatives/lesion_masks/sub-1/dwi/sub-1_space-TRACE_desc-lesion_mask.nii.gz",
        ],
        {"sub-1": "dwi t1 flair label"},
    ),
    "BIDS sessions": (
        "bids",
        [
            *(f"sub-1/ses-{n}/anat/sub-1_ses-{n}_T2w.nii.gz" for n in (1, 2)),
            "derivatives/manual/sub-1/ses-2/sub-1_ses-2_label-lesion_roi.nii.gz",
        ],
        {"sub-1_ses-1": "t2", "sub-1_ses-2": "t2 label"},
    ),
    "BIDS names with sequences in entities": (
        "bids",
        ["sub-T1study/anat/sub-T1study_acq-dwi_T2w.nii.gz"],
        {"sub-T1study": "t2"},
    ),
    "folders": (
        "folders",
        ["p10/dwi.nii.gz", "p10/FLAIR.nii.gz", "p10/adc.nii.gz", "p2/x_t1w.mha", "p2/mask.mha", "p3/notes.txt"],
        {"p2": "t1 label", "p10": "dwi flair"},
    ),
    "folders with parts": (
        "folders",
        ["p1/anat/p1_T1.nii", "p1/DWI/scan_dwi.nii", "p1/other/flair.nii"],
        {"p1": "dwi t1"},
    ),
    "one patient": (
        "folders",
        ["glioma_fla.nii.gz", "glioma_t1.nii.gz", "glioma_br_ss_t1_mask.nii.gz"],
        {"data set": "t1 flair"},
    ),
    "one patient, varied names": ("folders", ["AX_DWI_4.nii", "SAG_T1_2.nii", "T1_Gd_7.nii"], {"data set": "dwi t1"}),
    "one patient with written masks": (
        "folders",
        ["dwi.nii", "data set_lesion.nii.gz", "data set_probability.nii.gz"],
        {"data set": "dwi"},
    ),
    "flat": (
        "folders",
        ["p 1_dwi.nii.gz", "p 1_flair.nii.gz", "p 1_label.nii.gz", "p2_dwi.nii.gz"],
        {"p2": "dwi", "p 1": "dwi flair label"},
    ),
    "flat, one sequence": ("folders", ["a_T1w.nii", "b_T1w.nii"], {"a": "t1", "b": "t1"}),
    "odd names": (
        "folders",
        ["$(x)/dwi.nii", "100% sure/dwi.nii", "a'b\"c/dwi.nii", "Jörg/dwi.nii"],
        {"100% sure": "dwi", "$(x)": "dwi", "a'b\"c": "dwi", "Jörg": "dwi"},
    ),
    "hidden files": ("folders", ["p1/dwi.nii", "p1/._dwi.nii", ".hidden/dwi.nii", "lost+found/dwi.nii"], {"p1": "dwi"}),
}


def plant(root, files):
    for file in files:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data set"


@pytest.mark.parametrize(("layout", "files", "found"), TREES.values(), ids=TREES)
def test_cases_of_a_tree(root, layout, files, found):
    plant(root, files)
    assert detect_layout(root) == layout
    for asked in ("auto", layout):
        cases = find_cases(root, asked)
        assert {case.patient: " ".join(case.files) for case in cases} == found
        assert [case.patient for case in cases] == list(found)


def test_relative_folder_gives_the_patient_its_name(root, monkeypatch):
    plant(root, ["p1/dwi.nii", "p1/raw/readme.txt"])
    monkeypatch.chdir(root / "p1" / "raw")
    assert [case.patient for case in find_cases("..")] == ["p1"]


def test_label_of_a_single_bids_subject_is_found_in_the_data_set(root):
    plant(root, TREES["ISLES 2022"][1])
    (case,) = find_cases(root / "sub-strokecase0002")
    assert list(case.files) == ["dwi", "flair", "label"]


def test_registered_siss_file_is_preferred(root):
    plant(root, TREES["SISS registered"][1])
    assert find_cases(root)[0].sequences["dwi"].name == "VSD.Brain.01.O.MR_DWI_reg.nii.gz"


@pytest.mark.parametrize(
    "files",
    [
        ["p1/dwi.nii", "p1/dwi.nii.gz"],
        ["dwi.nii", "DWI_b1000.nii", "flair.nii"],
        ["AX_DWI_4.nii", "AX_DWI_5.nii", "T1_2.nii"],
        ["p1/label.nii", "p1/lesion_mask.nii", "p1/t1.nii"],
        siss(1, f"{SISS}DWI.1", f"{SISS}DWI.2"),
        ["sub-1/anat/sub-1_run-1_T1w.nii", "sub-1/anat/sub-1_run-2_T1w.nii"],
    ],
)
def test_two_files_for_one_sequence_are_named(root, files):
    plant(root, files)
    with pytest.raises(InputError, match=r"two files claim to be the (dwi|label|t1)") as caught:
        find_cases(root)
    assert sum(file.rpartition("/")[2] in str(caught.value) for file in files) >= 2


def test_folder_of_a_table_says_to_give_the_table(root):
    plant(root, ["patients.csv"])

    with pytest.raises(InputError, match=r"give the table itself: .*patients\.csv\)"):
        find_cases(root)


def test_folder_with_nothing_known_says_what_is_understood_and_what_was_found(root):
    plant(root, ["scan1.nii", "notes.txt"])
    with pytest.raises(InputError, match="no patient found") as caught:
        find_cases(root)
    for told in ("scan1.nii", "notes.txt", "siss2015", "bids", "nnunet", "csv", "folders"):
        assert told in str(caught.value)
    with pytest.raises(InputError, match="no patient found"):
        detect_layout(root)


def test_dicom_folder_is_told_to_be_one(root):
    plant(root, ["b0/1.dcm"])
    with pytest.raises(InputError, match="DICOM files: convert them"):
        find_cases(root)


def test_missing_folder_and_unknown_layout_are_refused(root):
    with pytest.raises(InputError, match="does not exist"):
        find_cases(root)
    with pytest.raises(InputError, match="unknown layout 'dicom'; known: auto, bids, csv"):
        find_cases(plant(root, ["p1/dwi.nii"]), "dicom")
    with pytest.raises(InputError, match="a CSV file, not a folder"):
        find_cases(root, "csv")
    with pytest.raises(InputError, match="no patient found"):
        find_cases(root, "siss2015")
    with pytest.raises(InputError, match="no patient found"):
        find_cases(root / "p1" / "dwi.nii")


def test_patient_in_two_cohorts_is_refused(root):
    plant(root, ["A/sub-1/anat/sub-1_T1w.nii", "B/sub-1/anat/sub-1_T1w.nii"])
    with pytest.raises(InputError, match="'sub-1' comes twice"):
        find_cases(root)


def test_unreadable_folder_is_named(root, monkeypatch):
    plant(root, ["p1/dwi.nii", "locked/dwi.nii"])
    scandir = os.scandir

    def refuse(folder):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"locked' cannot be read \(permission denied\)"):
        find_cases(root)


def test_links_are_followed_but_not_to_nothing(root, caplog):
    plant(root, ["store/annexed.nii.gz"])
    (root / "p1").mkdir()
    (root / "p1" / "dwi.nii.gz").symlink_to(root / "store" / "annexed.nii.gz")
    (root / "p1" / "t1.nii.gz").symlink_to(root / "gone.nii.gz")
    (root / "p2").symlink_to(root / "p1")
    (root / "p1" / "loop").symlink_to(root)
    cases = find_cases(root)
    assert {case.patient: " ".join(case.sequences) for case in cases} == {"p1": "dwi", "p2": "dwi"}
    assert cases[0].sequences["dwi"] == root / "p1" / "dwi.nii.gz"  # the link: its target may have another suffix
    assert "t1.nii.gz is passed over: a link to a file that is not there" in caplog.text


@pytest.mark.parametrize(
    ("files", "link", "target"),
    [
        (["anna/anat/t1.nii", "bert/flair.nii"], "anna/flair", "bert"),
        (["sub-1/ses-1/anat/sub-1_T1w.nii", "sub-2/ses-2/anat/sub-2_FLAIR.nii"], "sub-1/ses-2", "sub-2/ses-2"),
        (["sub-1/anat/sub-1_T1w.nii", "sub-2/dwi/sub-2_dwi.nii"], "sub-1/dwi", "sub-2/dwi"),
        (
            ["1/VSD.Brain.MR_T1.1/VSD.Brain.MR_T1.1.nii", "2/VSD.Brain.MR_T2.2/VSD.Brain.MR_T2.2.nii"],
            "1/VSD.2",
            "2/VSD*",
        ),
    ],
)
def test_link_within_a_patients_folder_to_another_patient_is_not_followed_and_told_once(
    root, files, link, target, caplog
):
    plant(root, files)
    (root / link).symlink_to(next(root.glob(target)))

    first, _ = find_cases(root)

    assert list(first.sequences) == ["t1"]
    told = [said for said in caplog.messages if "is a link to what else lies in the data set" in said]
    assert len(told) == 1 and f": not looked into: {link.rpartition('/')[2]};" in told[0]


def test_links_of_patients_and_out_of_the_data_set_are_followed(root, tmp_path):
    plant(tmp_path, ["store/anna/anat/t1.nii", "pacs/7/flair.nii"])
    root.mkdir(exist_ok=True)
    (root / "anna").symlink_to(tmp_path / "store/anna")
    (tmp_path / "store/anna/flair").symlink_to(tmp_path / "pacs/7")

    assert [(case.patient, list(case.sequences)) for case in find_cases(root)] == [("anna", ["t1", "flair"])]


@pytest.mark.parametrize("pipelines", [("",), ("manual/", "deepmedic/")])
def test_experts_mask_that_is_a_link_to_nothing_is_not_exchanged_for_another(root, pipelines):
    derived = [f"derivatives/{pipeline}sub-01/anat/sub-01_mask.nii.gz" for pipeline in pipelines]
    plant(root, ["sub-01/anat/sub-01_FLAIR.nii.gz", *derived])
    (root / "sub-01/anat/sub-01_mask.nii.gz").symlink_to(root / "gone.nii.gz")

    (case,) = find_cases(root)

    assert (case.label, case.lost, case.lost_sequences) == (None, ("label",), ())


def test_passed_over_files_and_folders_are_told(root, caplog):
    plant(root, ["p1/dwi.nii", "p1/p1_lesion.nii", "p2/scan.nii"])
    find_cases(root)
    assert "p1_lesion.nii is passed over" in caplog.text
    assert "p2 holds no file named by a sequence" in caplog.text


def nnunet(root, files, names):
    plant(root, files)
    (root / "dataset.json").write_text(json.dumps(names))
    return root


IMAGES = ["imagesTr/a_b_0000.nii.gz", "imagesTr/a_b_0001.nii.gz", "labelsTr/a_b.nii.gz", "imagesTs/c_0001.nii.gz"]


@pytest.mark.parametrize(
    "names",
    [
        {"channel_names": {"0": "DWI", "1": "flair"}},
        {"modality": {"0": "dwi_b1000", "1": "T2-FLAIR"}},
        {"channel_names": ["DWI", "FLAIR"]},
    ],
)
def test_nnunet_channels_are_named_by_dataset_json(root, names):
    cases = find_cases(nnunet(root, IMAGES, names))
    assert detect_layout(root) == "nnunet"
    assert {case.patient: " ".join(case.files) for case in cases} == {"a_b": "dwi flair label", "c": "flair"}


def test_nnunet_files_that_are_links_to_nothing_are_lost(root):
    nnunet(root, IMAGES, {"channel_names": {"0": "DWI", "1": "FLAIR"}})
    for name in ("imagesTr/a_b_0001.nii.gz", "labelsTr/a_b.nii.gz"):
        (root / name).unlink()
        (root / name).symlink_to(root / "gone.nii.gz")

    case, _ = find_cases(root)

    assert (list(case.files), case.lost) == (["dwi"], ("flair", "label"))


@pytest.mark.parametrize("unused", ["ADC", "T1-Gd", "t1ce", "CT", "T2*"])
def test_nnunet_channel_that_is_not_used_is_passed_over(root, unused):
    cases = find_cases(nnunet(root, IMAGES, {"channel_names": {"0": unused, "1": "FLAIR"}}))
    assert [list(case.sequences) for case in cases] == [["flair"], ["flair"]]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"channel_names": {"0": "MRI", "1": "FLAIR"}}, "channel '0' is called 'MRI'.*one of dwi, t1, t2, flair"),
        ({"channel_names": {"0": "DWI"}}, "names no channel 0001; it names 0000"),
        ({"channel_names": {"DWI": "0"}}, "channel 'DWI' is called '0'"),
        ({}, "names no channels"),
        ([], "names no channels"),
    ],
)
def test_nnunet_names_that_are_unknown_are_refused(root, names, message):
    with pytest.raises(InputError, match=message):
        find_cases(nnunet(root, IMAGES, names))


def test_nnunet_without_dataset_json_says_what_to_write(root):
    with pytest.raises(InputError, match=r"dataset.json is missing.*channel_names"):
        find_cases(plant(root, IMAGES))
    (root / "dataset.json").write_text("{")
    with pytest.raises(InputError, match="not readable JSON"):
        find_cases(root)
